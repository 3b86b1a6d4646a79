"""How often snapshots are taken where containers come and go all the time."""

import pytest

from seawall.agent.survey import GAP, MAX_GAP, gap


@pytest.mark.parametrize(("used", "seconds"), [(0.0, GAP), (0.005, GAP), (0.03, 3.0), (0.1, 10.0), (5.0, MAX_GAP)])
def test_snapshots_that_cost_more_come_less_often(used, seconds):
    assert gap(used) == pytest.approx(seconds)
