"""Python's order. Source: PEP 440, as the `packaging` library implements it; older texts sort before all of it."""

import re
from typing import Any

from packaging.version import InvalidVersion, Version

_PIECES = re.compile(r"\d+|[a-z]+")


def key(version: str) -> tuple[Any, ...]:
    """Sort key; text from before PEP 440 is compared piece by piece, numbers as numbers."""
    try:
        return (1, Version(version))
    except InvalidVersion:
        return (0, tuple((1, int(piece), "") if piece.isdecimal() else (0, 0, piece) for piece in _pieces(version)))


def _pieces(version: str) -> list[str]:
    return _PIECES.findall(version.lower())
