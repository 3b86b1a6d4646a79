"""Arch Linux's order: [epoch:]version[-pkgrel]. Source: alpm, vercmp(8).

As RPM's without its marks, but the number of characters that separate two parts counts, and letters that follow a
number at once mean "before": 1.0a < 1.0 < 1.0.a < 1.0.1.
"""

import re
from typing import Any

_PART = re.compile(r"([^0-9A-Za-z]*)(?:([0-9]+)|([A-Za-z]+)|$)")
_BEFORE, _END, _NEXT = 0, 1, 2


def key(version: str) -> tuple[Any, ...]:
    """Sort key. A version without pkgrel is before all of its builds."""
    text = version.strip()
    epoch, colon, rest = text.partition(":")
    if not colon or not (epoch.isascii() and epoch.isdigit()):
        epoch, rest = "0", text
    upstream, dash, build = rest.rpartition("-")
    return int(epoch), _parts(upstream if dash else rest), _parts(build) if dash else ()


def _parts(text: str) -> tuple[Any, ...]:
    found = [
        _part(len(between), digits, letters, first=place == 0)
        for place, (between, digits, letters) in enumerate(_PART.findall(text))
        if between or digits or letters
    ]
    return (*found, (_END,))


def _part(between: int, digits: str, letters: str, *, first: bool) -> tuple[Any, ...]:
    if letters and not between and not first:
        return (_BEFORE, 0, letters)
    return (_NEXT + between, int(digits), "") if digits else (_NEXT + between, -1, letters)
