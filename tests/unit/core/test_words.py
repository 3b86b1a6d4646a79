"""Severity, time, ids and plain values."""

from dataclasses import dataclass

import pytest

from seawall.core import clock, ids
from seawall.core.plain import to_plain
from seawall.core.severity import Severity


def test_severity_order_keeps_unknown_in_sight():
    assert sorted(Severity, key=lambda s: -s.rank) == list(Severity)
    assert Severity.UNKNOWN.rank > Severity.INFO.rank


@pytest.mark.parametrize(
    ("word", "severity"), [("Moderate", "medium"), ("IMPORTANT", "high"), (None, "unknown"), ("x", "unknown")]
)
def test_feeds_words_for_severity(word, severity):
    assert Severity.parse(word) == severity


@pytest.mark.parametrize(
    ("score", "severity"), [(10.0, "critical"), (8.9, "high"), (6.9, "medium"), (0.1, "low"), (0.0, "info")]
)
def test_cvss_scale(score, severity):
    assert Severity.from_score(score) == severity


def test_time_round_trip_and_odd_forms():
    assert clock.format_time(1732377600.123) == "2024-11-23T16:00:00.123Z"
    assert clock.parse_time("2024-11-23T16:00:00.123456789Z") == pytest.approx(1732377600.123456)
    assert clock.parse_time("2024-11-23T17:00:00+01:00") == 1732377600
    with pytest.raises(ValueError, match=r"."):
        clock.parse_time("yesterday")


def test_ids_sort_by_creation_and_hashes_by_content():
    assert ids.new_id("job").startswith("job_")
    assert ids.content_hash({"a": 1, "b": [2]}) == ids.content_hash({"b": [2], "a": 1})


def test_plain_values_can_always_be_shown():
    @dataclass
    class Thing:
        name: str
        severity: Severity
        parts: tuple[bytes, ...]

    assert to_plain(Thing("a\udcff", Severity.LOW, (b"\xfe",))) == {
        "name": "a\\xff",
        "severity": "low",
        "parts": ["\\xfe"],
    }
