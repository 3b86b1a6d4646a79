"""When a schedule is due: local time, days between, changes of the clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from seawall.images.timetable import Timetable, next_start, problem, window_end


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("table", "after", "wanted"),
    [
        (Timetable(), at("2026-11-25T01:59"), at("2026-11-25T02:00")),
        (Timetable(), at("2026-11-25T02:00"), at("2026-11-26T02:00")),
        (Timetable(start="23:30", zone="Asia/Shanghai"), at("2026-11-25T16:00"), at("2026-11-26T15:30")),
        # 02:30 does not exist that night; the window is not lost.
        (Timetable(start="02:30", zone="Europe/Berlin"), at("2026-03-28T12:00"), at("2026-03-29T01:30")),
        (Timetable(start="02:30", zone="Europe/Berlin"), at("2026-03-29T12:00"), at("2026-03-30T00:30")),
    ],
)
def test_the_next_start(table: Timetable, after: float, wanted: float) -> None:
    assert next_start(table, after) == wanted


def test_days_between_are_counted_from_the_last_start() -> None:
    table = Timetable(every_days=7)
    last = at("2026-11-25T02:00")
    assert next_start(table, last + 60, last) == at("2026-12-02T02:00")
    late = at("2026-11-25T05:00")  # the server was away: the next one is at its time all the same
    assert next_start(table, late, late) == at("2026-12-02T02:00")


def test_the_end_of_a_window() -> None:
    start = at("2026-11-25T22:00")
    assert window_end(Timetable(start="22:00", end="06:00"), start) == at("2026-11-26T06:00")
    assert window_end(Timetable(start="22:00", end="23:00"), start) == at("2026-11-25T23:00")
    assert window_end(Timetable(start="22:00"), start) == at("2026-11-26T22:00")


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (Timetable(every_days=0), "every_days"),
        (Timetable(start="24:00"), "start"),
        (Timetable(start=""), "start"),
        (Timetable(end="2"), "end"),
        (Timetable(zone="Mars/Olympus"), "time zone"),
        (Timetable(zone="../etc/passwd"), "time zone"),
    ],
)
def test_what_is_wrong_is_said(table: Timetable, word: str) -> None:
    assert word in problem(table)
    assert problem(Timetable(start="0:00", end="23:59", zone="Asia/Shanghai")) == ""
