"""When which images are scanned by themselves."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from seawall.core import clock
from seawall.core.ids import new_id
from seawall.images import timetable
from seawall.images.scans import SCOPES, Scope
from seawall.images.tables import SCHEDULES
from seawall.images.timetable import Timetable
from seawall.lists import Change, Refused

MAX_SCHEDULES = 200


class Form(msgspec.Struct, frozen=True):
    """What a schedule says."""

    scope: Scope
    scanners: tuple[str, ...]
    timetable: Timetable


def form(value: Mapping[str, Any]) -> Form:
    """A stored form. Raises Refused for what cannot be carried out."""
    try:
        found = msgspec.convert(value, Form)
    except msgspec.ValidationError as error:
        raise Refused(f"the schedule is not understood: {error}") from error
    if found.scope.kind not in SCOPES:
        raise Refused(f"there is no scope {found.scope.kind!r}", f"use one of: {', '.join(SCOPES)}")
    if why := timetable.problem(found.timetable):
        raise Refused(why)
    return found


def add(connection: Connection, name: str, value: Mapping[str, Any], by: str, now: str) -> dict[str, Any]:
    """A new one. Refused (409) when the name is taken."""
    found = form(value)
    names = list(connection.execute(select(SCHEDULES.c.name)).scalars())
    if name in names:
        raise Refused(f"there is a schedule {name!r} already", status=409)
    if len(names) >= MAX_SCHEDULES:
        raise Refused(f"there are {MAX_SCHEDULES} schedules, which is the limit")
    row = {
        "id": new_id("sched"),
        "name": name,
        "enabled": True,
        "form": msgspec.to_builtins(found),
        "next_at": _next(found, now),
        "last_scan": "",
        "created_by": by,
        "created_at": now,
        "updated_by": by,
        "updated_at": now,
    }
    connection.execute(insert(SCHEDULES).values(row))
    return row


def change(connection: Connection, id: str, values: Mapping[str, Any], by: str, now: str) -> dict[str, Any]:
    """Another name, form, or on and off. Refused (404)."""
    row = find(connection, id)
    merged = {**row, **values, "updated_by": by, "updated_at": now}
    found = form(merged["form"])
    merged["form"] = msgspec.to_builtins(found)
    merged["next_at"] = _next(found, now) if merged["enabled"] else None
    connection.execute(update(SCHEDULES).where(SCHEDULES.c.id == id).values(merged))
    return merged


def remove(connection: Connection, id: str) -> None:
    """Refused (404) when there is none."""
    if not connection.execute(delete(SCHEDULES).where(SCHEDULES.c.id == id)).rowcount:
        raise Refused(f"there is no schedule {id[:60]!r}", status=404)


def find(connection: Connection, id: str) -> dict[str, Any]:
    """One. Refused (404)."""
    row = connection.execute(select(SCHEDULES).where(SCHEDULES.c.id == id)).mappings().first()
    if row is None:
        raise Refused(f"there is no schedule {id[:60]!r}", status=404)
    return dict(row)


def due(connection: Connection, now: str) -> list[dict[str, Any]]:
    """Those whose time has come."""
    wanted = select(SCHEDULES).where(SCHEDULES.c.enabled, SCHEDULES.c.next_at <= now).order_by(SCHEDULES.c.next_at)
    return [dict(row) for row in connection.execute(wanted).mappings()]


def begun(connection: Connection, row: Mapping[str, Any], scan: str, now: str) -> list[Change]:
    """It has started a scan ("": there was nothing to scan), and waits for its next time."""
    found = form(row["form"])
    last = clock.parse_time(row["next_at"])
    later = timetable.next_start(found.timetable, clock.parse_time(now), last)
    values = {"next_at": clock.format_time(later), "last_scan": scan or row["last_scan"]}
    connection.execute(update(SCHEDULES).where(SCHEDULES.c.id == row["id"]).values(values))
    return [Change("image-schedules/change", {**row, **values})]


def _next(found: Form, now: str) -> str:
    return clock.format_time(timetable.next_start(found.timetable, clock.parse_time(now)))
