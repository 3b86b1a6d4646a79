"""Regular expressions that match in linear time, whatever the pattern and the text: no rule can hang the judge.

The pattern is read by Python's own reader, then run as a set of states at once (Thompson's way) with the steps
remembered. The whole text has to match, as in Falco. What such a machine cannot do (look-arounds, back references,
word boundaries, anchors inside) is refused when the rule is compiled.
"""

import re
from collections.abc import Callable, Iterator
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as reader  # type: ignore[attr-defined]
from typing import Any

MAX_PATTERN = 1000
"""Characters of a pattern."""
MAX_STATES = 2000
MAX_TEXT = 4096
"""Characters of a text that are looked at; the rest counts as cut off."""
MAX_STEPS = 4096
"""Remembered steps of one pattern; then they are forgotten and found anew."""

Test = Callable[[str], bool]
_CATEGORIES: dict[Any, Test] = {
    op.CATEGORY_DIGIT: lambda c: c in "0123456789",
    op.CATEGORY_NOT_DIGIT: lambda c: c not in "0123456789",
    op.CATEGORY_SPACE: lambda c: c in "\t\n\f\r ",
    op.CATEGORY_NOT_SPACE: lambda c: c not in "\t\n\f\r ",
    op.CATEGORY_WORD: lambda c: c.isascii() and (c.isalnum() or c == "_"),
    op.CATEGORY_NOT_WORD: lambda c: not (c.isascii() and (c.isalnum() or c == "_")),
}


class _Machine:
    """States are numbers: each has a test with one successor, or only free moves. State 0 is the end."""

    def __init__(self) -> None:
        self.tests: list[Test | None] = [None]
        self.moves: list[list[int]] = [[]]

    def state(self, test: Test | None, *moves: int) -> int:
        if len(self.tests) >= MAX_STATES:
            raise ValueError(f"the expression needs more than {MAX_STATES} states")
        self.tests.append(test)
        self.moves.append(list(moves))
        return len(self.tests) - 1

    def build(self, parts: Any, after: int, flags: int) -> int:
        """The first state of `parts`, read from the back to the front."""
        for code, value in reversed(list(parts)):
            after = self.part(code, value, after, flags)
        return after

    def part(self, code: Any, value: Any, after: int, flags: int) -> int:
        if code in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
            return self.state(_test(code, value, flags), after)
        if code is op.BRANCH:
            return self.state(None, *(self.build(branch, after, flags) for branch in value[1]))
        if code is op.SUBPATTERN:
            _, add, remove, inner = value
            return self.build(inner, after, (flags | add) & ~remove)
        if code in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self.repeat(value, after, flags)
        raise ValueError(f"{str(code).lower()} is not supported in regular expressions here")

    def repeat(self, value: Any, after: int, flags: int) -> int:
        least, most, inner = value
        if most is op.MAXREPEAT:
            loop = self.state(None, after)
            self.moves[loop].append(self.build(inner, loop, flags))
            first = loop
        else:
            first = after
            for _ in range(most - least):
                first = self.state(None, after, self.build(inner, first, flags))
        for _ in range(least):
            first = self.build(inner, first, flags)
        return first

    def closed(self, states: Iterator[int]) -> frozenset[int]:
        """The states that can be reached without reading anything."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                if self.tests[state] is None:
                    waiting += self.moves[state]
        return frozenset(state for state in found if self.tests[state] is not None or state == 0)


def fullmatch(pattern: str) -> Callable[[str], bool]:
    """Whether a whole text matches. Raises ValueError on what is no expression, or none that runs in linear time."""
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"the expression has {len(pattern)} characters, at most {MAX_PATTERN} are taken")
    try:
        parts = reader.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    machine = _Machine()
    first = machine.build(_unanchored(list(parts)), 0, parts.state.flags)
    start = machine.closed(iter([first]))
    steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def match(text: str) -> bool:
        states = start
        for character in text[:MAX_TEXT]:
            after = steps.get((states, character))
            if after is None:
                after = machine.closed(_after(machine, states, character))
                if len(steps) >= MAX_STEPS:
                    steps.clear()
                steps[states, character] = after
            if not after:
                return False
            states = after
        return 0 in states

    return match


def _after(machine: _Machine, states: frozenset[int], character: str) -> Iterator[int]:
    for state in states:
        test = machine.tests[state]
        if test is not None and test(character):
            yield from machine.moves[state]


def _unanchored(parts: list[Any]) -> list[Any]:
    """`^` and `$` at the ends say what holds anyway."""
    if parts and parts[0][0] is op.AT and parts[0][1] in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
        parts = parts[1:]
    if parts and parts[-1][0] is op.AT and parts[-1][1] in (op.AT_END, op.AT_END_STRING):
        parts = parts[:-1]
    return parts


def _test(code: Any, value: Any, flags: int) -> Test:
    if code is op.ANY:
        return (lambda _: True) if flags & re.DOTALL else (lambda c: c != "\n")
    if code is op.LITERAL:
        test = _literal(chr(value))
    elif code is op.NOT_LITERAL:
        test = _not(_literal(chr(value)))
    else:
        negated = value[0][0] is op.NEGATE
        tests = [_member(kind, found) for kind, found in value[1 if negated else 0 :]]
        test = _one_of(tests)
        if flags & re.IGNORECASE:
            test = _either_case(test)
        return _not(test) if negated else test
    return _either_case(test) if flags & re.IGNORECASE and code is op.LITERAL else test


def _member(kind: Any, value: Any) -> Test:
    if kind is op.LITERAL:
        return _literal(chr(value))
    if kind is op.RANGE:
        low, high = chr(value[0]), chr(value[1])
        return lambda c: low <= c <= high
    return _CATEGORIES[value]


def _literal(character: str) -> Test:
    return lambda c: c == character


def _not(test: Test) -> Test:
    return lambda c: not test(c)


def _one_of(tests: list[Test]) -> Test:
    return lambda c: any(test(c) for test in tests)


def _either_case(test: Test) -> Test:
    return lambda c: test(c.lower()) or test(c.upper())
