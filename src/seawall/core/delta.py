"""Content-hashed snapshots and the deltas between them: an inventory that did not change costs one hash on the wire.

The agent keeps a `Snapshot` per kind and sends `delta(old, new)`. The server applies it if `base` is the hash it
holds, else asks for the whole (`base` of null means: replace everything you have).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seawall.core.ids import content_hash

Record = dict[str, Any]
"""One asset as plain JSON. `id` is required, a string, and unique within its kind on its host."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All records of one kind at one moment, by id, each with its hash."""

    hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Names the whole snapshot."""
        return content_hash(sorted(self.hashes.items()))


@dataclass(frozen=True, slots=True)
class Delta:
    """What turns the snapshot named `base` into the one named `hash`."""

    base: str | None
    hash: str
    upsert: list[Record]
    remove: list[str]


def take(records: Iterable[Record]) -> tuple[Snapshot, dict[str, Record]]:
    """Hash records one by one; the later of two with one id wins."""
    by_id = {record["id"]: record for record in records}
    return Snapshot({key: content_hash(record) for key, record in by_id.items()}), by_id


def delta(old: Snapshot | None, new: Snapshot, records: Mapping[str, Record]) -> Delta | None:
    """The step from `old` to `new`, or None when nothing changed. `old` of None yields a whole snapshot."""
    if old is None:
        return Delta(None, new.hash, list(records.values()), [])
    changed = [records[key] for key, value in new.hashes.items() if old.hashes.get(key) != value]
    removed = sorted(key for key in old.hashes if key not in new.hashes)
    return Delta(old.hash, new.hash, changed, removed) if changed or removed else None
