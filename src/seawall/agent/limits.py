"""How heavy the agent may be, and what it gives up, in which order, when it is heavier. Pure: readings in, steps out.

The steps, each shown in the console; a step is left again when the agent has been light for a while:
    0 everything
    1 no errands: image inventories and baselines wait
    2 longer intervals: snapshots are taken four times less often
    3 fewer files: watched folders are off but for blocking rules, files watched by path or name stay
    4 only executions, escapes, reverse shells and the response to them
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from seawall.runtime.model import Category, Kind, Plan, Rule

MAX_CPU = 0.05
"""Share of one core over the last reading's interval."""
MAX_RSS = 30 << 20
"""Bytes of resident memory, VmRSS."""
MAX_CPU_PRESSURE = 80.0
MAX_MEMORY_PRESSURE = 25.0
"""Percent of the last 10 s in which some task of the node waited for it (PSI `some avg10`)."""
LIGHT = 0.7
"""Below this share of every limit the agent counts as light."""
PATIENCE = 2
"""Heavy readings in a row before the next step …"""
CALM = 6
"""… and light ones before a step back."""
LAST = 4
MAX_CALM = 60
BLIND = 3
"""From this step on something is not seen: there the agent looks every second whether it can see again."""

STRETCH = 4
"""From step 2 on intervals are this many times longer."""

_PRECIOUS = frozenset({Category.ESCAPE, Category.REVERSE_SHELL})
_NAMES = ("none", "errands paused", "longer intervals", "fewer files", "executions, escapes and response only")


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the agent and its node. Percent values are 0 where the kernel has no PSI."""

    cpu: float
    rss: int
    cpu_pressure: float = 0.0
    memory_pressure: float = 0.0


@dataclass(frozen=True, slots=True)
class Degrade:
    """Where on the ladder the agent stands, and why."""

    step: int = 0
    reason: str = ""
    heavy: int = 0
    light: int = 0
    """Readings of that sort in a row."""
    calm: int = 1
    """Light seconds after which a step that blinds is left: more each time that was too early."""

    @property
    def name(self) -> str:
        """The step in words."""
        return _NAMES[self.step]


def decide(now: Degrade, reading: Reading) -> Degrade:
    """The next state of the ladder."""
    reasons, worst = _reasons(reading, 1.0)
    if reasons:
        heavy = now.heavy + 1
        if heavy >= PATIENCE and now.step < worst:
            return Degrade(now.step + 1, f"{_NAMES[now.step + 1]}: {'; '.join(reasons)}", calm=now.calm)
        return replace(now, heavy=heavy, light=0)
    if now.step >= BLIND:
        return replace(now, heavy=0)
    if now.step and not _reasons(reading, LIGHT)[0]:
        light = now.light + 1
        if light < CALM:
            return replace(now, light=light, heavy=0)
        return _back(now.step - 1, now.calm)
    return replace(now, heavy=0, light=0)


def relieved(now: Degrade, reading: Reading) -> Degrade:
    """The next state at a step that blinds, asked every second: what passed in a moment must not blind for minutes.

    Both such steps are left at once. Where the load is still there it will be taken again, and the next stay is longer.
    """
    if now.step < BLIND:
        return now
    if _reasons(reading, LIGHT)[1] >= BLIND:
        return replace(now, light=0)
    light = now.light + 1
    if light < now.calm:
        return replace(now, light=light)
    return _back(BLIND - 1, min(2 * now.calm, MAX_CALM))


def _back(step: int, calm: int) -> Degrade:
    return Degrade(step, f"{_NAMES[step]}: on the way back", calm=calm) if step else Degrade()


def narrowed(plan: Plan, step: int) -> Plan:
    """The plan as the sensor and the engine should have it at this step. The same object below step 3."""
    if step < 3:
        return plan
    filters: dict[str, Any] = dict(plan.filters) | {"open_prefixes": _response_prefixes(plan)}
    if step == 3:
        return replace(plan, version=f"{plan.version}-fewer-files", filters=filters)
    rules = tuple(rule for rule in plan.rules if _kept(rule))
    wanted = {kind.value for rule in rules for kind in rule.kinds if rule.enabled}
    filters["kinds"] = [kind for kind in _texts(filters, "kinds") if kind in wanted]
    return replace(plan, version=f"{plan.version}-least", rules=rules, filters=filters)


def stretched(seconds: float, step: int) -> float:
    """An interval as it is kept at this step."""
    return seconds * STRETCH if step >= 2 else seconds


def _reasons(reading: Reading, share: float) -> tuple[list[str], int]:
    """What is over `share` of its limit, and the last step that helps against it."""
    found, worst = [], 0
    if reading.cpu > MAX_CPU * share:
        found.append(f"{reading.cpu:.1%} of a core used, {MAX_CPU:.0%} allowed")
        worst = LAST
    # Seeing less frees little memory, so a little too much of it never blinds the sensor. Most of it is fixed (the
    # interpreter), so `light` only asks that it is below the limit again.
    if reading.rss > MAX_RSS:
        found.append(f"{reading.rss / (1 << 20):.1f} MB of memory used, {MAX_RSS >> 20} allowed")
        worst = max(worst, LAST if reading.rss > 2 * MAX_RSS else 2)
    # A node under pressure is only eased by an agent that uses something. It never blinds one that is within its own
    # limit: whoever keeps all processors busy would be unseen.
    if reading.cpu_pressure > MAX_CPU_PRESSURE * share and reading.cpu > MAX_CPU * share / 2:
        found.append(f"tasks of the node waited for a processor {reading.cpu_pressure:.0f} % of the time")
        worst = max(worst, BLIND - 1)
    if reading.memory_pressure > MAX_MEMORY_PRESSURE * share:
        found.append(f"tasks of the node waited for memory {reading.memory_pressure:.0f} % of the time")
        worst = max(worst, 2)
    return found, worst


def _kept(rule: Rule) -> bool:
    """What blocks, and what lifts a block, stays at every step."""
    return rule.category in _PRECIOUS or Kind.EXEC in rule.kinds or rule.action != "alert"


def _response_prefixes(plan: Plan) -> list[str]:
    """Watched folders that a blocking rule needs: the response to what happens there is never given up."""
    blocking = [rule for rule in plan.rules if rule.enabled and rule.action == "block" and Kind.OPEN in rule.kinds]
    if not blocking:
        return []
    from seawall.runtime.detect.reach import filters

    watched = _texts(plan.filters, "open_prefixes")
    try:
        needed = set(filters(blocking, plan.lists)["open_prefixes"])
    except (ValueError, KeyError):
        return watched
    return [prefix for prefix in watched if prefix in needed]


def _texts(filters: Mapping[str, Any], name: str) -> list[str]:
    return [str(value) for value in filters.get(name) or ()]
