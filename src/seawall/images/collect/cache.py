"""What was read before: inventories by image, layers by content, so that the same bytes are looked at once.

A key names the content, every analyser with its version and rules, and the shape of what is kept: whatever changes, an
older entry is no more found. One SQLite file, shared by all processes of a user; it may be deleted at any time.
"""

import base64
import contextlib
import dataclasses
import hashlib
import json
import sqlite3
import time
import zlib
from array import array
from functools import cache
from pathlib import Path
from typing import Any, cast

from seawall.core.plain import from_plain, to_plain
from seawall.core.skipped import Skipped
from seawall.images import model
from seawall.images.collect.analysers import Analysers
from seawall.images.collect.archive import Found as Layer
from seawall.images.collect.found import Found
from seawall.images.collect.layers import Contents
from seawall.images.model import Inventory

LIMIT = 512 << 20
"""Bytes of all entries; the ones that were not used for longest go first."""
MAX_ENTRY, MAX_PLAIN = 32 << 20, 256 << 20
"""Bytes of one entry, packed and not; larger ones are not kept."""
SECONDS = 5.0
"""That one process waits for another."""
_TABLE = """CREATE TABLE IF NOT EXISTS entries
 (key TEXT PRIMARY KEY, used INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID"""
_KINDS = (model.Inventory, model.ImageConfig, model.Layer, model.Package, model.Location, model.Secret, model.Malware,
          model.Risk, model.OperatingSystem, Skipped, Found, Contents, Layer)  # fmt: skip
_SHAPE = repr([(kind.__name__, [(one.name, str(one.type)) for one in dataclasses.fields(kind)]) for kind in _KINDS])

_ROOM = Path(__file__).parents[1]
_CODE = (_ROOM, _ROOM.parent / "malware")
_ENDINGS = {".py", ".yaml", ".json", ".toml", ".yar", ".txt", ".tsv", ".csv"}


class Cache:
    """Never a reason for a scan to fail: what cannot be read is not there, what cannot be written is not kept."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path = path
        self.broken = ""
        """Why nothing is kept any more."""
        self._limit = limit
        self._database: sqlite3.Connection | None = None
        try:
            self._database = self._opened()
        except (sqlite3.Error, OSError) as error:
            self.broken = f"{path}: {error}"

    def close(self) -> None:
        """Harmless twice."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def layer(self, diff_id: str, with_: Analysers) -> Layer | None:
        """What a layer of this content held."""
        found = self._get(_key("layer", diff_id, with_)) if diff_id else None
        try:
            return None if found is None else _layer(found, diff_id)
        except (ValueError, LookupError, TypeError):
            return None

    def keep_layer(self, one: Layer, with_: Analysers) -> None:
        """Remember it, unless a part of it could not be read: that may have been this machine's fault."""
        if one.diff_id and not one.contents.broken:
            self._put(_key("layer", one.diff_id, with_), _plain(one))

    def inventory(self, identity: str, with_: Analysers) -> Inventory | None:
        """What an image held. `identity` names its content: a digest, or a file with its times."""
        found = self._get(_key("image", identity, with_))
        try:
            return None if found is None else from_plain(Inventory, found)
        except ValueError:
            return None

    def keep_inventory(self, identity: str, with_: Analysers, one: Inventory) -> None:
        """Remember it, if it is whole."""
        if not one.stats.get("unread_layers"):
            self._put(_key("image", identity, with_), to_plain(one))

    def _opened(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for again in (False, True):
            with contextlib.suppress(FileExistsError):
                self.path.touch(mode=0o600, exist_ok=False)
            database = sqlite3.connect(self.path, timeout=SECONDS, isolation_level=None)
            try:
                database.execute("PRAGMA journal_mode=WAL")
                database.execute("PRAGMA synchronous=NORMAL")
                database.execute("PRAGMA auto_vacuum")
                database.execute(_TABLE)
                database.execute("SELECT key, used, size, data FROM entries LIMIT 1").fetchall()
            except sqlite3.OperationalError:  # busy, read-only, or of another shape: not ours to delete
                database.close()
                raise
            except sqlite3.DatabaseError:
                database.close()
                if again:
                    raise
                for ending in ("", "-wal", "-shm"):
                    Path(f"{self.path}{ending}").unlink(missing_ok=True)
                continue
            return database
        raise sqlite3.DatabaseError("it cannot be made anew")

    def _get(self, key: str) -> Any:
        if self._database is None:
            return None
        try:
            row = self._database.execute("SELECT used, data FROM entries WHERE key = ?", (key,)).fetchone()
            if row is None or not isinstance(row[1], bytes):
                return None
            if time.time() - row[0] > 3600:
                self._database.execute("UPDATE entries SET used = ? WHERE key = ?", (int(time.time()), key))
        except (sqlite3.Error, TypeError):
            return None
        return _unpacked(row[1])

    def _put(self, key: str, value: Any) -> None:
        if self._database is None:
            return
        data = zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)
        if len(data) > min(MAX_ENTRY, self._limit):
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                row = (key, int(time.time()), len(data), data)
                self._database.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", row)
                self._trim(key)
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self.broken = f"{self.path}: {error}"

    def _trim(self, newest: str) -> None:
        database = cast(sqlite3.Connection, self._database)
        over = (database.execute("SELECT sum(size) FROM entries").fetchone()[0] or 0) - self._limit
        if over <= 0:
            return
        rows = database.execute("SELECT key, size FROM entries WHERE key != ? ORDER BY used", (newest,))
        away = []
        for key, size in rows:
            if over <= 0:
                break
            over -= size
            away.append((key,))
        database.executemany("DELETE FROM entries WHERE key = ?", away)


@cache
def _code() -> str:
    """Names the code that reads: sizes and times of its files, rules too. Versions are sometimes forgotten."""
    files = sorted(path for room in _CODE for path in room.rglob("*") if path.suffix in _ENDINGS)
    told = [(str(path), about.st_size, about.st_mtime_ns) for path in files for about in (path.stat(),)]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _key(kind: str, content: str, with_: Analysers) -> str:
    named = json.dumps([kind, content, with_.versions(), sorted(with_.checked.items()), _SHAPE, _code()])
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()


def _unpacked(data: bytes) -> Any:
    """None for what this did not write."""
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(data, MAX_PLAIN)
        return json.loads(plain) if unpacker.eof else None
    except (zlib.error, ValueError, RecursionError):
        return None


def _plain(one: Layer) -> dict[str, Any]:
    """Names stay as they are written, bytes that are no UTF-8 too: marks of deletion have to fit later."""
    had = one.contents
    shared: dict[int, int] = {}
    """Hard links share what was found."""
    found: list[Any] = []
    for what in had.found.values():
        if id(what) not in shared:
            shared[id(what)] = len(found)
            found.append({**to_plain(dataclasses.replace(what, owned=[])), "owned": what.owned})
    return {
        "size": one.size,
        "paths": [[path, shared[id(what)]] for path, what in had.found.items()],
        "found": found,
        "names": base64.b85encode(had.names.tobytes()).decode(),
        "system": {path: base64.b85encode(data).decode() for path, data in had.system.items()},
        "marks": [sorted(had.removed), sorted(had.opaque), sorted(had.covered)],
        "skipped": to_plain(had.skipped),
        "counts": [had.skipped_more, had.files],
    }


def _layer(value: Any, diff_id: str) -> Layer:
    """Raises ValueError, LookupError or TypeError on what `_plain` did not write."""
    kinds = [from_plain(Found, one) for one in value["found"]]
    names = array("Q")
    names.frombytes(base64.b85decode(value["names"]))
    removed, opaque, covered = (set(from_plain(list[str], one)) for one in value["marks"])
    more, files = from_plain(list[int], value["counts"])
    contents = Contents(
        found={from_plain(str, path): kinds[from_plain(int, which)] for path, which in value["paths"]},
        names=names,
        system={
            from_plain(str, path): base64.b85decode(data)
            for path, data in from_plain(dict[str, str], value["system"]).items()
        },
        removed=removed,
        opaque=opaque,
        covered=covered,
        skipped=from_plain(list[Skipped], value["skipped"]),
        skipped_more=more,
        files=files,
    )
    return Layer(contents, diff_id, from_plain(int, value["size"]))
