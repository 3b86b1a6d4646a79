"""What the server does not have yet, on disk and bounded.

One chain of segments per kind of item, so that the least precious can go first when the limit is reached; every item
that goes is counted. What was handed to the uplink stays until it is acknowledged, and a batch under way is written
down before it is sent: a killed agent sends the same batch under the same number again, and the server knows it.
When the disk is full or gone, items wait in memory, bounded too, and `status()` says so.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seawall.agent import segments
from seawall.agent.segments import MAX_RECORD, Segment, Writer
from seawall.core.envelope import KINDS
from seawall.core.ids import new_id

LIMIT = 64 << 20
"""Bytes on disk."""
MEMORY = 1 << 20
"""Bytes in memory while the disk does not take them."""
RETRY = 5.0
"""Seconds between two tries of a disk that refused."""

LATEST_ONLY = "heartbeat"
"""Of this kind only the newest counts; it is never written to disk."""
COUNTED = "silenced"
"""What the one before had counted under this name, and nobody has heard, the newest tells too."""


@dataclass(slots=True)
class Part:
    """Consecutive records of one kind: in a segment (from, to), or in memory."""

    kind: str
    items: int
    segment: int = 0
    start: int = 0
    end: int = 0
    payloads: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Outgoing:
    """A batch under way: its place in the numbering, and where its items lie."""

    instance: str
    seq: int
    parts: list[Part]
    refused: set[int] = field(default_factory=set)
    """Places in the batch of items that the server will never take."""

    @property
    def items(self) -> int:
        """How many items it had when it was made."""
        return sum(part.items for part in self.parts)


class Spool:
    """Thread-safe. Only one batch is under way at a time; numbers count up per life of this object."""

    def __init__(self, folder: Path, limit: int = LIMIT, memory: int = MEMORY) -> None:
        self._folder = folder
        self._limit = limit
        self._memory_limit = memory
        self._segment_size = min(1 << 20, limit // 16)
        self._lock = threading.RLock()
        self._chains: dict[str, deque[Segment]] = {kind: deque() for kind in KINDS}
        self._heads: dict[str, int] = dict.fromkeys(KINDS, 0)
        """Offset of the first record that is not acknowledged, in the first segment of each chain."""
        self._writers: dict[str, Writer] = {}
        self._memory: dict[str, deque[bytes]] = {kind: deque() for kind in KINDS}
        self._memory_bytes = 0
        self._dropped: dict[str, int] = {}
        self._batch: Outgoing | None = None
        self._instance = new_id("life")
        self._seq = 0
        self._number = 0
        self._error = ""
        self._retry_at = 0.0
        try:
            folder.mkdir(0o700, parents=True, exist_ok=True)
            self._recover()
        except OSError as error:
            self._refused(error)

    def put(self, kind: str, data: dict[str, Any]) -> None:
        """Keep one item. Never raises for a full disk; what cannot be kept is counted."""
        self.put_json(kind, json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))

    def put_json(self, kind: str, payload: bytes) -> None:
        """`put` for data that is JSON already."""
        with self._lock:
            if len(payload) > MAX_RECORD:
                self._drop(kind, 1)
            elif kind == LATEST_ONLY:
                waiting = self._memory[kind]
                self._memory[kind] = deque([_carried(waiting[-1], payload) if waiting else payload])
            elif not self._write_waiting() or not self._write(kind, payload):
                self._remember(kind, payload)

    def begin(self, max_items: int, max_bytes: int = 1 << 20, kinds: Iterable[str] = KINDS) -> Outgoing | None:
        """The batch under way, else a new one of the most precious items; None when there is nothing to say."""
        with self._lock:
            if self._batch is None:
                parts = list(self._choose(max_items, max_bytes, tuple(kinds)))
                if not parts:
                    return None
                self._seq += 1
                self._batch = Outgoing(self._instance, self._seq, parts)
                self._save()
            return self._batch

    def payloads(self, batch: Outgoing) -> Iterator[tuple[str, bytes]]:
        """(kind, JSON) of each item of a batch that was not refused, read while they are asked for."""
        place = 0
        for part in batch.parts:
            for payload in self._read(part):
                if place not in batch.refused:
                    yield part.kind, payload
                place += 1

    def acknowledge(self) -> None:
        """The batch under way is durable at the server: forget its items."""
        with self._lock:
            batch, self._batch = self._batch, None
            for part in batch.parts if batch else ():
                if not part.payloads:
                    self._advance(part)
            self._save()

    def refuse(self, place: int | None = None) -> None:
        """The server will never take item `place` of the batch under way, or, with None, the whole of it.

        A batch refused as a whole is made anew with half its items, until the one that is to blame stands alone.
        """
        with self._lock:
            batch = self._batch
            if batch is None:
                return
            # The server counts what it was sent, and that is without the items it refused before.
            sent = [at for at in range(batch.items) if at not in batch.refused]
            if place is not None and 0 <= place < len(sent):
                batch.refused.add(sent[place])
                self._drop(self._kind_at(batch, sent[place]), 1)
                self._save()
                return
            if len(sent) > 1:
                self._split(batch)
                return
            if sent:
                self._drop(self._kind_at(batch, sent[0]), 1)
            self.acknowledge()

    def status(self) -> dict[str, Any]:
        """The heartbeat's `spool` object; `error` is there only while the disk refuses."""
        with self._lock:
            waiting = {kind: len(queue) for kind, queue in self._memory.items()}
            items = sum(segment.items for chain in self._chains.values() for segment in chain) + sum(waiting.values())
            size = self._bytes() - sum(self._heads[kind] for kind, chain in self._chains.items() if chain)
            found: dict[str, Any] = {"items": items, "bytes": size, "dropped": dict(self._dropped)}
            if self._error:
                found |= {"error": self._error, "memory_items": sum(waiting.values())}
            return found

    def close(self) -> None:
        """Close the files; what waits in memory is lost unless the disk takes it now."""
        with self._lock:
            self._retry_at = 0.0
            self._write_waiting()
            for writer in self._writers.values():
                writer.close()
            self._writers.clear()

    # Writing

    def _write(self, kind: str, payload: bytes) -> bool:
        """Append to the chain's open segment; False when the disk refuses. Makes room first if it must."""
        if time.monotonic() < self._retry_at:
            return False
        if not self._make_room(kind, len(payload) + segments.HEADER.size):
            self._drop(kind, 1)
            return True
        try:
            self._writer(kind).append(payload)
        except OSError as error:
            self._refused(error)
            return False
        self._error = ""
        return True

    def _writer(self, kind: str) -> Writer:
        writer = self._writers.get(kind)
        if writer is not None and writer.segment.size >= self._segment_size:
            self._close(kind)
            writer = None
        if writer is None:
            self._number += 1
            segment = Segment(kind, self._number, segments.path_of(self._folder, kind, self._number))
            writer = self._writers[kind] = Writer(segment)
            self._chains[kind].append(segment)
        return writer

    def _close(self, kind: str) -> None:
        writer = self._writers.pop(kind, None)
        if writer is not None:
            writer.close()

    def _refused(self, error: OSError) -> None:
        self._error = f"the spool's disk refuses ({error.strerror or error}): keeping a little in memory"
        self._retry_at = time.monotonic() + RETRY

    def _make_room(self, kind: str, need: int) -> bool:
        """Drop the oldest segments of the least precious kinds until `need` fits; False if only better are left."""
        while self._bytes() + need > self._limit:
            worst = next((other for other in reversed(KINDS) if self._chains[other]), None)
            if worst is None or KINDS.index(worst) < KINDS.index(kind):
                return False
            self._remove_first(worst, count=True)
        return True

    def _remove_first(self, kind: str, count: bool = False) -> None:
        segment = self._chains[kind].popleft()
        self._heads[kind] = 0
        writer = self._writers.get(kind)
        if writer is not None and writer.segment is segment:
            self._close(kind)
        if count and segment.items:
            self._drop(kind, segment.items)
        try:
            segment.path.unlink()
        except OSError as error:
            self._refused(error)

    def _drop(self, kind: str, items: int) -> None:
        self._dropped[kind] = self._dropped.get(kind, 0) + items

    def _bytes(self) -> int:
        return sum(segment.size for chain in self._chains.values() for segment in chain)

    # Memory, while the disk refuses

    def _remember(self, kind: str, payload: bytes) -> None:
        self._memory[kind].append(payload)
        self._memory_bytes += len(payload)
        for worst in reversed(KINDS):
            while self._memory_bytes > self._memory_limit and worst != LATEST_ONLY and self._memory[worst]:
                self._memory_bytes -= len(self._memory[worst].popleft())
                self._drop(worst, 1)

    def _write_waiting(self) -> bool:
        """Bring what waits in memory to disk, in order; True when nothing waits any more."""
        for kind, queue in self._memory.items():
            while kind != LATEST_ONLY and queue:
                if not self._write(kind, queue[0]):
                    return False
                self._memory_bytes -= len(queue.popleft())
        return True

    # Batches

    def _choose(self, max_items: int, max_bytes: int, kinds: tuple[str, ...]) -> Iterator[Part]:
        """Parts for a new batch. What waits in memory leaves it; on disk nothing moves before the acknowledgement."""
        for kind in KINDS:
            start = self._heads[kind]
            for segment in self._chains[kind] if kind in kinds else ():
                part = self._measure(segment, start, max_items, max_bytes)
                start = 0
                if part.items:
                    max_items -= part.items
                    max_bytes -= part.end - part.start
                    yield part
                if max_items <= 0 or max_bytes <= 0:
                    return
            payloads = []
            queue = self._memory[kind]
            while kind in kinds and queue and max_items > 0 and max_bytes > 0:
                payloads.append(queue.popleft())
                max_items -= 1
                max_bytes -= len(payloads[-1])
                self._memory_bytes -= len(payloads[-1]) if kind != LATEST_ONLY else 0
            if payloads:
                yield Part(kind, len(payloads), payloads=payloads)

    def _measure(self, segment: Segment, start: int, max_items: int, max_bytes: int) -> Part:
        part = Part(segment.kind, 0, segment.number, start, start)
        for offset, payload in self._records(segment, start, segment.size):
            part.end = offset
            part.items += payload is not None
            if part.items >= max_items or offset - start >= max_bytes:
                break
        return part

    def _read(self, part: Part) -> Iterator[bytes]:
        if part.payloads:
            yield from part.payloads
            return
        segment = next((found for found in self._chains[part.kind] if found.number == part.segment), None)
        if segment is not None:
            yield from (payload for _, payload in self._records(segment, part.start, part.end) if payload is not None)

    def _records(self, segment: Segment, start: int, end: int) -> Iterator[tuple[int, bytes | None]]:
        if start >= end:
            return
        try:
            yield from segments.records(segment.path, start, end)
        except OSError as error:
            self._refused(error)

    def _advance(self, part: Part) -> None:
        """Move the head of a chain behind `part`; segments that are read to their end are removed."""
        chain = self._chains[part.kind]
        while chain and chain[0].number < part.segment:
            self._remove_first(part.kind)
        if not chain or chain[0].number != part.segment:
            return
        chain[0].items -= part.items
        self._heads[part.kind] = part.end
        writer = self._writers.get(part.kind)
        is_open = writer is not None and writer.segment is chain[0]
        if part.end >= chain[0].size and (not is_open or part.end >= self._segment_size // 4):
            self._remove_first(part.kind)

    def _split(self, batch: Outgoing) -> None:
        """Keep the first half of a batch under way; on disk the rest waits at its place, in memory it goes back."""
        keep = max(1, batch.items // 2)
        kept: list[Part] = []
        for part in batch.parts:
            if keep <= 0:
                self._memory[part.kind].extendleft(reversed(part.payloads))
            elif part.payloads:
                self._memory[part.kind].extendleft(reversed(part.payloads[keep:]))
                kept.append(Part(part.kind, min(keep, part.items), payloads=part.payloads[:keep]))
            else:
                segment = next((found for found in self._chains[part.kind] if found.number == part.segment), None)
                if segment is not None:
                    kept.append(self._measure(segment, part.start, min(keep, part.items), MAX_RECORD * keep))
            keep -= part.items
        batch.parts = kept
        batch.refused = {place for place in batch.refused if place < batch.items}
        self._memory_bytes = sum(len(p) for kind, q in self._memory.items() if kind != LATEST_ONLY for p in q)
        self._save()

    def _kind_at(self, batch: Outgoing, place: int) -> str:
        for part in batch.parts:
            if place < part.items:
                return part.kind
            place -= part.items
        return batch.parts[-1].kind

    # What outlives the process

    def _save(self) -> None:
        """Heads and the batch under way, swapped in whole. A disk that refuses costs a repetition, never an item."""
        heads = {kind: [chain[0].number, self._heads[kind]] for kind, chain in self._chains.items() if chain}
        state = {"heads": heads, "batch": self._batch and _written(self._batch)}
        new = self._folder / "state.new"
        try:
            new.write_text(json.dumps(state))
            new.replace(self._folder / "state.json")
        except OSError as error:
            self._refused(error)

    def _recover(self) -> None:
        for segment in segments.find(self._folder, KINDS):
            self._number = max(self._number, segment.number)
            self._chains[segment.kind].append(segment)
            if segment.damaged:
                self._drop(segment.kind, segment.damaged)
        try:
            state = json.loads((self._folder / "state.json").read_bytes())
            heads = {str(kind): (int(number), int(offset)) for kind, (number, offset) in state["heads"].items()}
            self._batch = self._pending(state["batch"])
        except FileNotFoundError:
            heads = {}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            heads = {}
            self._error = f"the spool's state was not readable ({error}): items may be sent twice"
        for kind, (number, offset) in heads.items():
            self._skip_to(kind, number, offset)
        for kind in KINDS:
            while self._chains[kind] and self._chains[kind][0].items <= 0:
                self._remove_first(kind)

    def _skip_to(self, kind: str, number: int, offset: int) -> None:
        chain = self._chains.get(kind, deque())
        while chain and chain[0].number < number:
            self._remove_first(kind)
        if chain and chain[0].number == number:
            before = list(segments.records(chain[0].path, 0, offset))
            if before and before[-1][0] == offset:  # else the state lies: begin at the start, nothing is lost
                chain[0].items -= sum(payload is not None for _, payload in before)
                self._heads[kind] = offset

    def _pending(self, value: Any) -> Outgoing | None:
        if not value or not value["parts"]:
            return None
        parts = [
            Part(str(kind), int(items), int(segment), int(start), int(end))
            for kind, items, segment, start, end in value["parts"]
        ]
        known = {segment.number for chain in self._chains.values() for segment in chain}
        if not all(part.kind in KINDS and part.segment in known for part in parts):
            return None
        return Outgoing(str(value["instance"]), int(value["seq"]), parts, {int(at) for at in value["refused"]})


def _written(batch: Outgoing) -> dict[str, Any]:
    """A batch as the state file holds it: without the parts that lie in memory, they end with the process."""
    refused: list[int] = []
    place = kept = 0
    for part in batch.parts:
        if not part.payloads:
            refused += [at - place + kept for at in sorted(batch.refused) if place <= at < place + part.items]
            kept += part.items
        place += part.items
    parts = [[part.kind, part.items, part.segment, part.start, part.end] for part in batch.parts if not part.payloads]
    return {"instance": batch.instance, "seq": batch.seq, "refused": refused, "parts": parts}


def _carried(before: bytes, newest: bytes) -> bytes:
    told = json.loads(before).get(COUNTED)
    if not told:
        return newest
    value = json.loads(newest)
    counts = value.get(COUNTED) or {}
    value[COUNTED] = {**told, **{name: count + told.get(name, 0) for name, count in counts.items()}}
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
