"""Large JSON documents, item by item: the whole is text in memory, but only one item of it is ever an object."""

import json
import re
from collections.abc import Iterator
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def elements(data: bytes, key: str = "") -> Iterator[Any]:
    """The items of the list that the document is, or that it has under `key` at its top. Raises ValueError."""
    text = data.decode("utf-8-sig")
    if key:
        at = _list_of(text, key)
    else:
        at = _skip(text, 0)
        if text[at : at + 1] != "[":
            raise ValueError("no list")
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        item, at = _DECODER.raw_decode(text, at)
        yield item
        at = _after(text, at, "]")


def members(data: bytes) -> Iterator[tuple[str, Any]]:
    """Names and values of the object that the document is. Raises ValueError."""
    text = data.decode("utf-8-sig")
    for name, at in _members(text):
        yield name, _DECODER.raw_decode(text, at)[0]


def _list_of(text: str, key: str) -> int:
    for name, at in _members(text):
        if name == key and text[at : at + 1] == "[":
            return at
    raise ValueError(f"no list {key!r}")


def _members(text: str) -> Iterator[tuple[str, int]]:
    """Names and where their values begin. Values that nobody decodes are passed over by decoding them here."""
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("no object")
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":" or not isinstance(name, str):
            raise ValueError(f"no object at {at}")
        at = _skip(text, at + 1)
        yield name, at
        at = _after(text, _end(text, at), "}")


def _end(text: str, at: int) -> int:
    return _DECODER.raw_decode(text, at)[1]


def _after(text: str, at: int, closing: str) -> int:
    at = _skip(text, at)
    found = text[at : at + 1]
    if found == closing:
        return at
    if found != ",":
        raise ValueError(f"neither , nor {closing} at {at}")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
