"""Which block rules the gate can carry out before a program runs or a file is opened, and how.

Of a program that has not started yet only its file and its container are known; of an open also who asks, for that
process waits. A rule whose condition looks at nothing else is decided at the gate; every other one is left to what
sees the program run or the file opened.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from seawall.runtime.model import Container, Event, File, Kind, Plan, Process, Rule

MAX_RULES = 500
_OF_THE_FILE = frozenset(
    (
        *("proc.exepath", "proc.exename", "proc.is_exe_upper_layer", "proc.is_exe_from_memfd"),
        *("evt.type", "evt.kind", "evt.rawres", "evt.failed", "container.id", "container.full_id", "container.name"),
        *("container.image", "container.image.repository", "container.image.tag", "container.image.digest"),
        *("container.image.id", "container.privileged", "k8s.ns.name", "k8s.pod.name"),
    )
)
_OF_THE_OPEN = frozenset(
    (
        *("fd.name", "fd.directory", "fd.filename", "fd.type", "fd.typechar", "fd.is_upper_layer", "file.written"),
        *("file.written_name", "evt.type", "evt.kind", "evt.rawres", "evt.failed", "evt.is_open_write"),
        *("evt.is_open_read", "evt.is_open_create", "evt.arg.flags", "container.id", "container.full_id"),
        *("container.name", "container.image", "container.image.repository", "container.image.tag"),
        *("container.image.digest", "container.image.id", "container.privileged", "k8s.ns.name", "k8s.pod.name"),
        *("proc.name", "proc.exe", "proc.exepath", "proc.exename", "proc.args", "proc.nargs", "proc.cmdline"),
        *("proc.cwd", "proc.pid", "proc.ppid", "proc.vpid", "proc.pname", "proc.pexe", "proc.pexepath"),
        *("proc.pcmdline", "proc.aname", "proc.aexepath", "proc.aexe", "user.uid", "user.euid", "group.gid"),
    )
)
"""What the gate knows of an open while the asker waits."""
_OPENS = (Kind.OPEN, Kind.READ)
LIFTED_BY = {"profile": ("profile_violation",), "drift": ("protect_drift", "dropped_program")}
"""Rules whose waivers also lift a protected image's own refusals."""
_NAME = "proc.name"
"""What a program is called may differ from its file's name (busybox): it may add to a denial, never lift one."""


def of_an_open(when: Sequence[Any]) -> bool:
    """Whether a condition on an open can be decided from the file, the asker and the container."""
    if when[0] in ("and", "or", "not"):
        return all(of_an_open(part) for part in when[1:])
    return isinstance(when[1], str) and when[1] in _OF_THE_OPEN and not any(isinstance(v, dict) for v in when[2:])


def judgeable(when: Sequence[Any], positive: bool = True) -> bool:
    """Whether a condition can be decided from the file and the container alone."""
    if when[0] in ("and", "or"):
        return all(judgeable(part, positive) for part in when[1:])
    if when[0] == "not":
        return judgeable(when[1], not positive)
    return when[1] in _OF_THE_FILE or (when[1] == _NAME and positive and when[0] in ("=", "in"))


def rules_of(plan: Plan) -> list[dict[str, Any]]:
    """The plan's rules for the gate, waivers and allowing rules worked in: {id, when}."""
    found = []
    for rule in plan.rules:
        if rule.enabled and rule.action == "block" and Kind.EXEC in rule.kinds and judgeable(rule.when):
            lifted = [waiver.when for waiver in plan.waivers if not waiver.rules or rule.id in waiver.rules]
            lifted += [other.when for other in plan.rules if _allows(other, rule)]
            if all(judgeable(when, positive=False) for when in lifted):
                found.append({"id": rule.id, "when": ["and", rule.when, *(["not", when] for when in lifted)]})
    return found[:MAX_RULES]


def opens_of(plan: Plan) -> list[dict[str, Any]]:
    """The plan's rules on opens for the gate: {id, when, kinds, paths, prefixes, names}.

    Only rules that name a path: asking about every open of a container for the sake of one rule costs too much.
    """
    wanted = [rule for rule in plan.rules if rule.enabled and rule.action == "block" and set(_OPENS) & set(rule.kinds)]
    if not wanted:
        return []
    from seawall.runtime.detect import reach  # only a plan that blocks opens pays for it

    found = []
    for rule in wanted:
        lifted = [waiver.when for waiver in plan.waivers if not waiver.rules or rule.id in waiver.rules]
        lifted += [
            other.when
            for other in plan.rules
            if other.enabled
            and other.action == "allow"
            and other.category == rule.category
            and set(_OPENS) & set(other.kinds)
        ]
        if not all(of_an_open(when) for when in (rule.when, *lifted)):
            continue
        bound = reach.bound(rule.when, reach.path_atom, plan.lists)
        if bound is not None and bound.size:
            kinds = [str(kind) for kind in _OPENS if kind in rule.kinds]
            where = {"paths": sorted(bound.paths), "prefixes": sorted(bound.prefixes), "names": sorted(bound.names)}
            when = ["and", rule.when, *(["not", when] for when in lifted)]
            found.append({"id": rule.id, "when": when, "kinds": kinds, **where})
    return found[:MAX_RULES]


def lifts_of(plan: Plan) -> list[dict[str, Any]]:
    """Waivers on what a protected image refuses by itself: {id: profile|drift, when}."""
    found = []
    for why, rules in LIFTED_BY.items():
        lifted = (waiver for waiver in plan.waivers if not waiver.rules or set(rules) & set(waiver.rules))
        found += [{"id": why, "when": waiver.when} for waiver in lifted if judgeable(waiver.when)]
    return found[:MAX_RULES]


def lists_of(rules: Iterable[Mapping[str, Any]], lists: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The lists that these rules name."""
    return {name: list(lists[name]) for rule in rules for name in _lists(rule["when"]) if name in lists}


def checker(
    rules: Sequence[Mapping[str, Any]], lists: Mapping[str, Sequence[str]], container: Mapping[str, Any]
) -> Callable[[str, bool], str]:
    """(path, upper) → id of the first rule that forbids it in this container, or ""."""
    from seawall.runtime.detect.condition import compile_condition

    compiled = [(str(rule["id"]), compile_condition(rule["when"], lists)) for rule in rules]
    known = Container(**container)

    def check(path: str, upper: bool) -> str:
        name = path.rpartition("/")[2]
        process = Process(0, 0, exe=path, comm=name[:15], container=known, file=File(path, upper=upper))
        event = Event(Kind.EXEC, 0.0, process, file=process.file, syscall="execve")
        return next((rule for rule, fires in compiled if fires(event)), "")

    return check


def _allows(other: Rule, rule: Rule) -> bool:
    return other.enabled and other.action == "allow" and other.category == rule.category and Kind.EXEC in other.kinds


def _lists(when: Sequence[Any]) -> Iterable[str]:
    if when[0] in ("and", "or", "not"):
        for part in when[1:]:
            yield from _lists(part)
    elif len(when) > 2 and when[0] in ("in", "intersects", "pmatch") and isinstance(when[2], str):
        yield when[2]
