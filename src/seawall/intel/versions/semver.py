"""The order of npm and Go. Source: semver.org §11; a leading "v" or "go" and missing numbers are taken as meant."""

import re
from typing import Any

_VERSION = re.compile(r"[v=\s]*(?:go)?(\d+(?:\.\d+)*)(.*)", re.DOTALL)


def key(version: str) -> tuple[Any, ...]:
    """Sort key; text without any number sorts first."""
    found = _VERSION.match(version.strip())
    if not found:
        return ((), (), version)
    numbers = tuple(map(int, found[1].split(".")))
    numbers += (0,) * (3 - len(numbers))
    before = found[2].partition("+")[0].removeprefix("-")
    # A release sorts after all its pre-releases; numbers before words; fewer identifiers before more.
    return (numbers, (0, tuple(map(_identifier, before.split(".")))) if before else (1, ()), "")


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)
