"""Which block rules the gate can carry out before a program runs, and how.

Of a program that has not started yet only its file and its container are known. A rule whose condition looks at
nothing else is decided at the gate; every other one is left to what sees the program run.
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
LIFTED_BY = {"profile": ("profile_violation",), "drift": ("protect_drift", "dropped_program")}
"""Rules whose waivers also lift a protected image's own refusals."""
_NAME = "proc.name"
"""What a program is called may differ from its file's name (busybox): it may add to a denial, never lift one."""


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
