"""Where declaration and kernel differ, the evidence says so; where they agree, or one is not known, it does not."""

import pytest

from seawall.baseline.detect.evaluate import judge
from seawall.baseline.detect.truth import PAIRS, disagreements
from seawall.baseline.load import packaged
from seawall.baseline.model import Asset, Fact, Facts, Outcome
from unit.baseline.test_checks import GOOD_CONTAINER

CHECKS = {check.id: check for check in packaged()["docker"].checks}

# (declared, what it says, real, what it is, whether that differs)
CASES = [
    ("network_mode", "container:abc", "host_network", True, True),
    ("network_mode", "host", "host_network", True, False),
    ("network_mode", "web", "host_network", False, False),
    ("pid_mode", "host", "host_pid", False, True),
    ("ipc_mode", "private", "host_ipc", True, True),
    ("uts_mode", "", "host_uts", True, True),
    ("no_new_privileges_set", True, "no_new_privileges", False, True),
    ("no_new_privileges_set", False, "no_new_privileges", True, True),
    ("security_options", [], "seccomp_mode", 0, True),
    ("security_options", [{"value": "seccomp=unconfined"}], "seccomp_mode", 0, False),
    ("security_options", [{"value": "seccomp=/p.json"}], "seccomp_mode", 2, False),
    ("apparmor_profile", "docker-default", "apparmor_confined", False, True),
    ("apparmor_profile", "unconfined", "apparmor_confined", False, False),
    ("capabilities_added", ["SYS_ADMIN"], "capabilities_bounding", ["CHOWN"], True),
    ("capabilities_added", ["ALL"], "capabilities_bounding", ["CHOWN"], False),
    ("memory_limit", 1 << 20, "memory_limit_real", 0, True),
    ("memory_limit", (1 << 20) + 5, "memory_limit_real", 1 << 20, False),
]


@pytest.mark.parametrize(("declared", "said", "real", "seen", "differs"), CASES)
def test_a_difference_is_evidence(declared, said, real, seen, differs):
    known = {declared: Fact(said, "inspect"), real: Fact(seen, "/proc")}
    assert [row["value"] for row in disagreements([declared, real], known)] == [[declared, real]] * differs
    assert disagreements([declared], known) == []
    assert disagreements([declared, real], known | {real: Fact(None, "/proc", "it ended")}) == []


def test_every_pair_is_tried_and_looked_at_by_some_check():
    assert {(declared, real) for declared, real, _ in PAIRS} == {(case[0], case[2]) for case in CASES}
    for declared, real, _ in PAIRS:
        assert any({declared, real} <= _named(check) for check in CHECKS.values()), (declared, real)


def _named(check):
    from seawall.baseline.detect.expression import leaves

    return {*check.probe["facts"], *(leaf["fact"] for leaf in leaves(check.expect))}


def test_a_privileged_container_shows_that_its_filter_is_gone():
    values = GOOD_CONTAINER | {"privileged": True, "security_options": [], "seccomp_mode": 0}
    facts = Facts(Asset("container", "x", "x"), {name: Fact(value, "t") for name, value in values.items()}, "")
    result = judge(CHECKS["docker-5.22"], facts)
    assert result.outcome is Outcome.FAIL
    assert result.evidence[0] == {"where": "declared and real differ", "value": ["security_options", "seccomp_mode"]}


def test_a_fact_without_value_and_without_error_is_no_pass():
    values = {name: Fact(value, "t") for name, value in GOOD_CONTAINER.items()}
    facts = Facts(Asset("container", "x", "x"), values | {"capabilities_bounding": Fact(None, "t")}, "")
    result = judge(CHECKS["docker-5.4"], facts)
    assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, "capabilities_bounding was not collected")
