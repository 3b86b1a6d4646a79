"""Which rules to ask of an event, and how: all that makes judging quick is here.

Rules are sorted by what an event is (its kind, its system call, inside a container or on the host), the first time such
an event comes: what is certain by then falls out of their conditions, and rules that cannot hold fall out whole. Of the
rest, those that hold for named programs alone are found by the name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seawall.runtime.detect import nodes
from seawall.runtime.detect.condition import Check, Lists, fields_of
from seawall.runtime.detect.fields import FIELDS, Getter, resolve
from seawall.runtime.detect.fields.event import SYSCALLS
from seawall.runtime.model import Event, Kind, Rule

MAX_SORTS = 256
"""Different sorts of events that are kept ready; a node sees about forty."""
KEYS = ("proc.name", "proc.pname", "proc.exename", "evt.arg.request", "fd.filename", "fd.port", "fd.sport", "fd.sip")
"""Fields by whose value rules are found."""
PATHS = ("fd.name", "file.written")
"""And the path of a file, by its first folder or its last component."""
_FOLDERS = {"fd.filename": "fd.name", "fd.directory": "fd.name"}
MIN_KEYED = 2
"""So many rules are worth a look-up."""

MAX_NAMES = 40
"""Of a rule that is found by name; one of more is rather found by its path, if it has one."""

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


@dataclass(slots=True)
class _Sorted:
    """The judges of one sort of events."""

    always: tuple[Judge, ...]
    tables: tuple[tuple[Getter, dict[Any, tuple[Judge, ...]]], ...]
    paths: tuple[tuple[Getter, dict[Any, tuple[Judge, ...]]], ...]


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
        self._web.turn[0] += 1
        sort = (event.kind, event.syscall, event.process.container is not None)
        found = self._sorted.get(sort)
        if found is None:
            if len(self._sorted) >= MAX_SORTS:
                self._sorted.clear()
            found = self._sorted[sort] = self._sort(*sort)
        named: list[Judge] = []
        for get, table in found.tables:
            value = get(event)
            if isinstance(value, tuple):  # both ends of a socket
                named += {judge: None for one in value for judge in table.get(one, ())}
            else:
                named += table.get(value, ())
        for get, table in found.paths:
            path = get(event)
            if path is not None:
                named += table.get(first_folder(path), ())
                last = table.get(path[path.rfind("/") + 1 :])
                if last is not None:
                    named += [judge for judge in last if judge not in named]
        if not named:
            return found.always
        return sorted((*found.always, *named), key=_place)

    def holding(self, event: Event) -> list[Judge]:
        """Those that fire. Raises what a condition raises that cannot be worked out: ask one by one then."""
        return [judge for judge in self.of(event) if judge.check(event)]

    def _sort(self, kind: Kind, syscall: str, inside: bool) -> _Sorted:
        facts = facts_of(kind, syscall) | {"container.id": nodes.not_host if inside else nodes.known("host")}
        done: dict[int, nodes.Node] = {}
        always: list[Judge] = []
        keyed: dict[str, list[tuple[frozenset[Any], Judge]]] = {name: [] for name in (*KEYS, *PATHS)}
        for wanted in self._by_kind[kind]:
            node = self._web.simplified(wanted.node, facts, done)
            if node is self._web.false:
                continue
            judge = self._judge(wanted, node)
            name, values = self._key(node)
            if values is None:
                always.append(judge)
            else:
                keyed[name].append((values, judge))
        tables: list[tuple[Getter, dict[Any, tuple[Judge, ...]]]] = []
        paths = tuple((resolve(name).get, _table(entries)) for name in PATHS if (entries := keyed.pop(name)))
        for name, entries in keyed.items():
            if len(entries) < MIN_KEYED:
                always += [judge for _, judge in entries]
            else:
                tables.append((resolve(name).get, _table(entries)))
        return _Sorted(tuple(sorted(always, key=_place)), tuple(tables), paths)

    def _judge(self, wanted: _Wanted, node: nodes.Node) -> Judge:
        key = (id(wanted), id(node))
        judge = self._made.get(key)
        if judge is None:
            place = self._places[wanted.rule.id]
            judge = Judge(wanted.rule, self._web.checker(node), wanted.identity, place)
            self._made[key] = judge
        return judge

    def _key(self, node: nodes.Node) -> tuple[str, frozenset[Any] | None]:
        """The field by which a rule is best found, and the values it can have then."""
        best: tuple[str, frozenset[Any] | None] = ("", None)
        for name in KEYS:
            values = allowed(node, name, self._web.lists)
            if values is not None and (best[1] is None or len(values) < len(best[1])):
                best = (name, values)
        if best[1] is None or len(best[1]) > MAX_NAMES:
            for name in PATHS:
                paths = allowed(node, name, self._web.lists)
                if paths is not None:
                    return name, paths
        return best


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


def allowed(node: nodes.Node, name: str, lists: Lists) -> frozenset[Any] | None:
    """The values of a text field for which a node can hold; None if they are not bounded."""
    if node.kind == "and":
        known = [found for part in node.parts if (found := allowed(part, name, lists)) is not None]
        return min(known, key=len) if known else None
    if node.kind == "or":
        total: frozenset[Any] = frozenset()
        for part in node.parts:
            found = allowed(part, name, lists)
            if found is None:
                return None
            total |= found
        return total
    if node.kind == "false":
        return frozenset()
    if node.kind != "leaf" or len(node.when) < 3 or isinstance(node.when[2], dict) or isinstance(node.when[1], list):
        return None
    if name in PATHS:
        return _paths(node.when, name, lists)
    if node.when[1] != name:
        return None
    if FIELDS[name].type == "net" and not _addresses(node.when[2]):
        return None
    if node.when[0] == "=":
        return frozenset([node.when[2]])
    if node.when[0] not in ("in", "intersects"):
        return None
    value = node.when[2]
    return frozenset(lists[value] if isinstance(value, str) else value)


def first_folder(path: str) -> str:
    """`/etc/` of /etc/cron.d/x, `/` of /x."""
    end = path.find("/", 1)
    return path[: end + 1] if end > 0 else "/"


def _addresses(value: Any) -> bool:
    """Written as the sensor writes them: networks and the many ways of IPv6 are none."""
    values = [value] if isinstance(value, str) else value
    return all(isinstance(one, str) and "." in one and "/" not in one and ":" not in one for one in values)


def _paths(when: Sequence[Any], name: str, lists: Lists) -> frozenset[Any] | None:
    """The first folders and last components of the paths for which a check can hold; the former end in a slash."""
    if name != when[1] and _FOLDERS.get(when[1]) != name:
        return None
    operator, _, quantifier = str(when[0]).partition(" ")
    value = when[2]
    if (quantifier or operator in ("in", "intersects", "pmatch")) and isinstance(value, str):
        value = lists[value]
    if quantifier == "allof":
        return None
    values = (value,) if isinstance(value, str) else tuple(value)
    if operator in ("=", "in", "intersects"):
        if when[1] == "fd.filename":
            return frozenset(values)
        if when[1] == "fd.directory":
            return frozenset(first_folder(one.rstrip("/") + "/x") for one in values)
        return frozenset(map(first_folder, values)) if when[1] == name else None
    if when[1] != name:
        return None
    if operator == "startswith" and all(one.find("/", 1) > 0 for one in values):
        return frozenset(map(first_folder, values))
    if operator == "pmatch" and all(one.strip("/") for one in values):
        return frozenset(folder for one in values for folder in (first_folder(one), first_folder(one + "/")))
    if operator == "endswith" and all("/" in one and not one.endswith("/") for one in values):
        return frozenset(one[one.rfind("/") + 1 :] for one in values)
    return None


def _place(judge: Judge) -> int:
    return judge.place


def _table(entries: list[tuple[frozenset[Any], Judge]]) -> dict[Any, tuple[Judge, ...]]:
    found: dict[Any, list[Judge]] = {}
    for values, judge in entries:
        for value in values:
            found.setdefault(value, []).append(judge)
    return {value: tuple(judges) for value, judges in found.items()}
