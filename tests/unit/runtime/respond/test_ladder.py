"""The protection level says the best means that works, and why there is no better one."""

import pytest

from seawall.runtime.respond.ladder import LEVELS, MENDS, protection

ALL = dict.fromkeys(("fanotify", "firewall", "docker", "quarantine", "cgroup", "deny"), "") | {"lsm": "refused"}


@pytest.mark.parametrize(
    ("missing", "sensor", "level", "exec"),
    [
        ({}, {"state": "on"}, 3, "fanotify"),
        ({"lsm": ""}, {"state": "on"}, 4, "lsm"),
        ({"fanotify": "no"}, {"state": "degraded"}, 2, "signal"),
        ({"firewall": "no", "cgroup": "no"}, {"state": "on"}, 2, "fanotify"),
        ({"fanotify": "no", "docker": "no"}, {"state": "on"}, 1, "signal"),
        ({}, {"state": "off"}, 0, "fanotify"),
    ],
)
def test_levels(missing, sensor, level, exec):
    found = protection(ALL | missing, sensor, enforce=True)
    assert (found["level"], found["means"]["exec"]) == (level, exec)
    assert {name: why for name, why in missing.items() if why}.items() <= found["reasons"].items()
    assert level in LEVELS


def test_a_guard_that_does_not_work_is_no_means():
    found = protection(ALL, {"state": "on"}, enforce=True, guard="the gate did not answer in time")
    assert found["means"]["exec"] == "signal"
    assert found["reasons"]["fanotify"] == "the gate did not answer in time"


def test_before_anything_was_tried_nothing_is_claimed():
    found = protection({}, {"state": "on"}, enforce=False)
    assert found["means"] == {
        "exec": "signal",
        "file": "none",
        "network": "none",
        "container": "none",
        "quarantine": False,
    }
    assert set(found["reasons"]) <= set(MENDS)
