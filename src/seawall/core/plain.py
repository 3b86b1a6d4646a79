"""Between frozen dataclasses and the plain JSON values that files, the wire and the API carry."""

import dataclasses
import types
import typing
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, TypeVar

_T = TypeVar("_T")


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


def from_plain(kind: type[_T], value: Any) -> _T:
    """A dataclass from what `to_plain` made of it, for files that anybody may have written: every value is of the type
    that its field says, no field is missing, none is foreign. Raises ValueError.
    """
    given: Any = kind
    made: _T = _maker(given)(value)
    return made


@cache
def _maker(kind: Any) -> Callable[[Any], Any]:
    origin, of = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind)
    if origin in (types.UnionType, typing.Union):
        return _either([_maker(one) for one in of])
    if origin is tuple and len(of) == 2 and of[1] is Ellipsis:
        item = _maker(of[0])
        return lambda value: tuple(item(one) for one in _of(list, value))
    if origin is list:
        item = _maker(of[0])
        return lambda value: [item(one) for one in _of(list, value)]
    if origin is dict:
        item = _maker(of[1])
        return lambda value: {_of(str, key): item(one) for key, one in _of(dict, value).items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if kind is float:
        return lambda value: float(_of(float, value) if isinstance(value, float) else _of(int, value))
    if kind is Any:
        return lambda value: value
    return lambda value: _of(kind, value)


def _dataclass(kind: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    makers = {field.name: _maker(hints[field.name]) for field in dataclasses.fields(kind)}

    def make(value: Any) -> Any:
        if _of(dict, value).keys() != makers.keys():
            raise ValueError(f"not the fields of {kind.__name__}")
        return kind(**{name: maker(value[name]) for name, maker in makers.items()})

    return make


def _either(makers: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def make(value: Any) -> Any:
        for maker in makers:
            try:
                return maker(value)
            except ValueError:
                continue
        raise ValueError(f"{type(value).__name__} is of no kind that fits")

    return make


def _of(kind: type[_T], value: Any) -> _T:
    if type(value) is not kind:
        raise ValueError(f"{type(value).__name__} where {getattr(kind, '__name__', kind)} belongs")
    return value
