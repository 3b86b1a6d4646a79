"""What people and vendors have decided on findings, in the store: ignores with an end, and VEX documents.

A change reads no image again: stored inventories are judged anew.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from seawall.core.ids import new_id
from seawall.core.plain import to_plain
from seawall.images.load import ignores as form
from seawall.images.load import vex
from seawall.images.model import Statement
from seawall.images.tables import IGNORES, INVENTORIES
from seawall.lists import Change, Refused

MAX_IGNORES = 5000
MAX_STATEMENTS = 50_000
VEX = "vex"
"""The kind of a whole document."""


def add(connection: Connection, value: Mapping[str, Any], by: str, now: str) -> tuple[dict[str, Any], list[Change]]:
    """One decision. Refused (422) when it makes no sense, or would ignore everything."""
    entry = {name: value[name] for name in ("ids", "packages", "images", "paths", "reason", "status", "kind")}
    try:
        statement = form.entry({**entry, **({"until": value["until"]} if value["until"] else {})})
    except ValueError as error:
        raise Refused(f"the decision makes no sense: {error}") from error
    if statement.until and statement.until < now[:10]:
        raise Refused(f"it would have ended already, on {statement.until}")
    return _store(connection, statement.kind, [statement], (value["owner"] or by, by), now=now)


def add_vex(connection: Connection, name: str, data: bytes, by: str, now: str) -> tuple[dict[str, Any], list[Change]]:
    """A vendor's document. Refused (422) when it is none that is known."""
    try:
        found = vex.parse(data, name)
    except ValueError as error:
        raise Refused(f"{name}: {error}", f"VEX is read as {', '.join(vex.FORMS)}") from error
    if not found:
        raise Refused(f"{name} says nothing of any vulnerability")
    if len(found) > MAX_STATEMENTS:
        raise Refused(f"{name} holds {len(found)} statements, at most {MAX_STATEMENTS} are taken")
    return _store(connection, VEX, list(found), (by, by), now=now, name=name)


def remove(connection: Connection, id: str) -> list[Change]:
    """What it decided counts again. Refused (404)."""
    if not connection.execute(delete(IGNORES).where(IGNORES.c.id == id)).rowcount:
        raise Refused(f"there is no decision {id[:60]!r}", status=404)
    _again(connection)
    return [Change("image-ignores/remove", {"id": id})]


def statements(connection: Connection) -> tuple[Statement, ...]:
    """All that is decided, people's own before vendors'."""
    rows = connection.execute(select(IGNORES).order_by(IGNORES.c.kind == VEX, IGNORES.c.id)).mappings()
    return tuple(one for row in rows for one in msgspec.convert(row["form"]["statements"], list[Statement]))


def age(connection: Connection, today: str) -> None:
    """Days go by: images that were judged while a decision still held are judged anew when it has ended."""
    ended = select(func.max(IGNORES.c.until)).where(IGNORES.c.until != "", IGNORES.c.until < today)
    last = connection.execute(ended).scalar()
    if last:
        stale = (INVENTORIES.c.judged_at < f"{last}T24", INVENTORIES.c.judged_with != "")
        connection.execute(update(INVENTORIES).where(*stale).values(judged_with=""))


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the API shows it: of a document only its name and how much it says."""
    kept = {str(name): value for name, value in row.items() if name != "form"}
    said = row["form"]["statements"]
    if row["kind"] == VEX:
        return {**kept, "name": row["form"]["name"], "statements": len(said)}
    return {**kept, **{name: said[0][name] for name in ("ids", "packages", "images", "paths")}}


def _store(
    connection: Connection, kind: str, found: list[Statement], people: tuple[str, str], **more: str
) -> tuple[dict[str, Any], list[Change]]:
    now, name = more["now"], more.get("name", "")
    number = connection.execute(select(func.count()).select_from(IGNORES)).scalar_one()
    if number >= MAX_IGNORES:
        raise Refused(f"there are {number} decisions, which is the limit", "remove what has ended")
    first = found[0]
    row = {
        "id": new_id("ign"),
        "kind": kind,
        "form": {"name": name, "statements": to_plain(found)},
        "reason": first.reason if kind != VEX else "",
        "status": first.status if kind != VEX else "",
        "owner": people[0],
        "until": first.until if kind != VEX else "",
        "created_by": people[1],
        "created_at": now,
    }
    connection.execute(insert(IGNORES).values(row))
    _again(connection)
    return shown(row), [Change("image-ignores/change", shown(row))]


def _again(connection: Connection) -> None:
    connection.execute(update(INVENTORIES).values(judged_with=""))
