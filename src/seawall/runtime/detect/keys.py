"""By which field's value a rule is found, and the values it can have when the rule's condition holds.

Bounds from above: a rule may be asked in vain, and is never missed. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seawall.runtime.detect import nodes
from seawall.runtime.detect.condition import Lists
from seawall.runtime.detect.fields import resolve

_COMMON = {"proc.is_shell": 15, "stdin.type": 2, "proc.origin": 2, "proc.script_origin": 2, "proc.aname[1]": 2}
_OTHERS = (
    "proc.name proc.pname proc.exename evt.arg.request fd.filename fd.port fd.sport fd.sip proc.relay net.indicator "
    "dns.indicator fd.filetype proc.profile sample.verdict proc.by_exec file.attribute"
)
KEYS: Mapping[str, int] = dict.fromkeys(_OTHERS.split(), 1) | _COMMON
"""Fields by whose value rules are found; about how often each of a rule's values is met, beside a program's name."""
PATHS: Mapping[str, str] = {
    "fd.name": "fd.filename",
    "file.written": "file.written_name",
    "file.removed": "file.removed_name",
    "proc.exepath": "proc.exename",
}
"""And paths, by their first folders or their last component, which is a field of its own."""
_FOLDERS = {"fd.directory": "fd.name"}
DEPTH = 3
"""Folders of a path that are looked at."""
MAX_NAMES = 40
"""Of a rule that is found by a value; one of more is rather found by its path, if it has one."""
_TYPES = {name: resolve(name).type for name in KEYS}
_WILD = "*?["
Values = frozenset[Any]


def best(node: nodes.Node, lists: Lists) -> tuple[str, Values | None]:
    """The field by which a rule is best found, and the values it can have then; ("", None) when there is none."""
    found: tuple[str, Values | None] = ("", None)
    least = 0
    for name, weight in KEYS.items():
        values = allowed(node, name, lists)
        if values is not None and (found[1] is None or len(values) * weight < least):
            found, least = (name, values), len(values) * weight
    if found[1] is None or len(found[1]) > MAX_NAMES or found[0] == "proc.is_shell":
        for name in PATHS:
            paths = allowed(node, name, lists)
            if paths is not None:
                return name, paths
    return found


def allowed(node: nodes.Node, name: str, lists: Lists) -> Values | None:
    """The values of a field, of a path its keys, for which a node can hold; None if they are not bounded."""
    if node.kind == "and":
        known = [found for part in node.parts if (found := allowed(part, name, lists)) is not None]
        return min(known, key=len) if known else None
    if node.kind == "or":
        total: Values = frozenset()
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
    return _values(node.when, _TYPES[name], lists) if node.when[1] == name else None


def _values(when: Sequence[Any], kind: str, lists: Lists) -> Values | None:
    value = when[2]
    if kind == "net" and not _addresses(value):
        return None
    if when[0] == "=":
        return frozenset([value])
    if when[0] not in ("in", "intersects"):
        return None
    values = lists[value] if isinstance(value, str) else value
    if kind in ("number", "ports"):
        return frozenset(int(one, 0) if isinstance(one, str) else one for one in values)
    return frozenset(values)


def of_path(path: str) -> list[str]:
    """What a path is looked up by: its folders, which end in a slash, and its last component."""
    found = []
    end = 0
    for _ in range(DEPTH):
        end = path.find("/", end + 1)
        if end < 0:
            break
        found.append(path[: end + 1])
    if not found:
        found.append("/")
    found.append(path[path.rfind("/") + 1 :])
    return found


def folder(prefix: str) -> str:
    """The deepest folder that is looked up of all paths that begin with this."""
    end = 0
    for _ in range(DEPTH):
        further = prefix.find("/", end + 1)
        if further < 0:
            break
        end = further
    return prefix[: end + 1]


def _addresses(value: Any) -> bool:
    """Written as the sensor writes them: networks and the many ways of IPv6 are none."""
    values = [value] if isinstance(value, str) else value
    return all(isinstance(one, str) and "." in one and "/" not in one and ":" not in one for one in values)


def _paths(when: Sequence[Any], name: str, lists: Lists) -> Values | None:
    """The keys of the paths for which a check can hold."""
    field = when[1]
    if field not in (name, PATHS[name]) and _FOLDERS.get(field) != name:
        return None
    operator, _, quantifier = str(when[0]).partition(" ")
    value = when[2]
    if (quantifier or operator in ("in", "intersects", "pmatch")) and isinstance(value, str):
        value = lists[value]
    if quantifier == "allof":
        return None
    values = (value,) if isinstance(value, str) else tuple(value)
    if operator in ("=", "in", "intersects"):
        if field == name:
            return _names(values)
        return frozenset(values) if field == PATHS[name] else _inside(values)
    return _begun(operator, values) if field == name else None


def _begun(operator: str, values: Sequence[str]) -> Values | None:
    """Of checks of a part of a path."""
    if operator == "startswith" and all(one.find("/", 1) > 0 for one in values):
        return frozenset(map(folder, values))
    if operator == "glob":
        starts = [one[: min((at for wild in _WILD if (at := one.find(wild)) >= 0), default=len(one))] for one in values]
        return _begun("startswith", starts)
    if operator == "pmatch" and all(one.strip("/") for one in values):
        bare = [one.rstrip("/") for one in values]
        return _names(bare) | frozenset(folder(one + "/") for one in bare)
    if operator == "endswith" and all("/" in one and not one.endswith("/") for one in values):
        return _names(values)
    return None


def _inside(folders: Sequence[str]) -> Values:
    """Of files directly in them. Of `/x` and of `x` the folder is `/`."""
    return frozenset(folder(one + "/") for one in folders) | (frozenset("/") if "/" in folders else frozenset())


def _names(paths: Iterable[str]) -> Values:
    return frozenset(one[one.rfind("/") + 1 :] for one in paths)
