"""Waivers (加白): what somebody decided not to be told of, what that would have silenced, what it has silenced."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from seawall.core import clock
from seawall.lists import Change
from seawall.runtime.detect import recall
from seawall.runtime.detect.condition import compile_condition, fields_of
from seawall.runtime.model import Waiver
from seawall.runtime.store.alerts import shown
from seawall.runtime.store.tables import ALERTS, SILENCED, WAIVERS

MAX_PREVIEW = 10_000
"""Stored alerts that a preview looks at, newest first."""
MAX_SHOWN = 50
MAX_COUNTED = 2000
"""Waivers that one heartbeat may speak of."""
RECENT_DAYS = 7


def row_shown(row: Mapping[str, Any], now: str) -> dict[str, Any]:
    """A waiver as the API answers it."""
    ended = row["expires_at"] is not None and row["expires_at"] <= now
    return {**row, "state": "expired" if ended else "active"}


def preview(connection: Connection, waiver: Waiver, lists: Mapping[str, Sequence[str]], since: str) -> dict[str, Any]:
    """Which of the stored alerts the waiver would have silenced.

    A stored alert keeps its newest occurrence: `count` adds up how often those that fit have happened. `unknown` names
    the fields that no stored alert carries, on which the answer does not rest.
    """
    fits = compile_condition(waiver.when, lists)
    wanted = select(ALERTS).where(ALERTS.c.last_seen >= since)
    if waiver.rules:
        wanted = wanted.where(ALERTS.c.rule.in_(waiver.rules))
    wanted = wanted.order_by(ALERTS.c.last_seen.desc(), ALERTS.c.id.desc()).limit(MAX_PREVIEW + 1)
    count = looked = 0
    alerts: list[dict[str, Any]] = []
    by_rule: dict[str, int] = {}
    oldest: str | None = None
    for row in connection.execute(wanted).mappings():
        looked += 1
        if looked > MAX_PREVIEW:
            break
        event = recall.recalled({**row["data"], "last_seen": row["last_seen"]})
        if event is None or not fits(event):
            continue
        count += row["count"]
        by_rule[row["rule"]] = by_rule.get(row["rule"], 0) + row["count"]
        oldest = min(oldest or row["first_seen"], row["first_seen"])
        if len(alerts) < MAX_SHOWN:
            alerts.append(shown(row))
    return {
        "count": count,
        "alerts": alerts,
        "by_rule": by_rule,
        "oldest": oldest,
        "looked_at": min(looked, MAX_PREVIEW),
        "truncated": looked > MAX_PREVIEW,
        "unknown": recall.missing(fields_of(waiver.when)),
    }


def count(connection: Connection, told: Any, now: str) -> list[Change]:
    """Add up what a node says it held back: {waiver: n} or {waiver: {rule: n}}. Whatever else there is, is left out."""
    if not isinstance(told, dict):
        return []
    changes = []
    for waiver_id, numbers in list(told.items())[:MAX_COUNTED]:
        by_rule = numbers if isinstance(numbers, dict) else {"": numbers}
        total = 0
        for rule, number in by_rule.items():
            if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**40:
                continue
            total += number
            _add(connection, now[:10], str(waiver_id)[:40], str(rule)[:128], number)
        if total:
            values = {"silenced": WAIVERS.c.silenced + total, "last_silenced": now}
            connection.execute(update(WAIVERS).where(WAIVERS.c.id == str(waiver_id)).values(values))
            row = connection.execute(select(WAIVERS).where(WAIVERS.c.id == str(waiver_id))).mappings().first()
            if row is not None:
                changed = {name: row[name] for name in ("id", "silenced", "last_silenced")}
                changes.append(Change("waivers/change", changed))
    return changes


def _add(connection: Connection, day: str, waiver_id: str, rule: str, number: int) -> None:
    at = (SILENCED.c.day == day) & (SILENCED.c.waiver_id == waiver_id) & (SILENCED.c.rule == rule)
    done = connection.execute(update(SILENCED).where(at).values(count=SILENCED.c.count + number))
    if done.rowcount == 0:
        connection.execute(insert(SILENCED).values(day=day, waiver_id=waiver_id, rule=rule, count=number))


def silenced_by_rule(connection: Connection, now: str) -> dict[str, int]:
    """What was held back of each rule lately; where a node did not tell the rule, it is the waiver's only one."""
    since = clock.format_time(clock.parse_time(now) - RECENT_DAYS * 86400)[:10]
    only = {
        row.id: row.rules[0] for row in connection.execute(select(WAIVERS.c.id, WAIVERS.c.rules)) if len(row.rules) == 1
    }
    summed = select(SILENCED.c.waiver_id, SILENCED.c.rule, func.sum(SILENCED.c.count)).where(SILENCED.c.day >= since)
    found: dict[str, int] = {}
    for waiver_id, rule, number in connection.execute(summed.group_by(SILENCED.c.waiver_id, SILENCED.c.rule)):
        name = rule or only.get(waiver_id, "")
        if name:
            found[name] = found.get(name, 0) + int(number)
    return found


def expiry(connection: Connection, after: str) -> str | None:
    """When the next waiver ends."""
    return connection.execute(select(func.min(WAIVERS.c.expires_at)).where(WAIVERS.c.expires_at > after)).scalar()


def forget(connection: Connection, before: str) -> None:
    """Delete old days."""
    connection.execute(delete(SILENCED).where(SILENCED.c.day < before[:10]))
