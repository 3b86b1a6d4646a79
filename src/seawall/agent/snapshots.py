"""From what the node has to what changed: snapshots of each kind of asset, as deltas the spool can carry.

Only hashes stay in memory. A large first snapshot leaves as a chain of deltas, each small enough for a batch.
"""

from collections.abc import Iterable, Iterator, Mapping

from seawall.core.delta import Delta, Record, Snapshot, delta, take

PIECE = 400
"""Records in one item."""


class Snapshots:
    """What the server was told of each kind."""

    def __init__(self) -> None:
        self._told: dict[str, Snapshot] = {}

    def changes(self, kind: str, records: Iterable[Record]) -> Iterator[dict[str, object]]:
        """`snapshot` items that bring the server to what `records` says; nothing when it knows already."""
        new, by_id = take(records)
        whole = delta(self._told.get(kind), new, by_id)
        if whole is None:
            return
        old = self._told.get(kind)
        self._told[kind] = new
        for step in pieces(old, whole, new):
            yield {"kind": kind, "base": step.base, "hash": step.hash, "upsert": step.upsert, "remove": step.remove}

    def forget(self, kind: str) -> None:
        """The server does not hold what we think: the next snapshot of this kind is whole."""
        self._told.pop(kind, None)


def pieces(old: Snapshot | None, whole: Delta, new: Snapshot) -> Iterator[Delta]:
    """One delta as a chain of smaller ones; each one's base is the hash of the one before."""
    if len(whole.upsert) <= PIECE:
        yield whole
        return
    hashes = _without(old.hashes if old else {}, whole.remove)
    base, remove = whole.base, whole.remove
    for start in range(0, len(whole.upsert), PIECE):
        part = whole.upsert[start : start + PIECE]
        hashes |= {record["id"]: new.hashes[record["id"]] for record in part}
        step = Delta(base, Snapshot(hashes).hash, part, remove)
        base, remove = step.hash, []
        yield step


def _without(hashes: Mapping[str, str], gone: Iterable[str]) -> dict[str, str]:
    kept = dict(hashes)
    for key in gone:
        kept.pop(key, None)
    return kept
