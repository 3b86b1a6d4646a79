"""When a scheduled scan is due, and how long it may work. Pure; moments are seconds since the epoch."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Every so many days, within a window of local time."""

    every_days: int = 1
    start: str = "02:00"
    """HH:MM in `zone`."""
    end: str = ""
    """HH:MM: what is not scanned by then is left for the next time; "" gives it a whole day. Before `start`, or
    equal to it, it is on the next day."""
    zone: str = "UTC"
    """As the IANA database names it: Asia/Shanghai."""


def problem(table: Timetable) -> str:
    """What is wrong with it, or ""."""
    if not 1 <= table.every_days <= 365:
        return f"every_days is from 1 to 365, not {table.every_days}"
    for name, text in (("start", table.start), ("end", table.end)):
        if (name == "start" or text) and _minutes(text) is None:
            return f"{name} is a time as HH:MM, not {text!r}"
    try:
        ZoneInfo(table.zone)
    except (KeyError, ValueError, OSError):
        return f"there is no time zone {table.zone!r}; one is named as Europe/Berlin"
    return ""


def next_start(table: Timetable, after: float, last: float | None = None) -> float:
    """The first start that is later than `after`, and `every_days` behind the `last` one if there was one."""
    zone = ZoneInfo(table.zone)
    moment = datetime.fromtimestamp(after, zone)
    if last is not None:
        # Half a day less: a start that came late must not push all others back by a day.
        earliest = datetime.fromtimestamp(last, zone) + table.every_days * DAY - DAY / 2
        moment = max(moment, earliest)
    start = _at(moment, table.start)
    while start <= moment:
        start = _at(start + DAY, table.start)
    return start.astimezone(UTC).timestamp()


def window_end(table: Timetable, start: float) -> float:
    """When the window that opens at `start` is over."""
    begun = datetime.fromtimestamp(start, ZoneInfo(table.zone))
    if not table.end:
        return (begun + DAY).astimezone(UTC).timestamp()
    end = _at(begun, table.end)
    if end <= begun:
        end = _at(begun + DAY, table.end)
    return end.astimezone(UTC).timestamp()


def _at(day: datetime, text: str) -> datetime:
    """That time of that day. An hour that a change of the clock leaves out is the one behind it."""
    minutes = _minutes(text) or 0
    return day.replace(hour=minutes // 60, minute=minutes % 60, second=0, microsecond=0, fold=0)


def _minutes(text: str) -> int | None:
    hours, colon, minutes = text.partition(":")
    if not colon or not (hours.isdecimal() and minutes.isdecimal() and len(hours) <= 2 and len(minutes) == 2):
        return None
    found = int(hours) * 60 + int(minutes)
    return found if int(hours) < 24 and int(minutes) < 60 else None
