"""Time as Seawall writes it: UTC, RFC 3339, milliseconds, a trailing Z. Text order is time order."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Seconds since the epoch. Judges take a clock as an argument; `time.time` is the real one."""


def format_time(seconds: float) -> str:
    """`1732377600.123` becomes `2024-11-23T16:00:00.123Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def parse_time(text: str) -> float:
    """Inverse of `format_time`; also takes offsets and nanoseconds. Raises ValueError on anything else."""
    head, dot, tail = text.strip().partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[: min(digits, 6)].ljust(6, '0')}{tail[digits:]}"
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def now() -> str:
    """This moment, formatted."""
    return format_time(time.time())
