"""Words of people as conditions: where a rule holds, which program, which file. Pure text; the parser judges it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_WILD = re.compile(r"[*?\[]")
_BARE = re.compile(r"[A-Za-z0-9_./:@+-]+")
_WORDS = frozenset({"and", "or", "not", "exists", "in"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Where rules hold: everything that is given must fit; of each list one is enough. Empty means everywhere."""

    images: tuple[str, ...] = ()
    """Patterns of image names, with or without tag."""
    digests: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether it bounds nothing."""
        return not (self.images or self.digests or self.namespaces or self.labels)


def scope(value: Mapping[str, Any]) -> Scope:
    """From its plain form, as it is stored."""
    lists = {name: tuple(value.get(name) or ()) for name in ("images", "digests", "namespaces")}
    return Scope(**lists, labels=dict(value.get("labels") or {}))


def condition(wanted: Scope) -> str:
    """A scope as a condition; "" when it bounds nothing."""
    parts = []
    if wanted.images:
        names = [one_of(name, wanted.images) for name in ("container.image", "container.image.repository")]
        parts.append(f"({' or '.join(names)})")
    if wanted.digests:
        digests = listed(wanted.digests)
        parts.append(f"(container.image.digest in {digests} or container.image.id in {digests})")
    if wanted.namespaces:
        parts.append(f"({one_of('k8s.ns.name', wanted.namespaces)})")
    parts += [f"container.label[{name}] = {quoted(value)}" for name, value in sorted(wanted.labels.items())]
    return " and ".join(parts)


def one_of(name: str, values: Iterable[str]) -> str:
    """The field is one of the values, of which those with `*`, `?` or `[` are patterns."""
    plain = [value for value in values if not _WILD.search(value)]
    parts = [f"{name} glob {quoted(value)}" for value in values if _WILD.search(value)]
    if len(plain) == 1:
        parts.insert(0, f"{name} = {quoted(plain[0])}")
    elif plain:
        parts.insert(0, f"{name} in {listed(plain)}")
    return " or ".join(parts)


def equalities(fields: Mapping[str, Any]) -> str:
    """`{name: value or [values]}` as a condition: all of them hold."""
    return " and ".join(_equal(name, value) for name, value in fields.items())


def _equal(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"{name} in {listed(_text(item) for item in value)}"
    return f"{name} = {quoted(_text(value))}"


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def listed(values: Iterable[str]) -> str:
    """`(a, "b c")`."""
    return f"({', '.join(quoted(value) for value in values)})"


def quoted(text: str) -> str:
    """A value as a condition takes it: bare where that is safe."""
    if _BARE.fullmatch(text) and text not in _WORDS:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
