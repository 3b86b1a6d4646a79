"""From the words of feeds to ranges: OSV's events, `>=1.2, <2 || ^3` as npm, Composer, RubyGems and others write it,
`[1.0,2.0)` as Maven and NuGet do.

Pre-releases count as any other version: advisories mean them too. Hostile texts raise ValueError.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seawall.intel import versions
from seawall.intel.model import Range

MAX_TEXT = 8192
MAX_PARTS = 500
_CONSTRAINT = re.compile(r"(===|==|=|>=|<=|!=|<>|~>|~=|>|<|~|\^)?\s*([^\s,|<>=!~^()\[\]]+)(?:\s+-\s+([^\s,|]+))?")
_BRACKETS = re.compile(r"([\[(])\s*([^,\[\]()]*?)\s*(,?)\s*([^,\[\]()]*?)\s*([\])])")
_WILD = re.compile(r"v?((?:[0-9]+\.)*)[xX*](?:\.[xX*])*")
_NUMBERS = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)")
_BY_LAST = ("Packagist", "RubyGems", "PyPI", "Hex", "Pub")
"""Where ~1.2 goes up to 2; elsewhere it goes up to 1.3."""
_FIRST = {"Packagist": "-dev", "RubyGems": ".A", "PyPI": ".dev0"}
"""What makes a version the first of its pre-releases; "-0" in SemVer."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Versions from `low` to `high`, None for no end."""

    low: str | None = None
    high: str | None = None
    low_in: bool = True
    high_in: bool = False
    made: bool = False
    """`high` is computed, no version that anybody named."""


def from_events(ecosystem: str, events: Sequence[tuple[str, str]]) -> tuple[Range, ...]:
    """The ranges of OSV's events (introduced, fixed, last_affected or limit, and a version), in whatever order they
    come. Source: OSV schema, "Evaluation"."""
    key = versions.order(ecosystem) or versions.ORDERS["generic"]
    places = {"fixed": 0, "introduced": 1, "last_affected": 2}
    limits = [value for kind, value in events if kind == "limit" and value != "*"]
    limit = max(limits, key=key) if limits and not any(event == ("limit", "*") for event in events) else ""
    ordered = sorted(
        ((kind, value) for kind, value in events[:MAX_PARTS] if kind in places and value),
        key=lambda event: (event[1] != "0", key(event[1]), places[event[0]]),
    )
    found: list[Range] = []
    since: str | None = None
    for kind, value in ordered:
        if kind == "introduced":
            since = ("" if value == "0" else value) if since is None else since
        elif since is not None:
            ends = {"fixed": value} if kind == "fixed" else {"last_affected": value}
            found.append(Range(since, limit=limit, **ends))
            since = None
    if since is not None:
        found.append(Range(since, limit=limit))
    return tuple(found)


def capped(ecosystem: str, ranges: Iterable[Range], last_known: str) -> tuple[Range, ...]:
    """Ranges without an end, ended by what GitHub calls the last known affected range ("<= 1.5.0", "< 2")."""
    try:
        ends = [end for end in spans(ecosystem, last_known) if not end.introduced and not end.after]
    except ValueError:
        return tuple(ranges)
    if len(ends) != 1:
        return tuple(ranges)
    last, limit = ends[0].last_affected, ends[0].limit or ends[0].fixed
    return tuple(
        one if one.fixed or one.last_affected or one.limit else replace(one, last_affected=last, limit=limit)
        for one in ranges
    )


def spans(ecosystem: str, text: str) -> tuple[Range, ...]:
    """The versions that a text speaks of. An upper end that somebody named counts as the fix. Raises ValueError."""
    return tuple(map(_range, _Algebra(ecosystem).union(_read(ecosystem, text))))


def others(ecosystem: str, texts: Iterable[str]) -> tuple[Range, ...]:
    """All versions but those that the texts speak of: what is affected, by what is patched or was never concerned."""
    algebra = _Algebra(ecosystem)
    good = algebra.union(span for text in texts for span in _read(ecosystem, text))
    return tuple(map(_range, algebra.complement(good)))


def _range(span: _Span) -> Range:
    low, high = span.low or "", span.high or ""
    begin = {"introduced": low} if span.low_in else {"after": low}
    end = {"last_affected": high} if span.high_in else {"limit": high} if span.made else {"fixed": high}
    return Range(**begin, **end)


def _read(ecosystem: str, text: str) -> list[_Span]:
    if len(text) > MAX_TEXT:
        raise ValueError(f"a range of {len(text)} characters")
    if text.lstrip()[:1] in ("[", "("):
        return list(_bracketed(text))
    algebra = _Algebra(ecosystem)
    parts = re.split(r"\|\|?", text)
    if len(parts) > MAX_PARTS:
        raise ValueError(f"a range of {len(parts)} parts")
    return [span for part in parts for span in _together(algebra, ecosystem, part)]


def _bracketed(text: str) -> Iterator[_Span]:
    at = 0
    for found in _BRACKETS.finditer(text):
        if text[at : found.start()].strip(", \t"):
            break
        at = found.end()
        opening, low, comma, high, closing = found.groups()
        if not comma:
            low = high = low or high
        yield _Span(low or None, high or None, opening == "[" or not low, closing == "]" and bool(high))
    if text[at:].strip(", \t"):
        raise ValueError(f"no range: {text[:80]!r}")


def _together(algebra: "_Algebra", ecosystem: str, text: str) -> list[_Span]:
    """What all the constraints of one alternative allow."""
    held = [_Span()]
    at = 0
    for count, found in enumerate(_CONSTRAINT.finditer(text)):
        if text[at : found.start()].strip(", \t\r\n") or count >= MAX_PARTS:
            break
        at = found.end()
        held = algebra.both(held, _constraint(algebra, ecosystem, found))
    if text[at:].strip(", \t\r\n"):
        raise ValueError(f"no range: {text[:80]!r}")
    return held


def _constraint(algebra: "_Algebra", ecosystem: str, found: re.Match[str]) -> list[_Span]:
    operator, version, until = found.groups()
    if until is not None:
        return [_Span(version, until, high_in=True)]
    if wild := _WILD.fullmatch(version):
        given = wild[1].rstrip(".")
        inside = [_Span(given, _next(ecosystem, given, given.count(".")), made=True)] if given else [_Span()]
        return algebra.complement(inside) if operator in ("!=", "<>") else inside
    match operator:
        case ">=":
            return [_Span(version)]
        case ">":
            return [_Span(version, low_in=False)]
        case "<":
            return [_Span(high=version)]
        case "<=":
            return [_Span(high=version, high_in=True)]
        case "!=" | "<>":
            return [_Span(high=version), _Span(version, low_in=False)]
        case "~" | "~>" | "~=" | "^":
            return [_Span(version, _end(ecosystem, operator, version), made=True)]
        case _:
            return [_Span(version, version, high_in=True)]


def _end(ecosystem: str, operator: str, version: str) -> str:
    found = _NUMBERS.match(version)
    if not found:
        raise ValueError(f"no numbers in {version[:80]!r}")
    given = found[1]
    numbers = given.split(".")
    if operator == "^":
        place = next((at for at, one in enumerate(numbers) if int(one)), len(numbers) - 1)
    elif ecosystem.partition(":")[0] in _BY_LAST and ecosystem != "Pub":
        place = max(len(numbers) - 2, 0)
    else:
        place = min(len(numbers) - 1, 1)
    return _next(ecosystem, given, place)


def _next(ecosystem: str, given: str, place: int) -> str:
    """The version before all those whose number at `place` is one more."""
    numbers = given.split(".")[: place + 1]
    numbers[-1] = str(int(numbers[-1]) + 1)
    family = ecosystem.partition(":")[0]
    if family not in _FIRST:
        numbers += ["0"] * (3 - len(numbers))
    return ".".join(numbers) + _FIRST.get(family, "-0")


class _Algebra:
    """Sets of versions in the order of an ecosystem."""

    def __init__(self, ecosystem: str) -> None:
        self._key = versions.order(ecosystem) or versions.ORDERS["generic"]

    def both(self, some: Sequence[_Span], more: Sequence[_Span]) -> list[_Span]:
        """What is in one of `some` and in one of `more`."""
        if len(some) * len(more) > MAX_PARTS:
            raise ValueError("a range of too many parts")
        return [span for one in some for other in more if not self._empty(span := self._met(one, other))]

    def union(self, given: Iterable[_Span]) -> list[_Span]:
        """In order, those that touch as one."""
        whole: list[_Span] = []
        for span in sorted((one for one in given if not self._empty(one)), key=self._low):
            last = whole[-1] if whole else None
            if last is not None and self._touch(last, span):
                whole[-1] = max((last, replace(span, low=last.low, low_in=last.low_in)), key=self._high)
            else:
                whole.append(span)
        return whole

    def complement(self, given: Sequence[_Span]) -> list[_Span]:
        """All that is in none of them. `given` is a union."""
        rest: list[_Span] = []
        low, low_in, done = None, True, False
        for span in given:
            gap = _Span(low, span.low, low_in, not span.low_in)
            if span.low is not None and not self._empty(gap):
                rest.append(gap)
            low, low_in, done = span.high, not span.high_in, span.high is None
        return rest if done else [*rest, _Span(low, None, low_in)]

    def _touch(self, one: _Span, later: _Span) -> bool:
        if one.high is None or later.low is None:
            return True
        end, begin = self._key(one.high), self._key(later.low)
        return bool(begin < end) or (not end < begin and (one.high_in or later.low_in))

    def _met(self, one: _Span, other: _Span) -> _Span:
        low = max(one, other, key=self._low)
        high = min(one, other, key=self._high)
        return _Span(low.low, high.high, low.low_in, high.high_in, high.made)

    def _low(self, span: _Span) -> tuple[Any, ...]:
        return (0, 0, 0) if span.low is None else (1, self._key(span.low), 0 if span.low_in else 1)

    def _high(self, span: _Span) -> tuple[Any, ...]:
        return (2, 0, 0) if span.high is None else (1, self._key(span.high), 1 if span.high_in else 0)

    def _empty(self, span: _Span) -> bool:
        if span.low is None or span.high is None:
            return False
        low, high = self._key(span.low), self._key(span.high)
        return bool(high < low) or (not low < high and not (span.low_in and span.high_in))
