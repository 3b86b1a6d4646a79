"""rpm's database in SQLite, of Fedora and of Red Hat from 9. SQLite reads it in memory, and may do nothing else.

Source: rpm, lib/backend/sqlite.c
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator

from seawall.images.collect.files import Buffer

MAGIC = b"SQLite format 3\0"
MAX_BLOB = 256 << 20
MAX_SECONDS = 60.0
_STEPS = 100_000
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}


def headers(data: Buffer) -> Iterator[bytes]:
    """Each package's header. Raises ValueError when the database is broken or takes too long."""
    if data[:16] != MAGIC or len(data) < 100:
        raise ValueError("no SQLite database")
    # A database in WAL mode cannot be opened in memory; what its log would add is not in the file anyway.
    plain = bytes(data[:18]) + b"\1\1" + bytes(data[20:])
    until = time.monotonic() + MAX_SECONDS
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(plain)
            del plain
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BLOB)
            connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
            table = "SELECT 1 FROM sqlite_schema WHERE name = 'Packages' AND type = 'table'"
            if connection.execute(table).fetchone() is None:
                raise ValueError("an SQLite database without rpm's table")
            connection.set_authorizer(_allowed)
            for (blob,) in connection.execute("SELECT blob FROM Packages"):
                if isinstance(blob, bytes):
                    yield blob
        except (sqlite3.Error, MemoryError, OverflowError) as error:
            raise ValueError(f"the SQLite database cannot be read: {error}") from error


def _allowed(action: int, *_what: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
