"""Alpine's order: 1.2.03b_rc2_p1-r4. Source: apk-tools, src/version.c (its rules, not its words).

Where two versions are alike up to the end of one of them, the one that goes on is later, unless it goes on with a
suffix that means "before". A number after the first that starts with 0 is text, and before those that do not.
"""

import re
from typing import Any

_SUFFIXES = {"alpha": -4, "beta": -3, "pre": -2, "rc": -1, "cvs": 0, "svn": 1, "git": 2, "hg": 3, "p": 4}
_OTHER, _NUMBER, _DIGITS, _LETTER, _SUFFIX, _SUFFIX_NUMBER, _REVISION, _END, _BEFORE = 8, 7, 6, 5, 4, 3, 2, 1, 0
"""What comes next in a version; the larger, the later the version that has it where another has less."""
_FIRST = re.compile("[0-9]*")
_NUMBERS = re.compile(r"\.(?P<number>[0-9]*)|(?P<letter>[a-z])(?P<digits>[0-9]+)|(?P<last>[a-z])")
_SUFFIXED = re.compile(r"_([a-z]*)([0-9]*)")
_COMMIT = re.compile("~[0-9a-f]+")  # names a build, it does not order
_BUILT = re.compile("-r([0-9]*)")


def key(version: str) -> tuple[Any, ...]:
    """Sort key; from the first text on that is no part of an Alpine version, nothing orders any more."""
    text = version.strip()
    at = _end(_FIRST.match(text), 0)
    tokens: list[tuple[int, Any]] = [(_NUMBER, (1, int(text[:at] or "0"), ""))]
    at = _numbers(text, at, tokens)
    while found := _SUFFIXED.match(text, at):
        at = found.end()
        value = _SUFFIXES.get(found[1], -1 if not found[1] else -9)
        tokens.append((_SUFFIX if value >= 0 or not found[1] else _BEFORE, value))
        if found[1] not in _SUFFIXES:
            break
        if found[2]:
            tokens.append((_SUFFIX_NUMBER, int(found[2])))
    at = _end(_COMMIT.match(text, at), at)
    if found := _BUILT.match(text, at):
        at = found.end()
        tokens.append((_REVISION, int(found[1] or "0")))
    tokens.append((_OTHER, 0) if at < len(text) else (_END, 0))
    return tuple(tokens)


def _end(found: re.Match[str] | None, at: int) -> int:
    return found.end() if found else at


def _numbers(text: str, at: int, tokens: list[tuple[int, Any]]) -> int:
    """Numbers after points, and letters; a letter without a number is the last of them."""
    while found := _NUMBERS.match(text, at):
        at = found.end()
        if found["last"]:
            tokens.append((_LETTER, ord(found["last"])))
            break
        if found["letter"]:
            tokens += ((_LETTER, ord(found["letter"])), (_DIGITS, int(found["digits"])))
        else:
            tokens.append((_NUMBER, _number(found["number"], ended=at == len(text))))
    return at


def _number(digits: str, *, ended: bool) -> tuple[int, int, str]:
    if digits.startswith("0"):
        return 0, 0, digits
    return (1, int(digits), "") if digits else (-1 if ended else 1, 0, "")
