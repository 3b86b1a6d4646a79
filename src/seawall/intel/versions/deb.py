"""Debian's order: [epoch:]upstream[-revision]. Source: deb-version(7), Debian policy §5.6.12."""

import re
from typing import Any

_PIECES = re.compile(r"([^0-9]*)([0-9]*)", re.ASCII)
_END = (0,)
"""Sorts after "~" and before everything else, as the end of a version does."""


def key(version: str) -> tuple[Any, ...]:
    """Sort key; text that is no Debian version sorts as an upstream version of that text."""
    epoch, colon, rest = version.strip().partition(":")
    if not colon or not epoch.isdecimal():
        epoch, rest = "0", version.strip()
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return int(epoch), _part(upstream), _part(revision)


def _part(text: str) -> tuple[Any, ...]:
    """Alternating non-digits and numbers, ended by a mark. No revision is the same as revision 0."""
    pieces: list[Any] = []
    for letters, digits in _PIECES.findall(text or "0"):
        if letters or digits:
            pieces += (_letters(letters), int(digits or "0"))
    return (*pieces, _END)


def _letters(text: str) -> tuple[int, ...]:
    return (*(-1 if c == "~" else ord(c) if c.isascii() and c.isalpha() else ord(c) + 256 for c in text), 0)
