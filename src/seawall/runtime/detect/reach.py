"""What the kernel side must let through for a set of rules, derived from their conditions.

Soundness is the point: a filter may let too much through, never too little. An open rule whose condition does not
bound the path is refused at compile time, because in the kernel it would mean every open of the node.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seawall.runtime.model import Category, Kind, Rule

MAX_PATHS, MAX_PREFIXES, MAX_NAMES, MAX_PREFIX_BYTES = 256, 64, 64, 64
ALWAYS = (Kind.EXEC, Kind.EXIT, Kind.FORK)
"""The process table needs these whatever the rules say."""
FROM_ELSEWHERE = frozenset({Kind.START, Kind.SCAN})
"""The kernel side knows nothing of these."""

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
    if when[0] == "and":
        known = [found for part in when[1:] if (found := bound(part, atom, lists)) is not None]
        return min(known, key=lambda reach: reach.size) if known else None
    if when[0] == "or":
        total = Reach()
        for part in when[1:]:
            found = bound(part, atom, lists)
            if found is None:
                return None
            total |= found
        return total
    if when[0] in ("not", "exists"):
        return None
    value = lists[when[2]] if isinstance(when[2], str) and when[0] in ("in", "intersects", "pmatch") else when[2]
    return atom(when[0], when[1], value)


def path_atom(operator: str, field: str, value: Any) -> Reach | None:
    """How one check on the path of an open bounds it."""
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
    if when[0] == "and":
        return any(only_containers(part) for part in when[1:])
    if when[0] == "or":
        return all(only_containers(part) for part in when[1:])
    if when[0] in ("not", "exists"):
        return False
    if when[1] == "container.id":
        return bool(when[0] == "!=" and when[2] == "host")
    return str(when[1]).startswith(("container.", "k8s."))


def problem(rule: Rule, lists: Lists) -> str:
    """Why the kernel side cannot serve a rule; "" if it can."""
    if Kind.OPEN in rule.kinds:
        reach = bound(rule.when, path_atom, lists)
        if reach is None:
            return (
                "its condition does not bound the path: add fd.name in (…), fd.name startswith /folder/ or fd.filename"
            )
        long = [prefix for prefix in reach.prefixes if len(prefix.encode()) > MAX_PREFIX_BYTES]
        if long:
            return f"the folder {long[0]} is longer than {MAX_PREFIX_BYTES} bytes: bound it by a shorter one"
    return ""


def filters(rules: Iterable[Rule], lists: Lists) -> dict[str, Any]:
    """`Plan.filters` for the enabled ones of `rules`. Raises ValueError when a table of the kernel side overflows."""
    enabled = [rule for rule in rules if rule.enabled]
    opens = [rule for rule in enabled if Kind.OPEN in rule.kinds]
    reach, names = Reach(), frozenset[str]()
    for rule in opens:
        reach |= bound(rule.when, path_atom, lists) or Reach()
    for rule in enabled:
        if rule.action == "block" and rule.category is Category.REVERSE_SHELL and Kind.EXEC in rule.kinds:
            names |= (bound(rule.when, program_atom, lists) or Reach()).names
    tables = (
        ("open_paths", reach.paths, MAX_PATHS),
        ("open_prefixes", reach.prefixes, MAX_PREFIXES),
        ("open_names", reach.names, MAX_NAMES),
        ("block.reverse_shell.names", names, MAX_NAMES),
    )
    for name, items, limit in tables:
        if len(items) > limit:
            raise ValueError(f"the rules need {len(items)} {name}, the kernel side takes {limit}")
    return {
        "kinds": sorted(
            kind.value for kind in {*ALWAYS, *(kind for rule in enabled for kind in rule.kinds)} - FROM_ELSEWHERE
        ),
        "samples": any(Kind.SCAN in rule.kinds for rule in enabled),
        "open_paths": sorted(reach.paths),
        "open_prefixes": sorted(reach.prefixes),
        "open_names": sorted(reach.names),
        "open_scope": "container" if all(only_containers(rule.when) for rule in opens) else "all",
        "block": {"reverse_shell": {"names": sorted(names)}},
    }
