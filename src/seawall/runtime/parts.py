"""Conditions as they travel: what several rules share is written once, and is one object on the node again.

Falco's rules repeat their macros; written out, a plan of them is three times as long and as large in memory. A part is
a condition in which other, earlier parts are named by their number: ["and", 17, ["=", "proc.name", "sh"]].
"""

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from typing import Any

MAX_PARTS = 50_000
MAX_SIZE = 50_000
"""Checks of one condition with all parts put in: numbers could name each other into what never ends."""
_JOINS = ("and", "or", "not")


def fold(conditions: Iterable[Sequence[Any]]) -> tuple[list[Any], list[Any]]:
    """(parts, the conditions by their numbers)."""
    whole = list(conditions)
    keys: dict[int, str] = {}
    times: Counter[str] = Counter(_walk(whole, keys))
    parts: list[Any] = []
    numbers: dict[str, int] = {}

    def written(when: Sequence[Any]) -> Any:
        key = keys[id(when)]
        if key in numbers:
            return numbers[key]
        form = [when[0], *map(written, when[1:])] if when and when[0] in _JOINS else when
        if times[key] < 2:
            return form
        parts.append(form)
        numbers[key] = len(parts) - 1
        return numbers[key]

    return parts, [written(when) for when in whole]


class Unfolded:
    """The parts of a plan that came in. Raises ValueError or TypeError on parts that `fold` would not have made."""

    def __init__(self, parts: Collection[Any]) -> None:
        if len(parts) > MAX_PARTS:
            raise ValueError(f"a plan of {len(parts)} parts, the limit is {MAX_PARTS}")
        self._parts: list[tuple[list[Any], int]] = []
        self._texts: dict[str, str] = {}
        for part in parts:
            self._parts.append(self._whole(part))

    def condition(self, form: Any) -> list[Any]:
        """A condition with its parts put in."""
        return self._whole(form)[0]

    def shared(self, values: Iterable[Any]) -> list[Any]:
        """A list with each text once in all of them: rules name the same programs again and again."""
        texts = self._texts
        kept = (
            texts.setdefault(one, one) if isinstance(one, str) else self.shared(one) if type(one) is list else one
            for one in values
        )
        return [*tuple(kept)]  # exactly as large as it has to be, unlike a list that grows

    def _whole(self, form: Any) -> tuple[list[Any], int]:
        if isinstance(form, int) and not isinstance(form, bool):
            if not 0 <= form < len(self._parts):
                raise ValueError(f"part {form} is not there")
            return self._parts[form]
        if not isinstance(form, list) or not form or not isinstance(form[0], str):
            raise ValueError("a condition that is none")
        operator = sys.intern(form[0])
        if operator not in _JOINS:
            field = sys.intern(form[1]) if len(form) > 1 and isinstance(form[1], str) else None
            return self.shared((operator, *((field, *form[2:]) if field is not None else form[1:]))), 1
        found = [self._whole(part) for part in form[1:]]
        size = 1 + sum(size for _, size in found)
        if size > MAX_SIZE:
            raise ValueError(f"a condition of more than {MAX_SIZE} checks")
        return [operator, *(part for part, _ in found)], size


def _walk(whole: Iterable[Sequence[Any]], keys: dict[int, str]) -> Iterable[str]:
    """The keys of all parts, each as often as it is written: what lies within a repeated part counts once."""
    seen: set[str] = set()
    for when in whole:
        yield from _keys(when, keys, seen)


def _keys(when: Sequence[Any], keys: dict[int, str], seen: set[str]) -> Iterable[str]:
    key = _key(when, keys)
    yield key
    if key in seen:
        return
    seen.add(key)
    if when and when[0] in _JOINS:
        for part in when[1:]:
            yield from _keys(part, keys, seen)


def _key(when: Sequence[Any], keys: dict[int, str]) -> str:
    key = keys.get(id(when))
    if key is None:
        if when and when[0] in _JOINS:
            key = f"{when[0]}({','.join(_key(part, keys) for part in when[1:])})"
            key = blake2b(key.encode("utf-8", "surrogatepass")).hexdigest() if len(key) > 200 else key
        else:
            key = json.dumps(when)
        keys[id(when)] = key
    return key
