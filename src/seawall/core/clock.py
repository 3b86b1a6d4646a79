"""Time as Seawall writes it: UTC, RFC 3339, milliseconds, a trailing Z. Text order is time order."""

import re
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since the epoch. Judges take a clock as an argument; `time.time` is the real one."""

_USUAL = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z", re.ASCII)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def format_time(seconds: float) -> str:
    """`1732377600.123` becomes `2024-11-23T16:00:00.123Z`."""
    whole, millis = divmod(_micros(seconds) // 1000, 1000)
    moment = time.gmtime(whole)
    return (
        f"{moment[0]:04d}-{moment[1]:02d}-{moment[2]:02d}T{moment[3]:02d}:{moment[4]:02d}:{moment[5]:02d}.{millis:03d}Z"
    )


def parse_time(text: str) -> float:
    """Inverse of `format_time`; also takes offsets and nanoseconds. Raises ValueError on anything else."""
    usual = _USUAL.fullmatch(text.strip())
    if usual is not None:
        year, month, day, hour, minute, second = (int(part) for part in usual.groups()[:6])
        if _exists(year, month, day) and hour < 24 and minute < 60 and second < 60:
            micros = int((usual[7] or "0")[:6].ljust(6, "0"))
            whole = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
            return (whole * 1_000_000 + micros) / 1_000_000
    return _unusual(text)


def now() -> str:
    """This moment, formatted."""
    return format_time(time.time())


def _micros(seconds: float) -> int:
    """The whole part apart: multiplied together, a large time would lose its last digits."""
    whole = int(seconds // 1)
    return whole * 1_000_000 + round((seconds - whole) * 1_000_000)


def _exists(year: int, month: int, day: int) -> bool:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return year > 0 and 0 < month < 13 and 0 < day <= _DAYS[month - 1] + leap


def _days(year: int, month: int, day: int) -> int:
    """Since 1970-01-01, in a calendar whose years begin in March: the leap day is a year's last."""
    years, months = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return years * 365 + years // 4 - years // 100 + years // 400 + (153 * months + 2) // 5 + day - 1 - 719468


def _unusual(text: str) -> float:
    from datetime import datetime  # half a megabyte that the agent's own times do not need

    head, dot, tail = text.strip().partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[: min(digits, 6)].ljust(6, '0')}{tail[digits:]}"
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
