"""Alpine's order: 1.2.03b_rc2_p1-r4. Source: apk-tools, src/version.c (its rules, not its words).

After the first number each further one that starts with 0 is a fraction: 1.01 < 1.1. A version that goes on where
another ends is later, unless it goes on with a suffix that means "before" (alpha, beta, pre, rc).
"""

import re
from typing import Any

_SUFFIXES = {"alpha": -4, "beta": -3, "pre": -2, "rc": -1, "cvs": 0, "svn": 1, "git": 2, "hg": 3, "p": 4}
_NUMBER, _DIGITS, _LETTER, _SUFFIX, _SUFFIX_NUMBER, _REVISION, _END, _BEFORE = 7, 6, 5, 4, 3, 2, 1, 0
"""What comes next in a version; the larger, the later the version that has it where another has less."""
_TOKEN = re.compile(
    r"\.(?P<number>\d+)|(?P<letter>[a-z])|_(?P<suffix>alpha|beta|pre|rc|cvs|svn|git|hg|p)(?P<suffix_number>\d*)"
    r"|~(?P<commit>[0-9a-f]+)|-r(?P<revision>\d+)"
)


def key(version: str) -> tuple[Any, ...]:
    """Sort key; from the first text on that is no part of an Alpine version, plain text decides."""
    text = version.strip()
    first = re.match(r"\d+", text)
    tokens: list[tuple[int, Any]] = [(_NUMBER, int(first[0]))] if first else []
    at = first.end() if first else 0
    while found := _TOKEN.match(text, at):
        tokens += _tokens(found)
        at = found.end()
    tokens.append((_END, 0))
    if at < len(text):
        tokens.append((_END, tuple(map(ord, text[at:]))))
    return tuple(tokens)


def _tokens(found: re.Match[str]) -> list[tuple[int, Any]]:
    if (number := found["number"]) is not None:
        return _number(number)
    if found["letter"] is not None:
        return [(_LETTER, ord(found["letter"]))]
    if found["suffix"] is not None:
        value = _SUFFIXES[found["suffix"]]
        tokens: list[tuple[int, Any]] = [(_BEFORE if value < 0 else _SUFFIX, value)]
        if found["suffix_number"]:
            tokens.append((_SUFFIX_NUMBER, int(found["suffix_number"])))
        return tokens
    if found["revision"] is not None:
        return [(_REVISION, int(found["revision"]))]
    return []  # a commit names a build, it does not order


def _number(digits: str) -> list[tuple[int, Any]]:
    if not digits.startswith("0"):
        return [(_NUMBER, int(digits))]
    rest = digits.lstrip("0")
    zeros = len(digits) - len(rest)
    return [(_NUMBER, -zeros), *([(_DIGITS, int(rest))] if rest else [])]
