"""Maven's order: 1.0-alpha-1, 2.0.1.RELEASE. Source: Maven's "Version Order Specification" and ComparableVersion.

A version is a list of numbers, words and lists: a dash, and each change between digits and letters, opens a list.
"""

import re
from functools import cmp_to_key
from typing import Any

_PIECE = re.compile(r"([0-9]+)|([^0-9.\-]+)|([.\-])")
_QUALIFIERS = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_RELEASE = _QUALIFIERS.index("")
_ALIASES = {"ga": "", "final": "", "release": "", "cr": "rc"}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
"""Only where a number follows at once."""
_MAX_DEPTH = 100
"""Lists in lists; what lies deeper does not order."""


def key(version: str) -> Any:
    """Sort key of any text."""
    return _Compared(_parsed(version.strip().lower()))


def _parsed(text: str) -> list[Any]:
    """Numbers (int), words (tuples of rank and text) and lists of these, without what says nothing."""
    whole: list[Any] = []
    stack = [whole]

    def deeper() -> None:
        if len(stack) < _MAX_DEPTH:
            inner: list[Any] = []
            stack[-1].append(inner)
            stack.append(inner)

    empty = True  # nothing stands since the last point or dash
    pieces = _PIECE.findall(text)
    for place, (digits, word, mark) in enumerate(pieces):
        after = pieces[place + 1] if place + 1 < len(pieces) else ("", "", "")
        if digits:
            stack[-1].append(int(digits))
            empty = False
            if after[1]:
                deeper()
        elif word:
            # .X is taken as -X where a number follows at once or nothing does.
            if (after[0] or not any(after)) and stack[-1]:
                deeper()
            stack[-1].append(_word(word, followed=bool(after[0])))
            empty = False
            if after[0]:
                deeper()
        else:
            if empty:
                stack[-1].append(0)
            empty = True
            if mark == "-":
                deeper()
    for one in reversed(stack):
        _trim(one)
    return whole


def _word(text: str, *, followed: bool) -> tuple[int, str]:
    if followed:
        text = _SHORT.get(text, text)
    text = _ALIASES.get(text, text)
    return (_QUALIFIERS.index(text), "") if text in _QUALIFIERS else (len(_QUALIFIERS), text)


def _trim(items: list[Any]) -> None:
    """Drop what is the same as nothing, back to the first item that is something."""
    for place in range(len(items) - 1, -1, -1):
        if items[place] in (0, [], (_RELEASE, "")):
            del items[place]
        elif not isinstance(items[place], list):
            break


def _compare(one: Any, other: Any) -> int:
    """-1, 0 or 1. None stands for what a shorter list does not have."""
    if one is None:
        return -_compare(other, None) if other is not None else 0
    if other is None:
        return _to_nothing(one)
    if isinstance(one, list) and isinstance(other, list):
        return _lists(one, other)
    kinds = [_KINDS[type(item)] for item in (one, other)]
    if kinds[0] != kinds[1]:
        return 1 if kinds[0] > kinds[1] else -1
    return int(one > other) - int(one < other)


_KINDS = {tuple: 0, list: 1, int: 2}
"""Words are before lists, lists before numbers."""


def _to_nothing(item: Any) -> int:
    if isinstance(item, int):
        return int(item > 0)
    if isinstance(item, tuple):
        return int(item[0] > _RELEASE) - int(item[0] < _RELEASE)
    return next((found for inner in item if (found := _to_nothing(inner))), 0)


def _lists(one: list[Any], other: list[Any]) -> int:
    for place in range(max(len(one), len(other))):
        left = one[place] if place < len(one) else None
        right = other[place] if place < len(other) else None
        if found := _compare(left, right):
            return found
    return 0


_Compared: Any = cmp_to_key(_compare)
