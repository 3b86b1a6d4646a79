"""Conda's order: [epoch!]version[+local]. Source: conda's documentation of version ordering (VersionOrder).

dev is before everything, other words before numbers, post after all; missing parts are zeros.
"""

import re
from collections.abc import Iterator
from functools import cmp_to_key
from itertools import zip_longest
from typing import Any

_RUN = re.compile(r"[0-9]+|\*|[^0-9*]+")
_DEV, _WORD, _NUMBER, _POST = range(4)
_ZERO = (_NUMBER, 0, "")


def key(version: str) -> Any:
    """Sort key of any text."""
    text = version.strip().lower()
    epoch, mark, rest = text.partition("!")
    if not mark or not (epoch.isascii() and epoch.isdigit()):
        epoch, rest = "0", text
    upstream, _, local = rest.partition("+")
    return int(epoch), _Compared(_parts(upstream)), _Compared(_parts(local))


def _parts(text: str) -> tuple[tuple[Any, ...], ...]:
    text = text.replace("-", "_")
    if text.endswith("_"):  # OpenSSL's way: 1.0.1_ is before 1.0.1a
        text = f"{text[:-1].replace('_', '.')}_"
    else:
        text = text.replace("_", ".")
    return tuple(tuple(_runs(part)) for part in text.split(".")) if text else ()


def _runs(part: str) -> Iterator[tuple[int, int, str]]:
    for place, run in enumerate(_RUN.findall(part)):
        if not place and not run.isdigit():
            yield _ZERO
        if run.isascii() and run.isdigit():
            yield (_NUMBER, int(run), "")
        else:
            yield {"post": (_POST, 0, ""), "dev": (_DEV, 0, "")}.get(run, (_WORD, 0, run))


def _compare(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    for left, right in zip_longest(one, other, fillvalue=()):
        for mine, theirs in zip_longest(left, right, fillvalue=_ZERO):
            if mine != theirs:
                return 1 if mine > theirs else -1
    return 0


_Compared: Any = cmp_to_key(_compare)
