"""A large JSON object taken apart: its long arrays are read item by item, and never lie in memory whole.

A tree of a plan is three times as large as what is made of it, and leaves holes behind that a process keeps for ever.
"""

import json
import re
from collections.abc import Collection, Iterator
from json.decoder import JSONDecodeError
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
_parse = json.JSONDecoder().raw_decode


class Items:
    """An array that is read anew each time it is walked; each item is there once and then let go."""

    def __init__(self, text: str, start: int, size: int) -> None:
        self._text, self._start, self._size = text, start, size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        for item, _ in _items(self._text, self._start):
            yield item


def loads(text: str, objects: Collection[str], arrays: Collection[str]) -> Any:
    """As json.loads, but members named in `arrays` are `Items`, and so are those of members named in `objects`.

    Raises ValueError, as json.loads does; what `Items` yield has been read once by then."""
    start = _skip(text, 0)
    value, end = _object(text, start, objects, arrays) if text[start : start + 1] == "{" else _parse(text, start)
    if _skip(text, end) != len(text):
        raise JSONDecodeError("Extra data", text, end)
    return value


def dumps(value: Any, objects: Collection[str], arrays: Collection[str]) -> str:
    """As json.dumps without blanks, which would hold each bracket and name of the whole as a text of its own."""
    if not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    parts = []
    for name, one in value.items():
        if name in objects and isinstance(one, dict):
            written = dumps(one, objects, arrays)
        elif name in arrays and isinstance(one, list):
            written = f"[{','.join(json.dumps(item, separators=(',', ':')) for item in one)}]"
        else:
            written = json.dumps(one, separators=(",", ":"))
        parts.append(f"{json.dumps(name)}:{written}")
    return f"{{{','.join(parts)}}}"


def _object(text: str, start: int, objects: Collection[str], arrays: Collection[str]) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    at = _skip(text, start + 1)
    if text[at : at + 1] == "}":
        return found, at + 1
    while True:
        if text[at : at + 1] != '"':
            raise JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
        name, at = _parse(text, at)
        at = _skip(text, _expect(text, _skip(text, at), ":"))
        mark = text[at : at + 1]
        if name in objects and mark == "{":
            found[name], at = _object(text, at, objects, arrays)
        elif name in arrays and mark == "[":
            size, start, at = 0, at, _skip(text, at + 1) + 1
            for _, at in _items(text, start):  # noqa: B007 - the last one's end
                size += 1
            found[name] = Items(text, start, size)
        else:
            found[name], at = _parse(text, at)
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return found, at + 1
        at = _skip(text, _expect(text, at, ","))


def _items(text: str, start: int) -> Iterator[tuple[Any, int]]:
    """(item, where the text goes on after it: after the last one, behind the bracket)."""
    at = _skip(text, start + 1)
    if text[at : at + 1] == "]":
        return
    while True:
        item, at = _parse(text, at)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            yield item, at + 1
            return
        yield item, at
        at = _skip(text, _expect(text, at, ","))


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise JSONDecodeError(f"Expecting {mark!r}", text, at)
    return at + 1
