"""Conditions of many rules as one web: equal parts are one node, so that they are compiled once and worked out once.

Falco's rules share their macros; a hundred of them are a few hundred different checks. A node is simplified by what is
known before an event is looked at (`Facts`): the system call, whether it is in a container. Pure.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from seawall.runtime.detect import transform
from seawall.runtime.detect.condition import MAX_DEPTH, Check, Lists, compile_check, every, members, some, verify
from seawall.runtime.detect.fields import FIELDS, Getter
from seawall.runtime.model import Event

Fact = Callable[[str, Any], bool | None]
"""(operator, value) → whether the check holds, None where that is not known yet."""
Facts = Mapping[str, Fact]

MERGED = {"=": "in", "in": "in", "startswith": "startswith", "endswith": "endswith", "contains": "contains"}
"""Operators of which `a or b` on one field is one check."""
DEAR = frozenset(["many", "bytes", "net", "ports"])
"""Types whose checks are worth remembering for the rest of an event."""
_WORDS = (
    "proc.cmdline proc.args proc.pcmdline proc.env fd.name fd.directory fd.filename evt.type fd.typechar evt.res "
    "thread.cap_effective thread.cap_permitted container.image.repository evt.args proc.exename fd.type stdio.sockets "
    "fd.inner_path fd.sport fd.fs file.host_path file.written file.written_name proc.own_name proc.own_anames "
    "proc.by_package_manager proc.by_runtime proc.is_shell proc.insidename evt.arg.flags"
)
DEAR_FIELDS = frozenset(_WORDS.split())
"""Fields that are worked out once an event."""


_SELDOM = (
    "proc.is_shell proc.by_package_manager proc.by_runtime evt.failed evt.blocked proc.by_exec proc.is_exe_from_memfd "
    "proc.is_exe_deleted"
)
_MOSTLY = "fd.typechar evt.is_open_write fd.sockfamily container.name"
ODDS = dict.fromkeys(_SELDOM.split(), 0.95) | dict.fromkeys(_MOSTLY.split(), 0.1) | {"fd.type": 0.4}
"""How often a check for being so, or one of these, does not hold, where that is known better than by its operator."""


class Node:
    """A part of a condition: `and`, `or` or `not` of parts, or a check. Equal ones of a web are the same object."""

    __slots__ = ("check", "cost", "kind", "odds", "parts", "users", "when")

    def __init__(self, kind: str, parts: tuple["Node", ...], when: Sequence[Any], cost: int) -> None:
        self.kind, self.parts, self.when, self.cost = kind, parts, when, cost
        self.odds = round(100 * _odds(kind, parts, when))
        """About how often it does not hold, in percent."""
        self.check: Check | None = None
        self.users = 0

    def __hash__(self) -> int:
        return hash((self.kind, *map(id, self.parts), repr(self.when)))

    def __eq__(self, other: object) -> bool:
        """For the web alone, in which equal parts are the same: written alike, because 1 is not True here."""
        if not isinstance(other, Node) or (self.kind, len(self.parts)) != (other.kind, len(other.parts)):
            return False
        same = all(one is two for one, two in zip(self.parts, other.parts, strict=True))
        return same and repr(self.when) == repr(other.when)


class Web:
    """All nodes of one plan. `turn` has to grow from event to event: what is remembered holds for one turn."""

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self.turn = [0]
        self.true, self.false = Node("true", (), (), 0), Node("false", (), (), 0)
        self._known: dict[Node, Node] = {}
        self._sources: dict[str, transform.Source] = {}
        self._sets: dict[frozenset[Any], frozenset[Any]] = {}

    def node(self, when: Sequence[Any], depth: int = 0) -> Node:
        """Of a condition's form. Raises ValueError or KeyError on a form that parse.py would not have made."""
        if depth > MAX_DEPTH:
            raise ValueError(f"condition is nested deeper than {MAX_DEPTH}")
        if when[0] == "not":
            return self.inverted(self.node(when[1], depth + 1))
        if when[0] in ("and", "or"):
            return self.joined(when[0], [self.node(part, depth + 1) for part in when[1:]])
        return self._leaf(when)

    def inverted(self, node: Node) -> Node:
        """Not that."""
        if node is self.true or node is self.false:
            return self.false if node is self.true else self.true
        return node.parts[0] if node.kind == "not" else self._made("not", (node,))

    def joined(self, kind: str, parts: Sequence[Node]) -> Node:
        """`and` or `or` of parts, flat, without repeats, first what is likely to decide it at little cost."""
        decided, idle = (self.false, self.true) if kind == "and" else (self.true, self.false)
        flat: dict[int, Node] = {}
        for part in parts:
            for one in part.parts if part.kind == kind else (part,):
                flat[id(one)] = one
        flat.pop(id(idle), None)
        if id(decided) in flat:
            return decided
        kept = list(flat.values())
        if kind == "or":
            kept = self._merged(kept)
        if len(kept) < 2:
            return kept[0] if kept else idle
        if kind == "and":
            return self._made(kind, tuple(sorted(kept, key=lambda one: one.cost / one.odds)))
        return self._made(kind, tuple(sorted(kept, key=lambda one: one.cost / (101 - one.odds))))

    def simplified(self, node: Node, facts: Facts, done: dict[int, Node]) -> Node:
        """What remains of it under the facts; `done` remembers for further nodes under the same."""
        found = done.get(id(node))
        if found is None:
            found = done[id(node)] = self._simplified(node, facts, done)
        return found

    def checker(self, node: Node) -> Check:
        """Its closure."""
        if node.check is None:
            check = self._closure(node)
            dear = node.users > 1 and (node.cost > 8 or (node.kind == "leaf" and node.cost > 4))
            node.check = _remembered(check, self.turn) if dear else check
        return node.check

    def _closure(self, node: Node) -> Check:
        if node.kind in ("true", "false"):
            answer = node.kind == "true"
            return lambda _: answer
        if node.kind == "leaf":
            return compile_check(node.when, self.lists, self._source, self._held)
        if node.kind == "not":
            inner = self.checker(node.parts[0])
            return lambda event: not inner(event)
        parts = [self.checker(part) for part in node.parts]
        return every(parts) if node.kind == "and" else some(parts)

    def getter(self, name: str) -> Getter:
        """Of a field, remembered where that pays."""
        return self._source(name).get

    def _held(self, values: Sequence[Any]) -> Collection[Any]:
        """One set for all checks of the same values, in whatever field."""
        found = members(values)
        return self._sets.setdefault(found, found) if isinstance(found, frozenset) else found

    def _source(self, form: Any) -> transform.Source:
        if not isinstance(form, str):
            return transform.source(form)
        found = self._sources.get(form)
        if found is None:
            found = transform.source(form)
            if form in DEAR_FIELDS or found.type in DEAR:
                found = transform.Source(found.type, _remembered(found.get, self.turn), found.name)
            self._sources[form] = found
        return found

    def _leaf(self, when: Sequence[Any]) -> Node:
        made = Node("leaf", (), when, _cost(when))
        found = self._known.get(made)
        if found is None:
            verify(when, self.lists)
            found = self._known[made] = made
        return found

    def _made(self, kind: str, parts: tuple[Node, ...]) -> Node:
        made = Node(kind, parts, (), sum(part.cost for part in parts) + 1)
        found = self._known.setdefault(made, made)
        if found is made:
            for part in parts:
                part.users += 1
        return found

    def _merged(self, parts: list[Node]) -> list[Node]:
        groups: dict[tuple[str, str], list[Node]] = {}
        rest: list[Node] = []
        for part in parts:
            place = _mergeable(part)
            if place is None:
                rest.append(part)
            else:
                groups.setdefault(place, []).append(part)
        for (operator, field), same in groups.items():
            if len(same) == 1:
                rest += same
            else:
                values = sorted({value for one in same for value in self._values(one)})
                rest.append(self._leaf([operator if operator == "in" else f"{operator} anyof", field, values]))
        return rest

    def _values(self, leaf: Node) -> Sequence[Any]:
        value = leaf.when[2]
        if leaf.when[0] in ("in", "startswith anyof", "endswith anyof", "contains anyof"):
            return self.lists[value] if isinstance(value, str) else value
        return (value,)

    def _simplified(self, node: Node, facts: Facts, done: dict[int, Node]) -> Node:
        if node.kind == "leaf":
            fact = facts.get(node.when[1]) if isinstance(node.when[1], str) else None
            if fact is None or (len(node.when) > 2 and isinstance(node.when[2], dict)):
                return node
            value = None if node.when[0] == "exists" else node.when[2]
            if isinstance(value, str) and node.when[0] in ("in", "intersects", "pmatch"):
                value = self.lists[value]
            answer = fact(node.when[0], value)
            return node if answer is None else self.true if answer else self.false
        if node.kind == "not":
            return self.inverted(self.simplified(node.parts[0], facts, done))
        if node.kind in ("and", "or"):
            parts = [self.simplified(part, facts, done) for part in node.parts]
            if all(one is other for one, other in zip(parts, node.parts, strict=True)):
                return node
            return self.joined(node.kind, parts)
        return node


def leaves(node: Node) -> Iterator[Node]:
    """All checks in a node, with repeats."""
    if node.kind == "leaf":
        yield node
    for part in node.parts:
        yield from leaves(part)


def known(value: Any) -> Fact:
    """The fact that a field has this value."""

    def fact(operator: str, other: Any) -> bool | None:
        if operator == "exists":
            return value not in (None, "")
        if operator in ("in", "intersects"):
            return value in other
        return {"=": value == other, "!=": value != other}.get(operator)

    return fact


def positive(operator: str, other: Any) -> bool | None:
    """The fact of a number that it is more than 0."""
    if operator == "exists":
        return True
    return {"=": False, "!=": True, ">=": True, ">": True}.get(operator) if other == 0 else None


def not_host(operator: str, other: Any) -> bool | None:
    """The fact of a container's id that it is some container's."""
    if operator == "exists":
        return True
    if operator in ("in", "intersects"):
        return False if set(other) == {"host"} else None
    return {"=": False, "!=": True}.get(operator) if other == "host" else None


def _mergeable(node: Node) -> tuple[str, str] | None:
    if node.kind != "leaf" or len(node.when) < 3 or isinstance(node.when[2], dict):
        return None
    operator, field = str(node.when[0]).removesuffix(" anyof"), node.when[1]
    if operator not in MERGED or not isinstance(field, str):
        return None
    plain = FIELDS.get(field.partition("[")[0])
    if plain is None or plain.type != "text":
        return None
    return MERGED[operator], field


def _odds(kind: str, parts: tuple[Node, ...], when: Sequence[Any]) -> float:
    """A guess: what is named is seldom, what is excluded is seldom too."""
    if kind == "leaf":
        return {"!=": 0.1, ">=": 0.1, ">": 0.1, "exists": 0.2, "<": 0.3, "<=": 0.3}.get(when[0], _odds_of(when))
    if kind == "not":
        return max(0.03, 1 - parts[0].odds / 100)
    product = 1.0
    for part in parts:
        product *= (part.odds if kind == "or" else 100 - part.odds) / 100
    return min(0.99, max(0.03, product if kind == "or" else 1 - product))


def _odds_of(when: Sequence[Any]) -> float:
    known = ODDS.get(when[1]) if isinstance(when[1], str) and when[0] in ("=", "in") else None
    if known is not None:
        return known if when[2] is not False else 1 - known
    return 0.5 if len(when) > 2 and isinstance(when[2], bool) else 0.92


def _cost(when: Sequence[Any]) -> int:
    """About how long a check takes; a plain field's comparison is 1."""
    if not isinstance(when[1], str):
        return 20
    field = FIELDS[when[1].partition("[")[0]]
    cost = {"many": 10, "bytes": 6, "net": 5}.get(field.type, 1)
    if when[1] in DEAR_FIELDS:
        cost += 6 if when[1].startswith("evt.arg") else 2
    if "[" in when[1]:
        cost = 3
    operator = str(when[0]).partition(" ")[0]
    return cost + {"regex": 40, "glob": 5, "iglob": 5, "icontains": 3, "contains": 2, "pmatch": 3}.get(operator, 0)


def _remembered(read: Callable[[Event], Any], turn: list[int]) -> Callable[[Event], Any]:
    """The same answer for one turn, worked out once."""
    seen, answer = -1, None

    def get(event: Event) -> Any:
        nonlocal seen, answer
        if seen != turn[0]:
            answer = read(event)
            seen = turn[0]
        return answer

    return get
