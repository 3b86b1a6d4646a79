"""From a batch to rows: every item to the room that owns its kind, one bad item never costing the others.

Runs as one step of the writer, so a batch is stored whole with its sequence number or not at all.
"""

import importlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from seawall.core import clock, envelope, ids
from seawall.core.envelope import Batch, Item
from seawall.core.errors import Hostile
from seawall.lists import Change, Resync, Source
from seawall.server import agents, automatic, details, jobs, outcomes

LOG = structlog.get_logger("seawall.ingest")

Apply = Callable[[Connection, Source, Item, str], list[Change]]

OWNERS = {
    "alert": "seawall.runtime.store",
    "snapshot": "seawall.assets.store",
    "facts": "seawall.baseline.store",
    "inventory": "seawall.images.store",
    "profile": "seawall.runtime.store.profiles",
    "replay": "seawall.runtime.store.replays",
}
"""Kind of item → the room's module whose `apply` stores it. Heartbeats and orders are the server's own."""
MAX_LOGGED = 3
"""Bad items of one batch that are written to the log; the rest is only counted."""


class _Envelope(msgspec.Struct):
    v: int
    instance: str
    seq: int
    sent_at: str
    items: list[Any]


_DECODER = msgspec.json.Decoder(_Envelope)


@dataclass(slots=True)
class Taken:
    """What became of a batch."""

    ack: int
    stored: int = 0
    rejected: int = 0
    resync: list[str] = field(default_factory=list)
    ordered: bool = False
    """Whether there is a new order for this agent now."""
    conflict: bool = False


def decode(body: bytes) -> tuple[Batch, int]:
    """A request's body as a batch, and how many of its items were no items at all. Raises Hostile."""
    try:
        value = _DECODER.decode(envelope.inflate(body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, zlib.error) as error:
        raise Hostile(f"batch is not in the wire's form: {error}") from error
    if value.v != envelope.VERSION:
        raise Hostile(f"batch of wire version {value.v}, this server speaks {envelope.VERSION}")
    if not 0 < len(value.instance) <= 64 or not 0 <= value.seq < 2**62:
        raise Hostile("batch has no sane instance or sequence number")
    items = [Item(one["kind"], one["data"]) for one in value.items if _is_item(one)]
    return Batch(value.instance, value.seq, value.sent_at, items), len(value.items) - len(items)


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("kind"), str) and isinstance(value.get("data"), dict)


def take(
    connection: Connection, agent_id: str, batch: Batch, *, malformed: int, address: str, seconds: float
) -> tuple[Taken, list[Change]]:
    """Store a batch, once. Raises Refused (403) for an agent that is not welcome."""
    row = agents.welcome(connection, agent_id)
    known = agents.last_seq(connection, agent_id, batch.instance)
    if known is not None and batch.seq <= known:
        return Taken(known), []
    now = clock.format_time(seconds)
    taken = Taken(batch.seq, rejected=malformed)
    changes = _apply_all(connection, agents.source(row), batch.items, now, taken)
    taken.conflict, noticed = agents.heard(
        connection,
        agent_id,
        instance=batch.instance,
        seq=batch.seq,
        address=address,
        now=now,
        rejected=taken.rejected,
    )
    changes += noticed
    ordered = _answered(connection, agents.source(row), changes, now)
    taken.ordered = any(change.type == "jobs/change" for change in ordered)
    changes += ordered
    if taken.conflict:
        changes += _tell_conflict(connection, agents.source(row), now)
    return taken, changes


def _apply_all(connection: Connection, source: Source, items: list[Item], now: str, taken: Taken) -> list[Change]:
    """All items under one savepoint, which is quick; if that fails each under its own, which finds the bad one."""
    savepoint = connection.begin_nested()
    quick = Taken(taken.ack)
    changes: list[Change] = []
    try:
        alerts = [item for item in items if item.kind == "alert"]
        if alerts:
            changes += importlib.import_module(OWNERS["alert"]).apply_all(connection, source, alerts, now)
            quick.stored += len(alerts)
        for item in items:
            if item.kind != "alert":
                changes += _apply(connection, source, item, now, quick)
    except OperationalError:
        savepoint.rollback()
        raise
    except Exception:
        savepoint.rollback()
        return _apply_each(connection, source, items, now, taken)
    savepoint.commit()
    taken.stored, taken.rejected, taken.resync = quick.stored, taken.rejected + quick.rejected, quick.resync
    return changes


def _apply_each(connection: Connection, source: Source, items: list[Item], now: str, taken: Taken) -> list[Change]:
    changes: list[Change] = []
    for item in items:
        savepoint = connection.begin_nested()
        try:
            found = _apply(connection, source, item, now, taken)
        except OperationalError:  # the disk or the lock, not the item: the whole batch has to come again
            savepoint.rollback()
            raise
        except Exception as error:
            savepoint.rollback()
            taken.rejected += 1
            if taken.rejected <= MAX_LOGGED:
                LOG.warning("item rejected", agent=source.agent_id, kind=item.kind, error=repr(error)[:500])
            continue
        savepoint.commit()
        changes += found
    return changes


def _apply(connection: Connection, source: Source, item: Item, now: str, taken: Taken) -> list[Change]:
    try:
        if item.kind == "heartbeat":
            changes = agents.heartbeat(connection, source.agent_id, item.data)
            changes += _silenced(connection, item.data, now)
        elif item.kind == "order":
            said = _checked(connection, item.data)
            changes = outcomes.followed(connection, jobs.report(connection, source.agent_id, said, now), now)
        elif item.kind in OWNERS:
            if item.kind == "inventory":
                _asked_for(connection, source, item.data)
            if item.kind == "profile" and not _known_image(connection, source, item.data):
                taken.stored += 1
                return []
            changes = details.completed(connection, list(_owner(item.kind)(connection, source, item, now)))
        else:  # a newer agent may say more than this server knows
            taken.rejected += 1
            return []
    except Resync as wish:
        if wish.kind not in taken.resync:
            taken.resync.append(wish.kind)
        return []
    taken.stored += 1
    return changes


def _answered(connection: Connection, source: Source, changes: list[Change], now: str) -> list[Change]:
    """What the server orders by itself; that it cannot never costs the batch that asked for it."""
    if not any(change.type.startswith("alerts/") and change.payload.get("category") == "malware" for change in changes):
        return []
    savepoint = connection.begin_nested()
    try:
        found = automatic.answered(connection, source, changes, now)
    except OperationalError:
        savepoint.rollback()
        raise
    except Exception as error:
        savepoint.rollback()
        LOG.exception("no automatic response", agent=source.agent_id, error=repr(error))
        return []
    savepoint.commit()
    return found


def _silenced(connection: Connection, beat: Mapping[str, Any], now: str) -> list[Change]:
    """What the node's waivers held back since its last heartbeat."""
    if not beat.get("silenced"):
        return []
    from seawall.runtime.store import waivers

    return waivers.count(connection, beat["silenced"], now)


def _asked_for(connection: Connection, source: Source, data: Mapping[str, Any]) -> None:
    """An agent may only speak of images that it was ordered to read: none can make another's image look clean."""
    image = {"image_id": data.get("image_id")}
    if not jobs.ordered(connection, source.agent_id, data.get("order"), "image.inventory", **image):
        raise Hostile(f"nobody ordered this inventory of {str(data.get('image_id'))[:80]}")


def _known_image(connection: Connection, source: Source, data: Mapping[str, Any]) -> bool:
    """A node may teach only of images that it has: none can put a program into another's profile.

    What is told of an image before the image itself is dropped: the node tells again what runs again.
    """
    return details.has_image(connection, source.agent_id, str(data.get("image_digest") or ""))


def _checked(connection: Connection, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """An order is not done before what it brings is here."""
    if said.get("state") != "done" or not jobs.is_kind(connection, said.get("id"), "image.inventory"):
        return said
    from seawall.images import store as images

    if images.delivered(connection, str(said.get("id"))):
        return said
    return {**said, "state": "failed", "error": "what the agent read did not arrive whole; scan again"}


def _owner(kind: str) -> Apply:
    apply: Apply = importlib.import_module(OWNERS[kind]).apply
    return apply


def _tell_conflict(connection: Connection, source: Source, now: str) -> list[Change]:
    """An alert about ourselves: two agents use one identity."""
    places = agents.addresses(connection, source.agent_id)
    alert: Mapping[str, Any] = {
        "schema": "seawall.alert/1",
        "time": now,
        "id": ids.new_id("alert"),
        "rule": "seawall-agent-conflict",
        "title": f"Two agents speak as {source.host_name}: {' and '.join(dict.fromkeys(places))}",
        "title_zh": f"两个 Agent 使用同一身份 {source.host_name}：{' 与 '.join(dict.fromkeys(places))}",
        "category": "self",
        "severity": "high",
        "action": "alert",
        "result": "none",
        "container": {},
        "process": {},
        "ancestors": [],
        "evidence": {"agent_id": source.agent_id, "addresses": places},
        "key": f"seawall-agent-conflict:{source.agent_id}",
        "count": 1,
        "first_seen": now,
        "last_seen": now,
        "mitre": [],
        "why": "One certificate is used from two places: a node was cloned with its agent, or the key was copied.",
        "why_zh": "同一证书在两处使用：节点连同 Agent 状态被克隆，或密钥被复制。",
        "advice": "Delete the agent here, then enrol both nodes again; each gets a certificate of its own.",
        "advice_zh": "在控制台删除该 Agent，然后在两个节点上分别重新注册，各自获得独立证书。",
    }
    return _owner("alert")(connection, source, Item("alert", dict(alert)), now)
