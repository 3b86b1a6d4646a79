"""From facts and checks to results. Pure: the time is passed in, nothing is read here.

A check passes only if all that it needs was read and fits. What could not be read is "not checked", with the reason;
what a person has to judge is "manual", with what was seen.
"""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seawall.baseline.detect.expression import holds, leaves, offenders
from seawall.baseline.detect.truth import disagreements
from seawall.baseline.model import Asset, Benchmark, Check, Fact, Facts, Outcome, Result, Waiver

MAX_EVIDENCE = 20
"""Objects of one list that are shown as evidence."""


def evaluate(benchmark: Benchmark, facts: Facts, waivers: Iterable[Waiver] = (), now: str = "") -> Iterator[Result]:
    """The result of each check that is about this kind of asset. `now` (core.clock text) ends waivers."""
    valid = [waiver for waiver in waivers if waiver.expires_at > now]
    for check in benchmark.checks:
        if check.asset == facts.asset.kind:
            yield waived(judge(check, facts), valid)


def judge(check: Check, facts: Facts) -> Result:
    """One check on one asset."""
    asset, known = facts.asset, facts.facts
    applies = holds(check.applies_if, known) if check.applies_if else True
    if applies is False:
        return Result(check.id, asset, Outcome.NOT_APPLICABLE, _seen(_names(check.applies_if), known))
    if applies is None:
        return Result(check.id, asset, Outcome.NOT_CHECKED, reason=_missing(_names(check.applies_if), known))
    names = tuple(dict.fromkeys((*check.probe["facts"], *_names(check.expect))))
    if check.manual:
        missing = _missing(names, known)
        outcome = Outcome.NOT_CHECKED if missing else Outcome.MANUAL
        return Result(check.id, asset, outcome, _seen(names, known), missing)
    fits = holds(check.expect, known)
    if fits is None:
        return Result(check.id, asset, Outcome.NOT_CHECKED, _seen(names, known), _missing(names, known))
    found = offenders(check.expect, known) if fits is False else []
    return Result(check.id, asset, Outcome.PASS if fits else Outcome.FAIL, _seen(names, known, found))


def waived(result: Result, waivers: Sequence[Waiver]) -> Result:
    """A failure that somebody has accepted, until it expires. Nothing else can be waived."""
    if result.outcome is not Outcome.FAIL:
        return result
    for waiver in waivers:
        if waiver.check == result.check and _selected(waiver.selector, result.asset):
            reason = f"{waiver.owner}: {waiver.reason} (until {waiver.expires_at[:10]})"
            return replace(result, outcome=Outcome.WAIVED, reason=reason)
    return result


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How often each outcome came, all outcomes named."""
    found = {outcome.value: 0 for outcome in Outcome}
    for result in results:
        found[result.outcome.value] += 1
    return found


def rate(found: Mapping[str, int]) -> float | None:
    """Passes among what was judged; None when nothing was."""
    judged = found["pass"] + found["fail"]
    return found["pass"] / judged if judged else None


def without_assets(benchmark: Benchmark, results: Iterable[Result]) -> list[str]:
    """Checks that had nothing to look at: silence of theirs is no pass."""
    seen = {result.check for result in results}
    return [check.id for check in benchmark.checks if check.id not in seen]


def _selected(selector: Mapping[str, str], asset: Asset) -> bool:
    place = {"id": asset.id, "name": asset.name, "host": asset.host, "kind": asset.kind}
    return all(fnmatch.fnmatchcase(place.get(key, ""), pattern) for key, pattern in selector.items())


def _names(expression: Mapping[str, Any]) -> list[str]:
    return [str(leaf["fact"]) for leaf in leaves(expression)]


def _missing(names: Iterable[str], known: Mapping[str, Fact]) -> str:
    """Why the first of the facts that is not there is not."""
    for name in names:
        fact = known.get(name)
        if fact is None or (fact.value is None and not fact.error):
            return f"{name} was not collected"
        if fact.error:
            return f"{name}: {fact.error}"
    return ""


def _seen(names: Iterable[str], known: Mapping[str, Fact], found: Sequence[Any] = ()) -> tuple[Mapping[str, Any], ...]:
    """What was read and where; the objects that break the check come first."""
    rows: list[Mapping[str, Any]] = [{"where": "breaks the check", "value": item} for item in found[:MAX_EVIDENCE]]
    if len(found) > MAX_EVIDENCE:
        rows.append({"where": "breaks the check", "value": f"and {len(found) - MAX_EVIDENCE} more"})
    names = list(dict.fromkeys(names))
    rows += disagreements(names, known)
    for name in names:
        fact = known.get(name)
        if fact is not None:
            value = {"error": fact.error} if fact.error else {"value": _short(fact.value)}
            rows.append({"fact": name, "where": fact.where, **value})
    return tuple(rows)


def _short(value: Any) -> Any:
    if isinstance(value, list) and len(value) > MAX_EVIDENCE:
        return [*value[:MAX_EVIDENCE], f"and {len(value) - MAX_EVIDENCE} more"]
    return value
