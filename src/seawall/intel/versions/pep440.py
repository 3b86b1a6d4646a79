"""Python's order. Source: PEP 440, as the `packaging` library implements it; older texts sort before all of it.

Those older texts are ordered as setuptools did before PEP 440, piece by piece.
"""

import re
from typing import Any

from packaging.version import InvalidVersion, Version

_PIECES = re.compile(r"[0-9]+|[a-z]+|\.|-|[^0-9a-z.\-]+")
_MEANT = {"pre": "c", "preview": "c", "-": "final-", "rc": "c", "dev": "@"}
_FINAL, _DASH = "*final", "*final-"


def key(version: str) -> tuple[Any, ...]:
    """Sort key; text from before PEP 440 is compared piece by piece, numbers as numbers."""
    try:
        return (1, Version(version))
    except InvalidVersion:
        return (0, tuple(_older(version.lower())))


def _older(version: str) -> list[str]:
    parts: list[str] = []
    for piece in (*_PIECES.findall(version), None):
        if piece == ".":
            continue
        part = _FINAL if piece is None else _part(_MEANT.get(piece, piece))
        if part.startswith("*"):
            if part < _FINAL:
                while parts and parts[-1] == _DASH:
                    parts.pop()
            while parts and not parts[-1].strip("0"):
                parts.pop()
        parts.append(part)
    return parts


def _part(text: str) -> str:
    return text.zfill(8) if text.isascii() and text.isdigit() else f"*{text}"
