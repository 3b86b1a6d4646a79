"""Composer's order: v1.2.3-beta2, dev-main. Source: composer/semver's normal form and PHP's version_compare."""

import re
from typing import Any

_STABLE = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)(.*)", re.IGNORECASE | re.DOTALL)
_BRANCH = re.compile(r"v?([0-9]+|[x*])(?:\.([0-9]+|[x*]))?(?:\.([0-9]+|[x*]))?(?:\.([0-9]+|[x*]))?-dev", re.IGNORECASE)
_PIECE = re.compile(r"[0-9]+|[^0-9.\-_+]+")
_SAID_NOTHING = re.compile(r"^[.\-_]?stable(?:[.\-]?[0-9]+)*", re.IGNORECASE)
_NUMBERS = 4
_ANY = 9_999_999
"""What stands for x in a branch's version: it is after all of its releases."""
_DEV, _END, _NUMBER, _PATCH = 0, 4, 5, 6
_WORDS = (("dev", _DEV), ("a", 1), ("b", 2), ("rc", 3), ("RC", 3), ("p", _PATCH))


def key(version: str) -> tuple[Any, ...]:
    """Sort key; a branch's name (dev-main) is before all versions."""
    text = version.strip()
    if text.lower().startswith("dev-"):
        return ((-2, text[4:]),)
    if (branch := _BRANCH.fullmatch(text)) and not text[:-4].replace(".", "").lstrip("v").isdigit():
        numbers = [_ANY if part is None or not part.isdigit() else int(part) for part in branch.groups()]
        return (*((_NUMBER, number) for number in numbers), (_DEV, 0), (_END, 0))
    found = _STABLE.fullmatch(text)
    if not found:
        return (*map(_piece, _PIECE.findall(text)), (_END, 0))
    numbers = [int(part) for part in found[1].split(".")]
    numbers += [0] * (_NUMBERS - len(numbers))
    # "stable" says nothing, and what follows a plus names a build.
    rest = _PIECE.findall(_SAID_NOTHING.sub("", found[2].partition("+")[0], count=1))
    return (*((_NUMBER, number) for number in numbers), *map(_piece, rest), (_END, 0))


def _piece(piece: str) -> tuple[int, Any]:
    if piece.isascii() and piece.isdigit():
        return _NUMBER, int(piece)
    word = piece if piece == "RC" else piece.lower()
    return next((rank for start, rank in _WORDS if word.startswith(start)), -1), 0
