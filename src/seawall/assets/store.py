"""Assets as the agents tell them: one table a kind, the whole record as JSON beside the columns that lists filter by.

A host's snapshot is known by its hash; a delta that builds on another one is answered with Resync. Image rows are
shared by all hosts that hold the image.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
    true,
)
from sqlalchemy import update as update_rows

from seawall.core.envelope import Item
from seawall.lists import Change, Resync, Source

METADATA = MetaData()
MAX_RECORDS = 5000
"""Records in one delta; agents send far fewer."""
BATCH = 500
"""Keys in one statement."""


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(
        name,
        METADATA,
        Column("id", String(160), primary_key=True),
        Column("host_id", String(64), nullable=False, index=True),
        Column("host_name", String(255), nullable=False),
        Column("agent_id", String(64), nullable=False),
        Column("first_seen", String(24), nullable=False),
        Column("last_seen", String(24), nullable=False),
        *columns,
        Column("data", JSON, nullable=False),
    )


def _text(name: str, index: bool = False) -> Column[Any]:
    return Column(name, String(1024), nullable=False, index=index)


HOSTS = _table("hosts", _text("name"), _text("os"), _text("kernel"), Column("containers", Integer, nullable=False))
CONTAINERS = _table(
    "containers",
    _text("name"),
    _text("state", index=True),
    _text("image"),
    _text("image_id", index=True),
    _text("runtime"),
    _text("created_at"),
    Column("privileged", Boolean, nullable=False),
    Column("process_count", Integer, nullable=False),
)
IMAGES = _table(
    "images",
    _text("name"),
    _text("created_at"),
    _text("tags"),
    Column("size", Integer, nullable=False),
    Column("containers", Integer, nullable=False),
    Column("layers", Integer, nullable=False),
)
PROCESSES = _table(
    "processes",
    _text("name"),
    _text("exe"),
    _text("args"),
    _text("user"),
    _text("container_id", index=True),
    _text("container_name"),
    _text("started_at"),
    Column("pid", Integer, nullable=False),
    Column("memory", Integer, nullable=False),
)
PORTS = _table(
    "ports",
    _text("proto"),
    _text("address"),
    _text("process"),
    _text("exposure"),
    _text("container_id", index=True),
    _text("container_name"),
    Column("port", Integer, nullable=False),
    Column("pid", Integer, nullable=False),
)
IMAGE_HOSTS = Table(
    "image_hosts",
    METADATA,
    Column("image_id", String(160), primary_key=True),
    Column("host_id", String(64), primary_key=True),
    Column("agent_id", String(64), nullable=False),
    Column("containers", Integer, nullable=False),
)
SNAPSHOTS = Table(
    "asset_snapshots",
    METADATA,
    Column("agent_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("hash", String(80), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind is kept."""

    table: Table
    unique: bool
    """Whether the record's own id is unique over all hosts; else the host's is put before it."""
    live: str = ""
    """Type of the change that consoles hear."""


KINDS = {
    "hosts": Kind(HOSTS, True),
    "containers": Kind(CONTAINERS, True, "containers/change"),
    "images": Kind(IMAGES, True, "images/change"),
    "processes": Kind(PROCESSES, False),
    "ports": Kind(PORTS, False),
}


def apply(connection: Connection, source: Source, item: Item, now: str) -> list[Change]:
    """Store one `snapshot` item. Raises Resync for a foreign base, ValueError, KeyError or TypeError for rubbish."""
    name, base, upsert, remove = item.data["kind"], item.data["base"], item.data["upsert"], item.data["remove"]
    kind = KINDS[name]
    if not isinstance(upsert, list) or not isinstance(remove, list) or len(upsert) + len(remove) > MAX_RECORDS:
        raise ValueError(f"a {name} delta is two lists of at most {MAX_RECORDS} in all")
    held = select(SNAPSHOTS.c.hash).where(SNAPSHOTS.c.agent_id == source.agent_id, SNAPSHOTS.c.kind == name)
    if base is not None and connection.execute(held).scalar() != base:
        raise Resync(name)
    rows = [_row(kind, source, record, now) for record in upsert]
    gone = [_key(kind, source, str(one)) for one in remove]
    if base is None:
        gone = _others(connection, kind, source, {row["id"] for row in rows})
    _remove(connection, kind, source, gone)
    _upsert(connection, kind, source, rows)
    _remember(connection, source, name, str(item.data["hash"]))
    return _changes(kind, rows, _gone_everywhere(connection, kind, gone))


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the API shows it: the record, and where and when it was seen."""
    place = {name: row[name] for name in ("id", "host_id", "host_name", "agent_id", "first_seen", "last_seen")}
    extra = {name: row[name] for name in ("hosts",) if name in row}
    return {**row["data"], **place, **extra}


def one(connection: Connection, kind: str, id: str) -> dict[str, Any] | None:
    """One asset, or None."""
    table = KINDS[kind].table
    row = connection.execute(select(table).where(table.c.id == id)).mappings().first()
    return shown(dict(row)) if row is not None else None


def holders(connection: Connection, image_id: str) -> list[str]:
    """Agents whose hosts hold an image."""
    return list(connection.execute(select(IMAGE_HOSTS.c.agent_id).where(IMAGE_HOSTS.c.image_id == image_id)).scalars())


def counts(connection: Connection) -> dict[str, Any]:
    """The overview's `assets`."""

    def number(table: Table, *conditions: Any) -> int:
        return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()

    return {
        "hosts": number(HOSTS),
        "containers": {"running": number(CONTAINERS, CONTAINERS.c.state == "running"), "total": number(CONTAINERS)},
        "images": number(IMAGES),
        "processes": number(PROCESSES),
        "ports": number(PORTS),
    }


def forget(connection: Connection, agent_id: str) -> None:
    """Remove what a deleted agent told."""
    connection.execute(delete(IMAGE_HOSTS).where(IMAGE_HOSTS.c.agent_id == agent_id))
    for kind in KINDS.values():
        connection.execute(delete(kind.table).where(kind.table.c.agent_id == agent_id, _unheld(kind)))
    connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.agent_id == agent_id))


def _key(kind: Kind, source: Source, id: str) -> str:
    return id if kind.unique else f"{source.host_id[:16]}.{id}"


def _row(kind: Kind, source: Source, record: Any, now: str) -> dict[str, Any]:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str) or not 0 < len(record["id"]) <= 140:
        raise ValueError("an asset is an object with an id of at most 140 characters")
    if kind.table is HOSTS and record["id"] != source.host_id:
        raise ValueError(f"host {source.host_id} may not speak as {record['id']}")
    row: dict[str, Any] = {
        "id": _key(kind, source, record["id"]),
        "host_id": source.host_id,
        "host_name": source.host_name,
        "agent_id": source.agent_id,
        "first_seen": now,
        "last_seen": now,
        "data": record,
    }
    for column in kind.table.columns:
        if column.name not in row:
            row[column.name] = _value(column, record.get(column.name))
    return row


def _value(column: Column[Any], value: Any) -> Any:
    if column.type.python_type is bool:
        return bool(value)
    if column.type.python_type is int:
        return int(value or 0)
    return " ".join(map(str, value))[:1024] if isinstance(value, list) else str(value or "")[:1024]


def _others(connection: Connection, kind: Kind, source: Source, kept: set[str]) -> list[str]:
    """What this host had and a whole snapshot does not name any more."""
    if kind.table is IMAGES:
        had = select(IMAGE_HOSTS.c.image_id).where(IMAGE_HOSTS.c.host_id == source.host_id)
    else:
        had = select(kind.table.c.id).where(kind.table.c.host_id == source.host_id)
    return [key for key in connection.execute(had).scalars() if key not in kept]


def _remove(connection: Connection, kind: Kind, source: Source, gone: Sequence[str]) -> None:
    for part in _parts(gone):
        if kind.table is IMAGES:
            mine = IMAGE_HOSTS.c.host_id == source.host_id
            connection.execute(delete(IMAGE_HOSTS).where(mine, IMAGE_HOSTS.c.image_id.in_(part)))
            connection.execute(delete(IMAGES).where(IMAGES.c.id.in_(part), _unheld(kind)))
        else:  # a host may remove its own rows only
            mine = kind.table.c.host_id == source.host_id
            connection.execute(delete(kind.table).where(mine, kind.table.c.id.in_(part)))


def _unheld(kind: Kind) -> ColumnElement[bool]:
    """Rows that no other host shares."""
    held = exists().where(IMAGE_HOSTS.c.image_id == IMAGES.c.id)
    return ~held if kind.table is IMAGES else true()


def _upsert(connection: Connection, kind: Kind, source: Source, rows: Sequence[dict[str, Any]]) -> None:
    table = kind.table
    known: dict[str, str] = {}
    for part in _parts([row["id"] for row in rows]):
        found = connection.execute(select(table.c.id, table.c.first_seen, table.c.host_id).where(table.c.id.in_(part)))
        for key, first_seen, host_id in found:
            if table is not IMAGES and host_id != source.host_id:
                raise ValueError(f"{key} belongs to host {host_id}: no host may speak of another's")
            known[key] = first_seen
    for row in rows:
        row["first_seen"] = known.get(row["id"], row["first_seen"])
    for part in _parts(list(known)):
        connection.execute(delete(table).where(table.c.id.in_(part)))
    if rows:
        connection.execute(insert(table), list({row["id"]: row for row in rows}.values()))
    if table is IMAGES:
        _hold(connection, source, rows)


def _hold(connection: Connection, source: Source, rows: Sequence[dict[str, Any]]) -> None:
    for part in _parts([row["id"] for row in rows]):
        mine = IMAGE_HOSTS.c.host_id == source.host_id
        connection.execute(delete(IMAGE_HOSTS).where(mine, IMAGE_HOSTS.c.image_id.in_(part)))
    values = [
        {
            "image_id": row["id"],
            "host_id": source.host_id,
            "agent_id": source.agent_id,
            "containers": row["containers"],
        }
        for row in {row["id"]: row for row in rows}.values()
    ]
    if values:
        connection.execute(insert(IMAGE_HOSTS), values)


def _remember(connection: Connection, source: Source, kind: str, hash: str) -> None:
    mine = (SNAPSHOTS.c.agent_id == source.agent_id, SNAPSHOTS.c.kind == kind)
    if not connection.execute(update_rows(SNAPSHOTS).where(*mine).values(hash=hash)).rowcount:
        connection.execute(insert(SNAPSHOTS).values(agent_id=source.agent_id, kind=kind, hash=hash))


def _changes(kind: Kind, rows: Iterable[Mapping[str, Any]], gone: Iterable[str]) -> list[Change]:
    if not kind.live:
        return []
    return [Change(kind.live, shown(row)) for row in rows] + [
        Change(kind.live, {"id": key, "removed": True}) for key in gone
    ]


def _gone_everywhere(connection: Connection, kind: Kind, gone: Sequence[str]) -> list[str]:
    """Those that are gone from everywhere: an image may lie on another host."""
    there: set[str] = set()
    for part in _parts(gone) if kind.live else ():
        there.update(connection.execute(select(kind.table.c.id).where(kind.table.c.id.in_(part))).scalars())
    return [key for key in gone if key not in there]


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))
