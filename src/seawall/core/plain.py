"""Between frozen dataclasses and the plain JSON values that files, the wire and the API carry."""

import dataclasses
from enum import Enum
from typing import Any


def to_plain(value: Any) -> Any:
    """Dataclasses to dicts, enums to their values, tuples and sets to lists, bytes and odd surrogates to text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes):
        return printable(value.decode("utf-8", "surrogateescape"))
    if dataclasses.is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(to_plain(key)): to_plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(to_plain(item) for item in value)
    return [to_plain(item) for item in value]


def printable(text: str) -> str:
    r"""Bytes that were not UTF-8 (lone surrogates) become `\xNN`, so that every string can be encoded and shown."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
