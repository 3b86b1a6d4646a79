"""Simulations: the list and the steps name the same ones, each expects a rule that exists."""

import pytest

from seawall.core.errors import SeawallError
from seawall.runtime import load
from seawall.runtime.simulate import catalog, inside, tricks


def test_each_simulation_has_its_step_and_its_rule():
    names = [simulation.name for simulation in catalog.SIMULATIONS]
    assert sorted(names) == sorted([*inside.STEPS, *tricks.STEPS])
    assert {simulation.rule for simulation in catalog.SIMULATIONS} <= set(load.system().rules)


def test_choosing():
    assert catalog.choose([]) == list(catalog.SIMULATIONS)
    assert [simulation.name for simulation in catalog.choose(["cron"])] == ["cron"]
    with pytest.raises(SeawallError, match="no simulation"):
        catalog.choose(["nope"])
