"""The wire envelope between agent and server: a numbered batch of items, compressed, with limits on both sides.

docs/reference/wire.md is the contract in words.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from seawall.core.errors import Hostile

VERSION = 1
MAX_COMPRESSED = 8 << 20
"""Bytes of one request body."""
MAX_PLAIN = 64 << 20
"""Bytes of one batch after inflating; more is a bomb."""

KINDS = ("alert", "heartbeat", "snapshot", "facts", "inventory", "replay", "order", "profile")
"""What an item may be, most precious first: when the spool is full the last of these is dropped first.

A batch has them in this order: what an order brings goes before the word that it is done.
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing the agent says."""

    kind: str
    """One of KINDS."""
    data: dict[str, Any]
    """The plain JSON value; its shape follows from the kind (docs/reference/wire.md)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What `POST /v1/agent/batch` carries."""

    instance: str
    """Names one life of one spool. A second agent with the same certificate shows itself by another instance."""
    seq: int
    """Grows by one with each batch of an instance; a batch seen before is acknowledged again, never stored twice."""
    sent_at: str
    items: list[Item]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers once the batch is durable."""

    ack: int
    """The highest sequence number of this instance that is durable."""
    interval: float = 5.0
    """Seconds to wait before the next batch, unless something urgent happens."""
    max_items: int = 500
    shed: int = 0
    """0 = all is well; 1 = send no process and port snapshots; 2 = alerts, heartbeats and orders only."""
    config_version: str = ""
    """Hash of the configuration (runtime plan and schedule) that this agent should have; fetched when it differs."""
    resync: list[str] = field(default_factory=list)
    """Snapshot kinds whose base the server does not hold: send them whole."""
    orders: list[dict[str, Any]] = field(default_factory=list)


def encode(batch: Batch) -> bytes:
    """Zlib-compressed JSON. Raises Hostile if the batch is larger than a server takes."""
    items = ((item.kind, _json(item.data)) for item in batch.items)
    return pack(batch.instance, batch.seq, batch.sent_at, items)


def pack(instance: str, seq: int, sent_at: str, items: Iterable[tuple[str, bytes]]) -> bytes:
    """`encode` for items whose data is JSON already: one at a time, so that a batch never lies in memory as text."""
    packer = zlib.compressobj(3)
    head = _json({"v": VERSION, "instance": instance, "seq": seq, "sent_at": sent_at})
    parts = [packer.compress(head[:-1] + b',"items":[')]
    for place, (kind, data) in enumerate(items):
        parts.append(packer.compress(b'%s{"kind":%s,"data":' % (b"," if place else b"", _json(kind))))
        parts += packer.compress(data), packer.compress(b"}")
    packed = b"".join([*parts, packer.compress(b"]}"), packer.flush()])
    if len(packed) > MAX_COMPRESSED:
        raise Hostile(f"batch {seq} is {len(packed)} bytes, the limit is {MAX_COMPRESSED}")
    return packed


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def inflate(body: bytes) -> bytes:
    """The plain bytes of a body; raises Hostile on a bomb or on rubbish."""
    if len(body) > MAX_COMPRESSED:
        raise Hostile(f"batch of {len(body)} bytes, the limit is {MAX_COMPRESSED}")
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(body, MAX_PLAIN)
    except zlib.error as error:
        raise Hostile(f"batch is not zlib data: {error}") from error
    if not inflater.eof:
        raise Hostile(f"batch is cut off, or inflates to more than {MAX_PLAIN} bytes")
    return plain


def decode(body: bytes) -> Batch:
    """The batch in a request body; raises Hostile on anything that is not one."""
    try:
        value = json.loads(inflate(body))
        if value["v"] != VERSION:
            raise Hostile(f"batch of wire version {value['v']!r}, this server speaks {VERSION}")
        return Batch(str(value["instance"]), int(value["seq"]), str(value["sent_at"]), list(_items(value["items"])))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Hostile(f"batch is not in the wire's form: {error!r}") from error


def _items(values: Iterable[Any]) -> Iterable[Item]:
    for value in values:
        # An unknown kind is kept: a newer agent may say more than this server knows, and the server counts it.
        if not isinstance(value["data"], dict):
            raise ValueError("an item's data is not an object")
        yield Item(str(value["kind"]), value["data"])
