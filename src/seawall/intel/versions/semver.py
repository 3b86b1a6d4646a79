"""SemVer as npm, crates.io, Hex and Swift use it. Source: semver.org §11; odd forms are taken as they are meant.

A leading "v", "=" or "go" says nothing, missing numbers are zeros, and 1.2.3beta is 1.2.3-beta.
"""

import re
from typing import Any

_VERSION = re.compile(r"[v=\s]*(?:go)?([0-9]+(?:\.[0-9]+)*)(.*)", re.DOTALL)


def key(version: str) -> tuple[Any, ...]:
    """Sort key; text without any number sorts first."""
    return compared(version, numbers=3)


def compared(version: str, numbers: int) -> tuple[Any, ...]:
    """Sort key of a version with at least so many numbers."""
    found = _VERSION.match(version.strip())
    if not found:
        return ((), (), version)
    given = tuple(map(int, found[1].split(".")))
    given += (0,) * (numbers - len(given))
    before = found[2].partition("+")[0].lstrip(".").removeprefix("-")
    # A release sorts after all its pre-releases.
    return (given, (0, identifiers(before)) if before else (1, ()), "")


def identifiers(text: str) -> tuple[Any, ...]:
    """Between points: numbers before words, fewer before more."""
    return tuple(map(_identifier, text.split(".")))


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isascii() and text.isdigit() else (1, 0, text)
