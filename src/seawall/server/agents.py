"""Agents as the server knows them: who they are, how they are, when they were last heard of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from seawall.core import clock, ids
from seawall.lists import Change, Listing, Node, Refused, Source
from seawall.server.tables import AGENTS, INSTANCES, Row

MAX_TEXT = 256


def shown(row: Row) -> dict[str, Any]:
    """A row as the API shows it."""
    beat = row["heartbeat"] or {}
    names = ("id", "name", "version", "state", "host_id", "address", "cpu", "rss", "degrade", "degrade_reason")
    later = ("dropped", "rejected", "enrolled_at", "last_seen", "certificate_expires_at", "conflicts")
    return {
        **{name: row[name] for name in names},
        "sensor": beat.get("sensor") or {"state": row["sensor_state"]},
        "spool": beat.get("spool") or {},
        "capabilities": beat.get("capabilities") or {},
        "runtimes": beat.get("runtimes") or [],
        "errors": beat.get("errors") or [],
        "uptime": beat.get("uptime"),
        "plan_version": beat.get("plan_version") or "",
        "config_version": beat.get("config_version") or "",
        "protection": beat.get("protection") or {},
        **{name: row[name] for name in later},
    }


LISTING = Listing(
    select(AGENTS).where(AGENTS.c.deleted_at.is_(None)),
    key="id",
    sort="-last_seen",
    sorts=("name", "state", "version", "cpu", "rss", "degrade", "dropped", "conflicts", "enrolled_at", "last_seen"),
    filters=("id", "state", "version", "host_id", "degrade", "sensor_state", "name"),
    text=("name", "address", "id", "host_id"),
    time="last_seen",
    row=shown,
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What an agent says of itself when it enrols."""

    hostname: str
    host_id: str
    version: str
    address: str


def enrol(connection: Connection, newcomer: Newcomer, now: str) -> tuple[str, list[Change]]:
    """The id of a new agent. The same host under the same name keeps its id: that is a reinstallation."""
    same = select(AGENTS.c.id).where(
        AGENTS.c.host_id == newcomer.host_id, AGENTS.c.name == newcomer.hostname, AGENTS.c.deleted_at.is_(None)
    )
    values = {"version": newcomer.version, "address": newcomer.address, "last_seen": now, "state": "online"}
    known = connection.execute(same).scalar()
    if known is not None:
        connection.execute(update(AGENTS).where(AGENTS.c.id == known).values(**values, enrolled_at=now))
        return str(known), _changed(connection, known)
    agent_id = ids.new_id("agent")
    row = {
        **values,
        "id": agent_id,
        "name": newcomer.hostname,
        "host_id": newcomer.host_id,
        "degrade": 0,
        "degrade_reason": "",
        "sensor_state": "off",
        "dropped": 0,
        "rejected": 0,
        "conflicts": 0,
        "instance": "",
        "heartbeat": {},
        "enrolled_at": now,
        "certificate_expires_at": now,
    }
    connection.execute(insert(AGENTS).values(row))
    return agent_id, _changed(connection, agent_id)


def certified(connection: Connection, agent_id: str, until: datetime) -> None:
    """Note how long the agent's newest certificate is valid."""
    text = clock.format_time(until.timestamp())
    connection.execute(update(AGENTS).where(AGENTS.c.id == agent_id).values(certificate_expires_at=text))


def find(connection: Connection, agent_id: str) -> dict[str, Any]:
    """The agent as the API shows it; Refused (404) when there is none."""
    row = _row(connection, agent_id)
    if row is None or row["deleted_at"] is not None:
        raise Refused(f"there is no agent {agent_id!r}", status=404)
    return shown(row)


def welcome(connection: Connection, agent_id: str) -> Row:
    """The row of an agent that may come in; Refused (403) for one that is unknown or was deleted."""
    row = _row(connection, agent_id)
    if row is None or row["deleted_at"] is not None:
        raise Refused(f"agent {agent_id!r} is not known here", "enrol it again", 403)
    return row


def source(row: Row) -> Source:
    """Who an agent speaks for."""
    return Source(row["id"], row["host_id"], row["name"])


def heartbeat(connection: Connection, agent_id: str, beat: Mapping[str, Any]) -> list[Change]:
    """Store a heartbeat; consoles hear of it when something that matters has changed. ValueError on a malformed one."""
    old = _row(connection, agent_id)
    sensor, spool = _object(beat, "sensor"), _object(beat, "spool")
    _object(beat, "protection")
    host = _object(beat, "host")
    values = {
        "version": _text(beat, "version"),
        "cpu": _number(beat, "cpu"),
        "rss": int(_number(beat, "rss")),
        "degrade": int(_number(beat, "degrade")),
        "degrade_reason": _text(beat, "degrade_reason", 2000),
        "sensor_state": _text(sensor, "state") or "off",
        "dropped": _total(sensor.get("dropped")) + _total(spool.get("dropped")),
        "heartbeat": dict(beat),
        **({"name": _text(host, "name")} if host.get("name") else {}),
    }
    connection.execute(update(AGENTS).where(AGENTS.c.id == agent_id).values(values))
    watched = ("version", "degrade", "degrade_reason", "sensor_state", "name")
    told = old is not None and (old["heartbeat"] or {}).get("protection") == beat.get("protection")
    if old is not None and told and all(old[key] == values.get(key, old[key]) for key in watched):
        return []
    return _changed(connection, agent_id)


def heard(
    connection: Connection, agent_id: str, *, instance: str, seq: int, address: str, now: str, rejected: int
) -> tuple[bool, list[Change]]:
    """Note a durable batch. True when two instances alternate: one that was left behind speaks again."""
    row = _row(connection, agent_id)
    if row is None:
        return False, []
    place = and_(INSTANCES.c.agent_id == agent_id, INSTANCES.c.instance == instance)
    noted = {"seq": seq, "address": address, "last_seen": now}
    known = connection.execute(update(INSTANCES).where(place).values(noted)).rowcount > 0
    if not known:
        first = {"agent_id": agent_id, "instance": instance, "first_seen": now, **noted}
        connection.execute(insert(INSTANCES).values(first))
    conflict = known and row["instance"] not in ("", instance)
    values = {
        "state": "online",
        "last_seen": now,
        "address": address,
        "instance": instance,
        "rejected": row["rejected"] + rejected,
        "conflicts": row["conflicts"] + conflict,
    }
    connection.execute(update(AGENTS).where(AGENTS.c.id == agent_id).values(values))
    back = row["state"] != "online" or conflict
    return conflict, _changed(connection, agent_id) if back else []


def last_seq(connection: Connection, agent_id: str, instance: str) -> int | None:
    """The highest durable sequence number of an instance; None for one never heard of."""
    place = and_(INSTANCES.c.agent_id == agent_id, INSTANCES.c.instance == instance)
    found = connection.execute(select(INSTANCES.c.seq).where(place)).scalar()
    return None if found is None else int(found)


def addresses(connection: Connection, agent_id: str) -> list[str]:
    """Where the agent's two newest instances speak from."""
    statement = select(INSTANCES.c.address).where(INSTANCES.c.agent_id == agent_id)
    return list(connection.execute(statement.order_by(INSTANCES.c.last_seen.desc()).limit(2)).scalars())


def overdue(connection: Connection, seconds: float, late: float, offline: float) -> list[tuple[str, str]]:
    """Agents whose state is no longer true: (id, new state)."""
    is_late, is_offline = clock.format_time(seconds - late), clock.format_time(seconds - offline)
    statement = select(AGENTS.c.id, AGENTS.c.last_seen).where(
        AGENTS.c.deleted_at.is_(None),
        or_(
            and_(AGENTS.c.state != "offline", AGENTS.c.last_seen < is_offline),
            and_(AGENTS.c.state == "online", AGENTS.c.last_seen < is_late),
        ),
    )
    return [(row.id, "offline" if row.last_seen < is_offline else "late") for row in connection.execute(statement)]


def set_state(connection: Connection, agent_id: str, state: str) -> list[Change]:
    """Write an agent's new state."""
    connection.execute(update(AGENTS).where(AGENTS.c.id == agent_id).values(state=state))
    return _changed(connection, agent_id)


def remove(connection: Connection, agent_id: str, now: str) -> list[Change]:
    """Delete an agent: its certificate is refused from now on."""
    find(connection, agent_id)
    connection.execute(update(AGENTS).where(AGENTS.c.id == agent_id).values(deleted_at=now, state="offline"))
    connection.execute(delete(INSTANCES).where(INSTANCES.c.agent_id == agent_id))
    return [Change("agents/change", {"id": agent_id, "deleted": True})]


def online(connection: Connection) -> Sequence[Source]:
    """Agents that are online now."""
    statement = select(AGENTS).where(AGENTS.c.deleted_at.is_(None), AGENTS.c.state == "online").order_by(AGENTS.c.name)
    return [source(row) for row in connection.execute(statement).mappings()]


def node(connection: Connection, agent_id: str) -> Node:
    """An agent as one who gives orders sees it; Refused (404) when there is none."""
    row = _row(connection, agent_id)
    if row is None or row["deleted_at"] is not None:
        raise Refused(f"there is no agent {agent_id!r}", status=404)
    orders = ((row["heartbeat"] or {}).get("capabilities") or {}).get("orders")
    known = tuple(str(order) for order in orders) if isinstance(orders, list) else ()
    return Node(source(row), row["state"] != "offline", known)


def _row(connection: Connection, agent_id: str) -> Row | None:
    return connection.execute(select(AGENTS).where(AGENTS.c.id == agent_id)).mappings().first()


def _changed(connection: Connection, agent_id: str) -> list[Change]:
    row = _row(connection, agent_id)
    return [Change("agents/change", shown(row))] if row is not None else []


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name) or {}
    if not isinstance(found, dict):
        raise ValueError(f"heartbeat: {name} is not an object")
    return found


def _text(value: Mapping[str, Any], name: str, longest: int = MAX_TEXT) -> str:
    found = value.get(name)
    return "" if found is None else str(found)[:longest]


def _number(value: Mapping[str, Any], name: str) -> float:
    found = value.get(name) or 0
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < 2**62:
        raise ValueError(f"heartbeat: {name} is not a number")
    return found


def _total(counts: object) -> int:
    if not isinstance(counts, dict):
        return 0
    return int(sum(_number(counts, name) for name in counts))
