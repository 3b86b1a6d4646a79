"""RubyGems' order: 1.2.0.rc1. Source: the documentation of Gem::Version; a letter makes a version a pre-release."""

import re
from collections.abc import Iterator
from typing import Any

_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+")


def key(version: str) -> tuple[Any, ...]:
    """Sort key. Missing segments are zeros, so zeros count only by what they lead to."""
    segments = _SEGMENT.findall(version.strip().partition("+")[0].replace("-", ".pre."))
    return tuple(_tokens(_canonical(segments)))


def _canonical(segments: list[str]) -> list[str]:
    """Without the zeros that end the numbers before the first word, and those that end the whole."""
    first = next((place for place, one in enumerate(segments) if not one.isdigit()), len(segments))
    return _trimmed(segments[:first]) + _trimmed(segments[first:])


def _trimmed(segments: list[str]) -> list[str]:
    end = len(segments)
    while end and segments[end - 1].isdigit() and not int(segments[end - 1]):
        end -= 1
    return segments[:end]


def _tokens(segments: list[str]) -> Iterator[tuple[int, int, Any]]:
    """A word is before nothing, nothing before a number; zeros between bring both nearer to nothing."""
    zeros = 0
    for one in segments:
        if not one.isdigit():
            yield (0, zeros, one)
        elif int(one):
            yield (2, -zeros, int(one))
        else:
            zeros += 1
            continue
        zeros = 0
    yield (1, 0, 0)
