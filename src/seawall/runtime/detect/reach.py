"""What the kernel side must let through for a set of rules, derived from their conditions.

Soundness is the point: a filter may let too much through, never too little. An open rule whose condition does not
bound the path is refused at compile time, because in the kernel it would mean every open of the node; Falco's rules
and users' own that say so are taken, and make the kernel side send every open of containers (`wide`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seawall.runtime.detect import nodes
from seawall.runtime.detect.condition import fields_of
from seawall.runtime.detect.fields.event import SYSCALLS
from seawall.runtime.detect.judges import facts_of
from seawall.runtime.model import Category, Kind, Rule

MAX_PATHS, MAX_PREFIXES, MAX_NAMES, MAX_PREFIX_BYTES = 256, 128, 192, 64
ALWAYS = (Kind.EXEC, Kind.EXIT, Kind.FORK)
"""The process table needs these whatever the rules say."""
FROM_ELSEWHERE = frozenset({Kind.START, Kind.LOAD, Kind.SCAN})
"""The kernel side knows nothing of these."""
NAMED = frozenset({Kind.CALL, Kind.SEND})
"""Kinds of which only the calls that rules name are sent."""
PATHS = (Kind.OPEN, Kind.READ)
"""Kinds of which only the paths that rules name are sent."""
OPENS = ("open", "openat", "openat2", "creat", "open_by_handle_at")
KINDS: Mapping[str, tuple[Kind, ...]] = {
    **dict.fromkeys(("execve", "execveat"), (Kind.EXEC,)),
    **dict.fromkeys(("clone", "clone3"), (Kind.FORK, Kind.CALL)),  # with a new namespace it is a CALL too
    **dict.fromkeys(("fork", "vfork"), (Kind.FORK,)),
    **dict.fromkeys(("exit", "exit_group", "procexit"), (Kind.EXIT,)),
    **dict.fromkeys(OPENS, (Kind.OPEN, Kind.READ)),
    "open_by_handle_at": (Kind.OPEN, Kind.READ, Kind.CALL),
    **dict.fromkeys(("dup", "dup2", "dup3"), (Kind.DUP,)),
    **dict.fromkeys(("sendto", "sendmsg", "sendmmsg"), (Kind.SEND,)),
    **{name: (kind,) for kind, name in SYSCALLS.items() if kind in (Kind.CONNECT, Kind.SETNS, Kind.UNSHARE)},
    **{name: (kind,) for kind, name in SYSCALLS.items() if kind in (Kind.PTRACE, Kind.MOUNT)},
}
"""The kinds of event that a system call comes as; any other is a CALL."""
_PEOPLE = frozenset(["user.name", "user.loginname", "group.name", "evt.arg.uid"])
_UNNAMED = "?"
"""A call that no rule names."""

ALWAYS_SENT = (("=", "fd.filetype", "block"), ("=", "fd.is_foreign", True), ("=", "evt.rawres", -26))
"""Opens that the kernel side sends of containers whatever their path: disks, files of another mount namespace, running
programs that somebody tried to write. Likewise it sends the first write of every file as a sample."""

Lists = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reach:
    """A superset of the values that can make a condition true."""

    paths: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    """Folders, each with a closing slash."""
    names: frozenset[str] = frozenset()
    """Last components."""

    def __or__(self, other: "Reach") -> "Reach":
        return Reach(self.paths | other.paths, self.prefixes | other.prefixes, self.names | other.names)

    @property
    def size(self) -> int:
        """Smaller is more selective; a folder lets more through than a name, a name more than a path."""
        return len(self.paths) + 4 * len(self.names) + 16 * len(self.prefixes)


Atom = Callable[[str, str, Any], Reach | None]


def bound(when: Sequence[Any], atom: Atom, lists: Lists) -> Reach | None:
    """The values within which `when` can be true, or None when nothing bounds it."""
    return _bound(nodes.Web(lists).node(when), atom, lists)


def _bound(node: nodes.Node, atom: Atom, lists: Lists) -> Reach | None:
    if node.kind == "and":
        known = [found for part in node.parts if (found := _bound(part, atom, lists)) is not None]
        return min(known, key=lambda reach: reach.size) if known else None
    if node.kind == "or":
        total = Reach()
        for part in node.parts:
            found = _bound(part, atom, lists)
            if found is None:
                return None
            total |= found
        return total
    if node.kind == "false":
        return Reach()
    when = node.when
    if node.kind != "leaf" or len(when) < 3 or isinstance(when[2], dict) or not isinstance(when[1], str):
        return None
    operator, _, quantifier = str(when[0]).partition(" ")
    if quantifier == "allof":
        return None
    value = when[2]
    if (quantifier or operator in ("in", "intersects", "pmatch")) and isinstance(value, str):
        value = lists[value]
    if not quantifier:
        return atom(operator, when[1], value)
    total = Reach()
    for one in value:
        found = atom(operator, when[1], one)
        if found is None:
            return None
        total |= found
    return total


def path_atom(operator: str, field: str, value: Any) -> Reach | None:
    """How one check on the path of an open bounds it."""
    if (operator, field, value) in ALWAYS_SENT or field == "file.host_path":
        return Reach()
    if field in ("fd.filename", "file.written_name") and operator in ("=", "in", "intersects"):
        return Reach(names=frozenset([value] if operator == "=" else value))
    if field == "fd.directory" and operator in ("=", "in", "intersects"):
        folders = [value] if operator == "=" else value
        return Reach(prefixes=frozenset(folder.rstrip("/") + "/" for folder in folders))
    if field not in ("fd.name", "file.canonical", "file.written"):  # the kernel side compares canonical paths too
        return None
    if operator in ("=", "in", "intersects"):
        return Reach(paths=frozenset([value] if operator == "=" else value))
    if operator == "startswith":
        return _prefix(value)
    if operator == "endswith":
        return Reach(names=frozenset([value.rpartition("/")[2]])) if "/" in value.rstrip("/") else None
    if operator == "pmatch":
        plain = [path.rstrip("/") for path in value]
        return Reach(paths=frozenset(plain), prefixes=frozenset(path + "/" for path in plain))
    return _pattern(value) if operator == "glob" else None


def _pattern(pattern: str) -> Reach | None:
    last = pattern.rpartition("/")[2]
    if "/" in pattern and last and not set("*?[") & set(last):
        return Reach(names=frozenset([last]))
    fixed = pattern[: min(pattern.find(mark) for mark in "*?[" if mark in pattern)] if last else pattern
    return _prefix(fixed)


def _prefix(text: str) -> Reach | None:
    folder = text[: text.rfind("/") + 1]
    return Reach(prefixes=frozenset([folder])) if folder not in ("", "/") else None


def program_atom(operator: str, field: str, value: Any) -> Reach | None:
    """How one check bounds the name of the running program."""
    if field in ("proc.exename", "proc.name") and operator in ("=", "in", "intersects"):
        return Reach(names=frozenset([value] if operator == "=" else value))
    return None


def only_containers(when: Sequence[Any]) -> bool:
    """True if the condition can hold for processes of containers alone."""
    web = nodes.Web({})
    return _only_containers(web, web.node(when))


def _only_containers(web: nodes.Web, node: nodes.Node) -> bool:
    """On the host container.id is host and all else of a container is absent."""
    if web.simplified(node, {"container.id": nodes.known("host")}, {}) is web.false:
        return True
    if node.kind == "and":
        return any(_only_containers(web, part) for part in node.parts)
    if node.kind == "or":
        return all(_only_containers(web, part) for part in node.parts)
    if node.kind != "leaf" or not isinstance(node.when[1], str) or node.when[1] == "container.id":
        return False
    return node.when[1].startswith(("container.", "k8s."))


def kinds_of(when: Sequence[Any], lists: Lists) -> tuple[tuple[Kind, ...], frozenset[str] | None]:
    """The kinds of event on which a condition can hold, and the system calls it names; None if it holds for any."""
    web = nodes.Web(lists)
    node = web.node(when)
    calls: set[str] = set()
    kinds: set[Kind] = set()
    for call in (*_named(node, lists), _UNNAMED):
        for kind in KINDS.get(call, (Kind.CALL,)):
            if web.simplified(node, facts_of(kind, call), {}) is not web.false:
                if call == _UNNAMED:
                    return tuple(kind for kind in Kind if kind not in FROM_ELSEWHERE), None
                kinds.add(kind)
                calls.add(call)
    return tuple(kind for kind in Kind if kind in kinds), frozenset(calls)


def _named(node: nodes.Node, lists: Lists) -> Iterator[str]:
    """The system calls that a condition names. One compared in another way could be any."""
    seen: set[str] = set()
    for leaf in nodes.leaves(node):
        if leaf.when[1] != "evt.type" or len(leaf.when) < 3 or isinstance(leaf.when[2], dict):
            continue
        value = leaf.when[2]
        if leaf.when[0] in ("in", "intersects") and isinstance(value, str):
            value = lists[value]
        seen.update([value] if isinstance(value, str) else value)
    yield from sorted(seen)


@dataclass(slots=True)
class _Needs:
    """What the kernel side must send for one rule."""

    paths: dict[Kind, Reach | None]
    """Of opens and reads: the paths, None for all."""
    calls: frozenset[str]
    unnamed: bool
    """Could hold for a call that it does not name."""
    host: bool
    """Could hold outside containers."""


def _needs(rule: Rule, lists: Lists) -> _Needs:
    web = nodes.Web(lists)
    node = web.node(rule.when)
    paths: dict[Kind, Reach | None] = {}
    named = tuple(_named(node, lists))
    for kind in PATHS:
        if kind not in rule.kinds:
            continue
        total: Reach | None = Reach()
        for call in [name for name in named if name in OPENS] or ["openat"]:
            left = web.simplified(node, facts_of(kind, call), {})
            found = _bound(left, path_atom, lists)
            total = None if total is None or found is None else total | found
        paths[kind] = total
    wanted = [kind for kind in rule.kinds if kind in NAMED]
    calls = {
        call
        for call in named
        for kind in KINDS.get(call, (Kind.CALL,))
        if kind in wanted and web.simplified(node, facts_of(kind, call), {}) is not web.false
    }
    unnamed = Kind.CALL in wanted and web.simplified(node, facts_of(Kind.CALL, _UNNAMED), {}) is not web.false
    return _Needs(paths, frozenset(calls), unnamed, not _only_containers(web, node))


def problem(rule: Rule, lists: Lists) -> str:
    """Why the kernel side cannot serve a rule; "" if it can. Of a rule that may be wide, nothing is in the way."""
    if rule.source == "falco" or rule.wide:
        return ""
    needs = _needs(rule, lists)
    for kind, reach in needs.paths.items():
        if reach is None:
            mend = "add fd.name in (…), fd.name startswith /folder/ or fd.filename"
            other = "; or, if every one of them has to be seen, wide: true" if rule.source == "user" else ""
            return f"its condition does not bound the path of {kind} events: {mend}{other}"
        long = [prefix for prefix in reach.prefixes if len(prefix.encode()) > MAX_PREFIX_BYTES]
        if long:
            return f"the folder {long[0]} is longer than {MAX_PREFIX_BYTES} bytes: bound it by a shorter one"
    if needs.unnamed:
        return "its condition does not name the system calls of call events: add evt.type in (…)"
    return ""


def wide(rule: Rule, lists: Lists) -> Iterator[str]:
    """What a rule costs because its condition bounds too little, in words."""
    for kind, reach in _needs(rule, lists).paths.items():
        if reach is None:
            what = "read" if kind is Kind.READ else "written"
            everywhere = f"every file that a container has {what} is looked at for it"
            yield f"its condition does not bound the path: {everywhere}, on the host those that other rules name"


def filters(rules: Iterable[Rule], lists: Lists) -> dict[str, Any]:
    """`Plan.filters` for the enabled ones of `rules`. Raises ValueError when a table of the kernel side overflows."""
    enabled = [rule for rule in rules if rule.enabled]
    reach = {kind: Reach() for kind in PATHS}
    everywhere: set[Kind] = set()
    broad: set[Kind] = set()
    calls: set[str] = set()
    calls_host: set[str] = set()
    names: frozenset[str] = frozenset()
    for rule in enabled:
        needs = _needs(rule, lists)
        for kind, found in needs.paths.items():
            if found is None:
                broad.add(kind)
            else:
                reach[kind] |= _short(found)
            if needs.host:
                everywhere.add(kind)
        calls |= needs.calls
        calls_host |= needs.calls if needs.host else frozenset()
        if rule.action == "block" and rule.category is Category.REVERSE_SHELL and Kind.EXEC in rule.kinds:
            names |= (bound(rule.when, program_atom, lists) or Reach()).names
    _fits(reach, names)
    kinds = {*ALWAYS, *(kind for rule in enabled for kind in rule.kinds)} - FROM_ELSEWHERE
    return {
        "kinds": sorted(kind.value for kind in kinds),
        "samples": Kind.SCAN in {kind for rule in enabled for kind in rule.kinds},
        **{f"{kind}_paths": sorted(reach[kind].paths) for kind in PATHS},
        **{f"{kind}_prefixes": sorted(reach[kind].prefixes) for kind in PATHS},
        **{f"{kind}_names": sorted(reach[kind].names) for kind in PATHS},
        **{f"{kind}_scope": "all" if kind in everywhere else "container" for kind in PATHS},
        "wide": sorted(kind.value for kind in broad),
        "syscalls": sorted(calls),
        "syscalls_host": sorted(calls_host),
        "people": any(_asks_people(rule) for rule in enabled),
        "environment": any(
            "%proc.env" in rule.output or any(name.startswith("proc.env") for name in fields_of(rule.when))
            for rule in enabled
        ),
        "block": {"reverse_shell": {"names": sorted(names)}},
    }


def _asks_people(rule: Rule) -> bool:
    return not _PEOPLE.isdisjoint(fields_of(rule.when)) or any(f"%{name}" in rule.output for name in _PEOPLE)


def _short(reach: Reach) -> Reach:
    """Folders cut at the depth the kernel side compares; it lets more through then."""
    return Reach(reach.paths, frozenset(_cut(prefix) for prefix in reach.prefixes), reach.names)


def _cut(prefix: str) -> str:
    while len(prefix.encode("utf-8", "surrogateescape")) > MAX_PREFIX_BYTES:
        prefix = prefix.rstrip("/").rpartition("/")[0] + "/"
    return prefix


def _fits(reach: Mapping[Kind, Reach], names: frozenset[str]) -> None:
    tables = [("block.reverse_shell.names", names, MAX_NAMES)]
    for kind in PATHS:
        tables += [
            (f"{kind}_paths", reach[kind].paths, MAX_PATHS),
            (f"{kind}_prefixes", reach[kind].prefixes, MAX_PREFIXES),
            (f"{kind}_names", reach[kind].names, MAX_NAMES),
        ]
    for name, items, limit in tables:
        if len(items) > limit:
            raise ValueError(f"the rules need {len(items)} {name}, the kernel side takes {limit}")
