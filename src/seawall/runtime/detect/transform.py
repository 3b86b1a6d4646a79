"""What stands left of an operator, or right of it in val(): a field, or a transformer of fields. The plain form:

"proc.name"                                     a field
["tolower", "proc.name"]                        a transformer of forms
{"text": "x"}   {"list": [form, …]}             a text, or several forms, among a transformer's arguments
"""

import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seawall.runtime.detect.fields import Getter, basename, resolve

MAX_DEPTH = 10
"""Transformers within transformers."""
MAX_TEXT = 8192
"""Characters that a transformer reads and yields."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from, and its type (Field.type)."""

    type: str
    get: Getter
    name: str = ""
    """As a message calls it."""


def source(form: Any, depth: int = 0) -> Source:
    """Of a form. Raises KeyError for an unknown field, ValueError for anything else that is wrong with it."""
    if isinstance(form, str):
        field = resolve(form)
        return Source(field.type, field.get, form)
    if depth > MAX_DEPTH:
        raise ValueError(f"more than {MAX_DEPTH} transformers within each other")
    if isinstance(form, dict):
        return _constant(form)
    name, *arguments = form
    if name not in TRANSFORMERS:
        raise ValueError(f"there is no transformer {name}")
    return replace(TRANSFORMERS[name](*_flat(arguments, depth + 1)), name=f"{name}(…)")


def names(form: Any) -> Iterator[str]:
    """The fields in a form."""
    if isinstance(form, str):
        yield form
    elif isinstance(form, dict):
        for part in form.get("list", ()):
            yield from names(part)
    else:
        for part in form[1:]:
            yield from names(part)


def _constant(form: dict[str, Any]) -> Source:
    """A text among the arguments; its name is the text."""
    if "list" in form:
        raise ValueError("a list is taken by join and concat alone")
    text = str(form["text"])
    return Source("constant", lambda _: text, text)


def _flat(arguments: Sequence[Any], depth: int) -> Iterator[Source]:
    for argument in arguments:
        if isinstance(argument, dict) and "list" in argument:
            yield from _flat(argument["list"], depth)
        else:
            yield source(argument, depth)


def _text_of(change: Callable[[str], str | None]) -> Callable[..., Source]:
    """A transformer of one text; of many texts it changes each."""

    def make(*given: Source) -> Source:
        (of,) = _count(given, 1)
        get = of.get
        if of.type == "many":
            return Source("many", lambda event: tuple(found for one in get(event) or () if (found := change(one))))
        if of.type not in ("text", "bytes", "constant", "net"):
            raise ValueError(f"this transformer takes a text, not a {of.type}")

        def changed(event: Any) -> str | None:
            found = get(event)
            return change(found[:MAX_TEXT]) if isinstance(found, str) else None

        return Source("text", changed)

    return make


def _count(given: tuple[Source, ...], number: int) -> tuple[Source, ...]:
    if len(given) != number:
        raise ValueError(f"this transformer takes {number} argument{'s' if number > 1 else ''}, not {len(given)}")
    return given


def _decoded(text: str) -> str | None:
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return None


def _length(*given: Source) -> Source:
    (of,) = _count(given, 1)
    if of.type in ("number", "flag"):
        raise ValueError(f"len takes a text or many, not a {of.type}")
    get = of.get

    def length(event: Any) -> int | None:
        found = get(event)
        return None if found is None else len(found)

    return Source("number", length)


def _words(source: Source) -> Callable[[Any], list[str] | None]:
    def words(event: Any) -> list[str] | None:
        found = source.get(event)
        if found is None:
            return None
        if isinstance(found, tuple | list):
            return [str(one) for one in found]
        return [str(found).lower() if isinstance(found, bool) else str(found)]

    return words


def _concatenated(*given: Source) -> Source:
    return _joined(Source("constant", lambda _: ""), *given)


def _joined(*given: Source) -> Source:
    """The first is what stands between the others. Absent as soon as one of them is."""
    if len(given) < 2:
        raise ValueError("nothing to put together: write join(',', proc.name, proc.exe) or concat(proc.name, '!')")
    separator, *rest = given
    parts = [_words(one) for one in rest]

    def join(event: Any) -> str | None:
        words: list[str] = []
        for part in parts:
            found = part(event)
            if found is None:
                return None
            words += found
        return str(separator.get(event)).join(words)[:MAX_TEXT]

    return Source("text", join)


def _options(*given: Source) -> Source:
    """getopt(proc.args, "nt:"): the letters given, of those named; one before a colon takes a value."""
    of, wanted = _count(given, 2)
    if wanted.type != "constant":
        raise ValueError('getopt takes a quoted text second: getopt(proc.args, "nt:")')
    get, letters = of.get, wanted.name

    def options(event: Any) -> tuple[str, ...] | None:
        found = get(event)
        return None if found is None else tuple(_letters(str(found)[:MAX_TEXT].split(), letters))

    return Source("many", options)


def _letters(words: list[str], wanted: str) -> Iterator[str]:
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            return
        if not word.startswith("-") or word.startswith("--"):
            continue
        for place, letter in enumerate(word[1:], 1):
            if letter == ":" or letter not in wanted:
                continue
            yield letter
            if wanted[wanted.index(letter) + 1 :].startswith(":"):
                at += place == len(word) - 1  # its value is the next word, else the rest of this one
                break


TRANSFORMERS: dict[str, Callable[..., Source]] = {
    "tolower": _text_of(str.lower),
    "toupper": _text_of(str.upper),
    "b64": _text_of(_decoded),
    "basename": _text_of(basename),
    "len": _length,
    "join": _joined,
    "concat": _concatenated,
    "getopt": _options,
}
