"""The risk's number, its parts, and the order it brings."""

import itertools

import pytest

from seawall.core.severity import Severity
from seawall.images.detect.risk import Facts, risk

CRITICAL = Facts(Severity.CRITICAL, 9.8)


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("score", [None, 0.0, 5.0, 10.0])
def test_parts_add_up_to_a_number_between_0_and_100(severity: Severity, score: float | None) -> None:
    for flags in itertools.product([False, True], repeat=4):
        for epss, running in itertools.product([None, 0.0, 1.0, 7.0, -1.0], [None, False, True]):
            height, parts = risk(Facts(severity, score, *flags[:3], epss, flags[3], running, exposed=True))
            assert 0 <= height <= 100
            assert sum(part.points for part in parts) == height
            assert all(part.why for part in parts)


def test_what_attackers_use_comes_before_what_is_only_severe() -> None:
    used = risk(Facts(Severity.MEDIUM, 6.5, exploited=True))[0]
    assert used > risk(CRITICAL)[0]
    assert risk(Facts(Severity.CRITICAL, 9.8, exploited=True))[0] >= 90
    assert 35 <= risk(CRITICAL)[0] <= 50


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (Facts(Severity.HIGH, 7.5), Facts(Severity.CRITICAL, 9.8)),
        (CRITICAL, Facts(Severity.CRITICAL, 9.8, poc=True)),
        (Facts(Severity.CRITICAL, 9.8, poc=True), Facts(Severity.CRITICAL, 9.8, exploited=True)),
        (Facts(Severity.CRITICAL, 9.8, epss=0.01), Facts(Severity.CRITICAL, 9.8, epss=0.5)),
        (Facts(Severity.HIGH, 9.8, epss=0.001), CRITICAL),
        (CRITICAL, Facts(Severity.CRITICAL, 9.8, fixable=True)),
        (Facts(Severity.CRITICAL, 9.8, running=False), CRITICAL),
        (CRITICAL, Facts(Severity.CRITICAL, 9.8, running=True)),
        (CRITICAL, Facts(Severity.CRITICAL, 9.8, exposed=True)),
        (Facts(Severity.MEDIUM, 6.5, exploited=True), Facts(Severity.MEDIUM, 6.5, exploited=True, ransomware=True)),
        (Facts(Severity.LOW, 9.8), CRITICAL),
        (Facts(Severity.LOW), Facts(Severity.UNKNOWN)),
    ],
)
def test_order(less: Facts, more: Facts) -> None:
    assert risk(less)[0] < risk(more)[0]


def test_the_reasons_are_told() -> None:
    _, parts = risk(Facts(Severity.HIGH, 8.8, exploited=True, ransomware=True, epss=0.4, fixable=True, running=True))
    assert {part.name: part.why for part in parts} == {
        "severity": "high, CVSS 8.8",
        "exploitation": "used by attackers (CISA KEV)",
        "ransomware": "used in ransomware campaigns",
        "fix": "a fixed version is there",
        "running": "in use",
    }
