"""An order for versions of nobody's scheme: products found as binaries, and small ecosystems of plain numbers.

Numbers as numbers, missing ones are zeros; dev, alpha, beta, pre, rc are before the release, any other letter after
it (OpenSSL's 1.0.2k, OpenSSH's 9.3p1).
"""

import re
from collections.abc import Iterator
from typing import Any

_PIECE = re.compile(r"[0-9]+|[a-z]+")
_BEFORE = {"dev": -6, "snapshot": -6, "alpha": -5, "a": 0, "beta": -4, "b": 0, "m": -3, "milestone": -3,
           "pre": -2, "preview": -2, "rc": -1, "cr": -1}  # fmt: skip
_END, _WORD, _NUMBER = 0, 1, 2


def key(version: str) -> tuple[Any, ...]:
    """Sort key of any text."""
    return tuple(_tokens(_PIECE.findall(version.lower().partition("+")[0].removeprefix("v"))))


def _tokens(pieces: list[str]) -> Iterator[tuple[int, int, Any]]:
    zeros = 0
    for piece in pieces:
        if piece.isdigit():
            if not int(piece):
                zeros += 1
                continue
            yield (_NUMBER, -zeros, int(piece))
        elif (rank := _BEFORE.get(piece, 0)) < 0:
            yield (rank, 0, 0)
        else:
            yield (_WORD, 0, piece)
        zeros = 0
    yield (_END, 0, 0)
