"""Which rules to ask of an event, and how: all that makes judging quick is here.

Rules are sorted by what an event is (its kind, its system call, inside a container or on the host), the first time such
an event comes: what is certain by then falls out of their conditions, and rules that cannot hold fall out whole. Of the
rest, those that hold for named programs or paths alone are found by the name (keys.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seawall.runtime.detect import keys, nodes
from seawall.runtime.detect.condition import Check, Lists, fields_of
from seawall.runtime.detect.fields import FIELDS, Getter
from seawall.runtime.detect.fields.event import SYSCALLS
from seawall.runtime.model import Event, Kind, Rule

MAX_SORTS = 256
"""Different sorts of events that are kept ready; a node sees about forty."""
MIN_KEYED = 2
"""So many rules are worth a look-up."""

Sort = tuple[Kind, str, bool]
"""Kind, system call, in a container."""


@dataclass(slots=True, eq=False)
class Judge:
    """One rule, ready to be asked."""

    rule: Rule
    check: Check
    identity: bool
    """Looks at who the container is, so it waits until that is known."""
    place: int = 0
    """Among the plan's rules."""

    @property
    def fields(self) -> frozenset[str]:
        """What it looks at; worked out anew, because it is rarely asked and there are many."""
        return frozenset(fields_of(self.rule.when))


Table = tuple[Getter, dict[Any, tuple[Judge, ...]]]
"""A field, and the rules that its value finds."""


@dataclass(slots=True)
class _Sorted:
    """The judges of one sort of events."""

    always: tuple[Judge, ...]
    tables: tuple[Table, ...]
    paths: tuple[Table, ...]


@dataclass(slots=True)
class _Wanted:
    rule: Rule
    node: nodes.Node
    identity: bool


class Judges:
    """The enabled ones of a plan's rules. Raises ValueError or KeyError on a condition that parse.py did not make."""

    def __init__(self, rules: Iterable[Rule], lists: Lists) -> None:
        self._web = nodes.Web(lists)
        self._by_kind: dict[Kind, list[_Wanted]] = {kind: [] for kind in Kind}
        self._sorted: dict[Sort, _Sorted] = {}
        self._made: dict[tuple[int, int], Judge] = {}
        self._places: dict[str, int] = {}
        for place, rule in enumerate(rule for rule in rules if rule.enabled):
            identity = any(_asks_identity(name) for name in fields_of(rule.when))
            node = self._web.node(rule.when)
            node.users += 1
            wanted = _Wanted(rule, node, identity)
            self._places[rule.id] = place
            for kind in rule.kinds:
                self._by_kind[kind].append(wanted)

    def of(self, event: Event) -> Sequence[Judge]:
        """Those that may fire on this event, in the order of the rules; no other can. Ask each before the next call."""
        found = self._begin(event)
        return sorted((*found.always, *_named(found, event)), key=_place)

    def holding(self, event: Event) -> list[Judge]:
        """Those that fire, in the same order. Raises what a condition raises that cannot be worked out: ask one by one
        then."""
        found = self._begin(event)
        holding = [judge for judge in found.always if judge.check(event)]
        named = _named(found, event)
        if named:
            holding += [judge for judge in named if judge.check(event)]
        return sorted(holding, key=_place) if len(holding) > 1 else holding

    def _begin(self, event: Event) -> _Sorted:
        self._web.turn[0] += 1
        sort = (event.kind, event.syscall, event.process.container is not None)
        found = self._sorted.get(sort)
        if found is None:
            if len(self._sorted) >= MAX_SORTS:
                self._sorted.clear()
            found = self._sorted[sort] = self._sort(*sort)
        return found

    def _sort(self, kind: Kind, syscall: str, inside: bool) -> _Sorted:
        facts = facts_of(kind, syscall) | {"container.id": nodes.not_host if inside else nodes.known("host")}
        done: dict[int, nodes.Node] = {}
        always: list[Judge] = []
        keyed: dict[str, list[tuple[keys.Values, Judge]]] = {}
        for wanted in self._by_kind[kind]:
            node = self._web.simplified(wanted.node, facts, done)
            if node is self._web.false:
                continue
            judge = self._judge(wanted, node)
            name, values = keys.best(node, self._web.lists)
            if values is None:
                always.append(judge)
            else:
                keyed.setdefault(name, []).append((values, judge))
        tables: list[Table] = []
        paths: list[Table] = []
        for name, entries in keyed.items():
            if name in keys.PATHS:
                paths.append((self._web.getter(name), _table(entries)))
            elif len(entries) < MIN_KEYED:
                always += [judge for _, judge in entries]
            else:
                tables.append((self._web.getter(name), _table(entries)))
        return _Sorted(tuple(sorted(always, key=_place)), tuple(tables), tuple(paths))

    def _judge(self, wanted: _Wanted, node: nodes.Node) -> Judge:
        key = (id(wanted), id(node))
        judge = self._made.get(key)
        if judge is None:
            place = self._places[wanted.rule.id]
            judge = Judge(wanted.rule, self._web.checker(node), wanted.identity, place)
            self._made[key] = judge
        return judge


def _asks_identity(name: str) -> bool:
    return FIELDS[name.partition("[")[0]].identity


def facts_of(kind: Kind, syscall: str) -> dict[str, nodes.Fact]:
    """What is certain of an event of this sort."""
    facts = {
        "evt.num": nodes.positive,
        "evt.kind": nodes.known(kind.value),
        "evt.type": nodes.known(syscall or SYSCALLS.get(kind, "")),
    }
    if kind is Kind.READ:
        facts |= {"evt.is_open_write": nodes.known(False), "evt.is_open_read": nodes.known(True)}
    elif kind is not Kind.OPEN:
        facts |= {name: nodes.known(False) for name in FIELDS if name.startswith("evt.is_open_")}
    return facts


def _named(sort: _Sorted, event: Event) -> list[Judge]:
    """Those that are found by what this event is about; none twice."""
    named: list[Judge] = []
    for get, table in sort.tables:
        value = get(event)
        if type(value) is tuple:  # both ends of a socket
            named += {judge: None for one in value for judge in table.get(one, ())}
        elif value in table:
            named += table[value]
    for get, table in sort.paths:
        path = get(event)
        if path is not None:
            found = [judges for one in keys.of_path(path) if (judges := table.get(one)) is not None]
            named += found[0] if len(found) == 1 else {judge: None for judges in found for judge in judges}
    return named


def _place(judge: Judge) -> int:
    return judge.place


def _table(entries: list[tuple[keys.Values, Judge]]) -> dict[Any, tuple[Judge, ...]]:
    found: dict[Any, list[Judge]] = {}
    for values, judge in entries:
        for value in values:
            found.setdefault(value, []).append(judge)
    return {value: tuple(judges) for value, judges in found.items()}
