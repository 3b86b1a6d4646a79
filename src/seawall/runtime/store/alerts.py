"""Alerts on the server: one row for an alert that happens again and again, its life, and the counts pages show.

An alert is the same one when its agent and its key are. A handled one that happens again becomes new; an ignored one
stays ignored and goes on counting; a deleted one that happens again is a new row. An id that was seen before, because
an agent sent it twice, changes nothing.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from seawall.core import clock
from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.core.severity import Severity
from seawall.lists import Change, Refused, Source
from seawall.runtime.model import ALERT_SCHEMA, Category
from seawall.runtime.store import profiles
from seawall.runtime.store.tables import ALERTS, HOURS, MAX_DIGEST, MAX_REMARK, MAX_TEXT, SEEN

STATES = ("new", "handled", "ignored")
RESULTS = ("none", "blocked", "killed_after_effect", "failed")
SEEN_DAYS = 7
"""How long the ids of alerts that came are remembered, to know one that is sent again."""
HOURS_DAYS = 8
MAX_ALERT = 256 << 10
"""Characters of one alert as JSON."""
PORTION = 400
"""Values in one question to the database."""
MAX_TIMELINE = 200
TOP = 5
"""Containers, images and rules that a summary names."""


def apply(connection: Connection, source: Source, item: Item, now: str) -> list[Change]:
    """Store one alert of an agent. Raises Hostile on what is none."""
    return apply_all(connection, source, [item], now)


def apply_all(connection: Connection, source: Source, items: Sequence[Item], now: str) -> list[Change]:
    """Store many alerts of an agent with a few statements. Raises Hostile if one is none; nothing is stored then."""
    parsed = [_row(source, item.data, now) for item in items]
    rows = [(row["id"], row) for row in parsed]
    seen = _among(connection, select(SEEN.c.id).where(SEEN.c.agent_id == source.agent_id), SEEN.c.id, dict(rows))
    before = {row.id for row in seen}
    keys = {row["key"]: None for _, row in rows}
    same = _among(connection, select(ALERTS).where(ALERTS.c.agent_id == source.agent_id), ALERTS.c.key, keys)
    held: dict[str, dict[str, Any]] = {row.key: dict(row._mapping) for row in same}
    added: dict[str, None] = {}
    changed: dict[str, None] = {}
    hours: Counter[tuple[str, str]] = Counter()
    fresh = []
    for sent, row in rows:
        if sent in before:
            continue
        before.add(sent)
        fresh.append({"agent_id": source.agent_id, "id": sent, "seen_at": now})
        hours[row["last_seen"][:13], row["severity"]] += row["count"]
        old = held.get(row["key"])
        held[row["key"]] = row if old is None else {**old, **_merged(old, row)}
        if old is None:
            added[row["key"]] = None
        elif row["key"] not in added:
            changed[row["key"]] = None
    _write(connection, fresh, [held[key] for key in added], [held[key] for key in changed])
    for (hour, severity), count in hours.items():
        _count_hour(connection, hour, severity, count)
    if added:
        _forget_old(connection, now)
    sent_now = {one["id"] for one in fresh}
    return [
        *(Change("alerts/add", shown(held[key])) for key in added),
        *(Change("alerts/change", shown(held[key])) for key in changed),
        *_lowered(connection, source, [row for sent, row in rows if sent in sent_now], now),
    ]


def _lowered(connection: Connection, source: Source, rows: Sequence[Mapping[str, Any]], now: str) -> list[Change]:
    """Profiles that stopped too much alert only from now on, which is an alert of its own."""
    changes: list[Change] = []
    for profile, number in profiles.violated(connection, rows, now):
        changes.append(Change("profiles/change", profiles.shown(profile, now)))
        changes += apply(connection, source, Item("alert", profiles.fallback_alert(profile, number, now)), now)
    return changes


def _among(
    connection: Connection, wanted: Select[Any], column: Column[Any], values: Mapping[str, Any]
) -> list[Row[Any]]:
    """Rows whose column has one of the values, asked in portions: databases limit the variables of a statement."""
    keys = list(values)
    portions = (keys[at : at + PORTION] for at in range(0, len(keys), PORTION))
    return [row for portion in portions for row in connection.execute(wanted.where(column.in_(portion)))]


def _write(
    connection: Connection, seen: list[dict[str, Any]], added: list[dict[str, Any]], changed: list[dict[str, Any]]
) -> None:
    if seen:
        connection.execute(insert(SEEN), seen)
    if added:
        connection.execute(insert(ALERTS), added)
    if changed:
        values = [{f"new_{name}": row[name] for name in ("id", *_MERGED)} for row in changed]
        connection.execute(_UPDATE, values)


_MERGED = (
    *("count", "first_seen", "last_seen", "host_name", "title", "title_zh", "category", "severity", "severity_rank"),
    *("action", "result", "means", "data", "container_name", "image", "image_digest", "exe"),
    *("state", "handled_by", "handled_at"),
)
"""Columns that may be another after an alert happened again."""
_UPDATE = (
    update(ALERTS)
    .where(ALERTS.c.id == bindparam("new_id"))
    .values({ALERTS.c[name]: bindparam(f"new_{name}", type_=ALERTS.c[name].type) for name in _MERGED})
)


def shown(row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    """A row as the API answers it: the alert's own fields, and those of its life here."""
    kept = {name: row[name] for name in _SHOWN}
    return {**row["data"], **kept}


_SHOWN = (
    *(
        "id",
        "agent_id",
        "host_id",
        "host_name",
        "rule",
        "title",
        "title_zh",
        "category",
        "severity",
        "action",
        "result",
    ),
    *("first_seen", "last_seen", "count", "state", "remark", "handled_by", "handled_at", "key"),
    *("container_id", "container_name", "image", "image_digest", "means", "responses"),
)


def one(connection: Connection, id: str) -> dict[str, Any]:
    """An alert by its id. Raises Refused (404)."""
    row = connection.execute(select(ALERTS).where(ALERTS.c.id == id)).mappings().first()
    if row is None:
        raise Refused(f"there is no alert {id}", "it may have been deleted", 404)
    return shown(row)


def mark(
    connection: Connection, ids: Sequence[str], state: str, remark: str | None, *, user: str, now: str
) -> list[dict[str, Any]]:
    """Put alerts into a state; those that are gone are left out of the answer. Raises Refused on an unknown state."""
    if state not in STATES:
        raise Refused(f"there is no state {state!r}", f"use one of: {', '.join(STATES)}")
    values: dict[str, Any] = {"state": state}
    values |= {"handled_by": "", "handled_at": ""} if state == "new" else {"handled_by": user, "handled_at": now}
    if remark is not None:
        values["remark"] = remark[:MAX_REMARK]
    connection.execute(update(ALERTS).where(ALERTS.c.id.in_(ids)).values(values))
    rows = connection.execute(select(ALERTS).where(ALERTS.c.id.in_(ids)).order_by(ALERTS.c.id)).mappings()
    return [shown(row) for row in rows]


def remove(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Delete alerts; the ids of those that were there."""
    there = list(connection.execute(select(ALERTS.c.id).where(ALERTS.c.id.in_(ids))).scalars())
    connection.execute(delete(ALERTS).where(ALERTS.c.id.in_(there)))
    return there


def counts(connection: Connection, container_id: str = "") -> dict[str, int]:
    """New alerts by severity, of all or of one container."""
    wanted = select(ALERTS.c.severity, func.count()).where(ALERTS.c.state == "new").group_by(ALERTS.c.severity)
    if container_id:
        wanted = wanted.where(ALERTS.c.container_id == container_id)
    found: dict[str, int] = {row[0]: row[1] for row in connection.execute(wanted)}
    return {severity.value: found.get(severity.value, 0) for severity in Severity if severity != Severity.UNKNOWN}


def category_counts(connection: Connection) -> dict[str, dict[str, int]]:
    """New alerts by category and severity; every category is named."""
    wanted = select(ALERTS.c.category, ALERTS.c.severity, func.count()).where(ALERTS.c.state == "new")
    severities = [severity.value for severity in Severity if severity != Severity.UNKNOWN]
    found = {category.value: dict.fromkeys(severities, 0) for category in Category}
    for category, severity, number in connection.execute(wanted.group_by(ALERTS.c.category, ALERTS.c.severity)):
        if category in found:
            found[category][severity] = number
    return found


def timeline(connection: Connection, id: str, before: float, after: float) -> dict[str, Any]:
    """What else happened in the same container (on the same host when there is none), seconds around an alert.

    Oldest first. An alert that happened again and again belongs there when any of its time does. Raises Refused (404).
    """
    found = one(connection, id)
    since = clock.format_time(clock.parse_time(found["first_seen"]) - before)
    until = clock.format_time(clock.parse_time(found["last_seen"]) + after)
    same = ALERTS.c.container_id == found["container_id"]
    if not found["container_id"]:
        same = same & (ALERTS.c.host_id == found["host_id"])
    wanted = select(ALERTS).where(same, ALERTS.c.last_seen >= since, ALERTS.c.first_seen <= until)
    rows = connection.execute(wanted.order_by(ALERTS.c.first_seen, ALERTS.c.id).limit(MAX_TIMELINE + 1)).mappings()
    items = [shown(row) for row in rows]
    return {"items": items[:MAX_TIMELINE], "truncated": len(items) > MAX_TIMELINE, "since": since, "until": until}


def overview(connection: Connection, now: float) -> dict[str, Any]:
    """The `alerts` part of `GET /overview` (docs/reference/api.md): new, trend of 24 hours, categories, latest."""
    categories = connection.execute(
        select(ALERTS.c.category, func.count()).where(ALERTS.c.state == "new").group_by(ALERTS.c.category)
    )
    latest = connection.execute(
        select(ALERTS).where(ALERTS.c.state == "new").order_by(ALERTS.c.last_seen.desc(), ALERTS.c.id.desc()).limit(5)
    )
    return {
        "new": counts(connection),
        "trend": _trend(connection, now),
        "categories": {row[0]: row[1] for row in categories},
        "latest": [shown(row) for row in latest.mappings()],
    }


def summary(connection: Connection, category: str = "") -> dict[str, Any]:
    """The new alerts, of all or of one category, by severity and result, and where most of them are."""
    wanted = [ALERTS.c.state == "new", *([ALERTS.c.category == category] if category else [])]

    def counted(name: str) -> dict[str, int]:
        column = ALERTS.c[name]
        return {
            row[0]: row[1] for row in connection.execute(select(column, func.count()).where(*wanted).group_by(column))
        }

    severities, results = counted("severity"), counted("result")
    return {
        "new": sum(severities.values()),
        "severities": {name.value: severities.get(name.value, 0) for name in Severity if name != Severity.UNKNOWN},
        "results": {name: results.get(name, 0) for name in RESULTS},
        "containers": _most(connection, wanted, "container_id", ("container_name",)),
        "images": _most(connection, wanted, "image", ()),
        "rules": _most(connection, wanted, "rule", ("title", "title_zh")),
    }


def _most(
    connection: Connection, wanted: list[ColumnElement[bool]], key: str, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The values of a column that most alerts have, the gravest first."""
    column = ALERTS.c[key]
    worst, number = func.max(ALERTS.c.severity_rank), func.count()
    columns = [column.label("id"), worst.label("worst"), number.label("count")]
    columns += [func.max(ALERTS.c[name]).label(name) for name in names]
    statement = select(*columns).where(*wanted, column != "").group_by(column)
    rows = connection.execute(statement.order_by(worst.desc(), number.desc(), column).limit(TOP)).mappings()
    severities = {severity.rank: severity.value for severity in Severity}
    return [{**row, "severity": severities[row["worst"]]} for row in rows]


def _trend(connection: Connection, now: float) -> list[dict[str, Any]]:
    hours = [clock.format_time(now - 3600 * back)[:13] for back in range(23, -1, -1)]
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(HOURS).where(HOURS.c.hour >= hours[0])).mappings():
        found.setdefault(row["hour"], {})[row["severity"]] = row["count"]
    names = ("critical", "high", "medium", "low", "info")
    return [
        {"hour": f"{hour}:00:00.000Z", **{name: found.get(hour, {}).get(name, 0) for name in names}} for hour in hours
    ]


def _merged(old: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """What an old row becomes when its alert happens again."""
    later = row["last_seen"] >= old["last_seen"]
    changed: dict[str, Any] = {
        "count": old["count"] + row["count"],
        "first_seen": min(old["first_seen"], row["first_seen"]),
        "last_seen": max(old["last_seen"], row["last_seen"]),
    }
    if later:
        latest = ("host_name", "title", "title_zh", "category", "severity", "severity_rank", "action", "result", "data")
        changed |= {name: row[name] for name in (*latest, "container_name", "image", "image_digest", "exe", "means")}
    # One that lay in a spool while somebody handled the alert is not "again".
    if old["state"] == "handled" and row["last_seen"] > old["handled_at"]:
        changed |= {"state": "new", "handled_by": "", "handled_at": ""}
    return changed


def _row(source: Source, data: Mapping[str, Any], now: str) -> dict[str, Any]:
    try:
        if data.get("schema", ALERT_SCHEMA) != ALERT_SCHEMA:
            raise Hostile(f"alert of schema {data['schema']!r}, this server reads {ALERT_SCHEMA}")
        if len(json.dumps(data)) > MAX_ALERT:
            raise Hostile(f"alert is larger than {MAX_ALERT} characters")
        severity, category = Severity(data["severity"]), Category(data["category"])
        container, process = _object(data, "container"), _object(data, "process")
        first = _time(data.get("first_seen") or data["time"], now)
        last = _time(data.get("last_seen") or data["time"], now)
        return {
            "id": _word(data, "id")[:64],
            "agent_id": source.agent_id,
            "key": str(data.get("key") or data["id"])[:64],
            "host_id": source.host_id,
            "host_name": source.host_name,
            "rule": _word(data, "rule")[:128],
            "title": str(data["title"])[:MAX_TEXT],
            "title_zh": str(data.get("title_zh") or data["title"])[:MAX_TEXT],
            "category": category.value,
            "severity": severity.value,
            "severity_rank": severity.rank,
            "action": str(data["action"])[:16],
            "result": RESULTS[RESULTS.index(data["result"])],
            "container_id": str(container.get("id", ""))[:128],
            "container_name": str(container.get("name", ""))[:MAX_TEXT],
            "image": str(container.get("image", ""))[:MAX_TEXT],
            "image_digest": str(container.get("image_digest") or container.get("image_id") or "")[:MAX_DIGEST],
            "exe": str(process.get("exe", ""))[:MAX_TEXT],
            "means": str(data.get("means") or "")[:16],
            "responses": 0,
            "first_seen": min(first, last),
            "last_seen": last,
            "count": min(max(1, int(data.get("count", 1))), 1_000_000_000),
            "state": "new",
            "remark": "",
            "handled_by": "",
            "handled_at": "",
            "data": dict(data),
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Hostile(f"not an alert: {error!r}") from error


def _word(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is no text")
    return value


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is no object")
    return value


def _time(text: Any, now: str) -> str:
    """A time in our form; one from the future (a clock that is wrong) becomes now, so that sorting stays sane."""
    return min(clock.format_time(clock.parse_time(str(text))), now)


def _count_hour(connection: Connection, time: str, severity: str, count: int) -> None:
    at = (HOURS.c.hour == time[:13]) & (HOURS.c.severity == severity)
    done = connection.execute(update(HOURS).where(at).values(count=HOURS.c.count + count))
    if done.rowcount == 0:
        connection.execute(insert(HOURS).values(hour=time[:13], severity=severity, count=count))


def _forget_old(connection: Connection, now: str) -> None:
    """Runs when a row is added, which is rare, so that it needs no schedule of its own."""
    seconds = clock.parse_time(now)
    connection.execute(delete(SEEN).where(SEEN.c.seen_at < clock.format_time(seconds - SEEN_DAYS * 86400)))
    connection.execute(delete(HOURS).where(HOURS.c.hour < clock.format_time(seconds - HOURS_DAYS * 86400)[:13]))
