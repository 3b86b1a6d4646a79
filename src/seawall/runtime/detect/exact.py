"""Which blocking rules the kernel can decide by itself: those whose condition says exactly what a table can say.

`reach.py` bounds a condition from above, so that nothing is missed; here nothing may be added, because what the
kernel refuses on a container's behalf did not happen. A rule that says more, or that somebody has waived, is left to
the means that look at whole events. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from seawall.runtime.model import Kind, Plan, Rule

MAX_EACH = 256
"""Entries of one table."""
Lists = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Denials:
    """What tasks of containers may not do."""

    exec_paths: frozenset[str] = frozenset()
    exec_prefixes: frozenset[str] = frozenset()
    """Folders, each with a closing slash."""
    exec_names: frozenset[str] = frozenset()
    write_paths: frozenset[str] = frozenset()
    write_prefixes: frozenset[str] = frozenset()
    write_names: frozenset[str] = frozenset()
    peers: frozenset[str] = frozenset()
    """Addresses and networks, as they are written in rules."""
    calls: frozenset[str] = frozenset()
    """mount, ptrace, bpf …"""
    marks: frozenset[str] = frozenset()
    """memfd: become a program that exists in memory only."""

    def __or__(self, other: "Denials") -> "Denials":
        return Denials(*(getattr(self, each.name) | getattr(other, each.name) for each in fields(self)))

    def fits(self) -> bool:
        """Whether the kernel side's tables hold it."""
        return all(len(getattr(self, each.name)) <= MAX_EACH for each in fields(self))


NOTHING = Denials()
_TABLES = {Kind.EXEC: "exec", Kind.OPEN: "write", Kind.CONNECT: "peers", Kind.MOUNT: "calls", Kind.PTRACE: "calls"}
_PATHS = {Kind.EXEC: "proc.exepath", Kind.OPEN: "fd.name"}
_NAMES = {Kind.EXEC: "proc.exename", Kind.OPEN: "fd.filename"}
_ADDRESSES = ("fd.ip", "fd.sip", "fd.rip", "fd.net", "fd.snet", "fd.rnet")
_ALWAYS = (["!=", "container.id", "host"], ["=", "evt.is_open_write", True], [">=", "evt.rawres", 0])
"""True of whatever a container is about to do."""


def denials(plan: Plan) -> Denials:
    """What the plan's blocking rules deny exactly. A rule that overflows a table is left to other means."""
    total = NOTHING
    for rule in plan.rules:
        if rule.enabled and rule.action == "block" and not _lifted(rule, plan):
            found = total | _of(rule, plan.lists)
            total = found if found.fits() else total
    return total


def _lifted(rule: Rule, plan: Plan) -> bool:
    waived = any(not waiver.rules or rule.id in waiver.rules for waiver in plan.waivers)
    return waived or any(
        other.enabled and other.action == "allow" and other.category == rule.category for other in plan.rules
    )


def _of(rule: Rule, lists: Lists) -> Denials:
    total = NOTHING
    for kind in rule.kinds:
        if kind in _TABLES:
            total |= _exactly(rule.when, kind, lists) or NOTHING
    return total


def _exactly(when: Sequence[Any], kind: Kind, lists: Lists) -> Denials | None:
    """The table that says what the condition says; None when none does."""
    if when[0] == "or":
        parts = [_exactly(part, kind, lists) for part in when[1:]]
        total = NOTHING
        for part in parts:
            if part is None:
                return None
            total |= part
        return total
    rest = [part for part in (when[1:] if when[0] == "and" else [when]) if not _sure(part, kind, lists)]
    if not rest:
        return Denials(calls=frozenset([kind.value])) if _TABLES[kind] == "calls" else None
    return _table(rest[0], kind, lists) if len(rest) == 1 else None


def _sure(part: Sequence[Any], kind: Kind, lists: Lists) -> bool:
    if list(part) in _ALWAYS:
        return True
    if part[0] == "or":
        return any(_sure(each, kind, lists) for each in part[1:])
    if part[0] in ("=", "in") and part[1] == "evt.kind":
        return kind.value in _values(part, lists)
    return False


def _table(part: Sequence[Any], kind: Kind, lists: Lists) -> Denials | None:
    if part[0] == "or":
        return _exactly(part, kind, lists)
    if kind is Kind.EXEC and list(part) == ["=", "proc.is_exe_from_memfd", True]:
        return Denials(marks=frozenset(["memfd"]))
    if part[0] not in ("=", "in", "startswith", "pmatch"):
        return None
    values, field, table = _values(part, lists), part[1], _TABLES[kind]
    if kind is Kind.CONNECT:
        return Denials(peers=values) if field in _ADDRESSES and part[0] in ("=", "in") else None
    if field == _NAMES.get(kind) and part[0] in ("=", "in"):
        return Denials(**{f"{table}_names": values})
    if field != _PATHS.get(kind):
        return None
    if part[0] == "startswith":
        return Denials(**{f"{table}_prefixes": values}) if all(value.endswith("/") for value in values) else None
    if part[0] == "pmatch":
        plain = frozenset(value.rstrip("/") for value in values)
        folders = frozenset(value + "/" for value in plain)
        return Denials(**{f"{table}_paths": plain, f"{table}_prefixes": folders})
    return Denials(**{f"{table}_paths": values})


def _values(part: Sequence[Any], lists: Lists) -> frozenset[str]:
    value = part[2]
    if part[0] in ("in", "pmatch"):
        return frozenset(lists[value] if isinstance(value, str) else value)
    return frozenset([str(value)])
