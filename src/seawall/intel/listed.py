"""Indicators at rest: those of imported lists and those that people made, in a SQLite file beside the advisories.

They are not in `intel.db`: that file is swapped as a whole by each import, while people write here one at a time
(docs/decisions/011). An import replaces all entries of its source in one transaction.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.intel import packaged
from seawall.intel.collect.observables import KINDS, observable
from seawall.intel.model import Indicator

NAME = "indicators.db"
OWN = "user"
"""The source of entries that people made."""
BLOCKED, ALLOWED = "blocked", "allowed"
MAX_TOTAL = 2_000_000
MAX_OWN = 20_000
BUSY_MS = 10_000
_BATCH = 5000

META = MetaData()
INDICATORS = Table(
    "indicator",
    META,
    Column("id", String(32), primary_key=True),
    Column("type", String(8), nullable=False),
    Column("value", String(255), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("source", String(128), nullable=False, index=True),
    Column("confidence", Integer, nullable=False),
    Column("expires_at", String(24), nullable=False),
    Column("about", String(512), nullable=False),
    Column("own", Boolean, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", String(24), nullable=False),
)
STATE = Table("state", META, Column("name", String(16), primary_key=True), Column("number", Integer, nullable=False))


class Listed:
    """The file; may be shared between threads."""

    def __init__(self, path: Path) -> None:
        """Makes the file when there is none. Raises SeawallError when it cannot be used."""
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._engine = _engine(path)
            META.create_all(self._engine)
            os.chmod(path, 0o600)  # noqa: PTH101
        except (OSError, DatabaseError) as error:
            raise SeawallError(f"cannot use {path}: {error}", "is it a SQLite file, and the disk not full?") from error

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def reading(self) -> Connection:
        """A connection for reading, to be used in a `with`."""
        return self._engine.connect()

    def revision(self) -> int:
        """Another number after each change."""
        with self.reading() as connection:
            return int(connection.execute(select(STATE.c.number).where(STATE.c.name == "revision")).scalar() or 0)

    def replace(self, source: str, entries: Sequence[Indicator]) -> int:
        """All entries of a source become these; how many there are. Raises SeawallError when there are too many."""
        now = clock.now()
        with self._writing() as connection:
            connection.execute(delete(INDICATORS).where(INDICATORS.c.source == source, ~INDICATORS.c.own))
            there = connection.execute(select(func.count()).select_from(INDICATORS)).scalar_one()
            if there + len(entries) > MAX_TOTAL:
                raise SeawallError(f"more than {MAX_TOTAL} indicators", "remove lists, or import shorter ones")
            rows = [_row(entry, source, now) for entry in entries]
            for at in range(0, len(rows), _BATCH):
                connection.execute(insert(INDICATORS), rows[at : at + _BATCH])
        return len(rows)

    def bring_packaged(self) -> None:
        """Take the packaged indicators in, once for each version of them."""
        entries = packaged.indicators()
        number = int.from_bytes(hashlib.blake2b(repr(entries).encode(), digest_size=4).digest(), "big")
        which = STATE.c.name == packaged.SOURCE
        with self.reading() as connection:
            if connection.execute(select(STATE.c.number).where(which)).scalar() == number:
                return
        self.replace(packaged.SOURCE, entries)
        with self._engine.begin() as connection:
            connection.execute(delete(STATE).where(which))
            connection.execute(insert(STATE).values(name=packaged.SOURCE, number=number))

    def put(self, value: str, kind: str, who: str, about: str = "", expires: str = "") -> dict[str, Any]:
        """An entry of somebody's own, `blocked`, `allowed` or of a feed's kind. Raises ValueError for what is none."""
        if kind not in (BLOCKED, ALLOWED, *KINDS):
            raise ValueError(f"there is no kind {kind!r}; use blocked, allowed or one of {', '.join(KINDS)}")
        entry = Indicator(*own_observable(value), kind, 100, expires, about)
        row = {**_row(entry, OWN, clock.now()), "own": True, "created_by": who}
        with self._writing() as connection:
            connection.execute(delete(INDICATORS).where(INDICATORS.c.id == row["id"]))
            own = select(func.count()).select_from(INDICATORS).where(INDICATORS.c.own)
            if connection.execute(own).scalar_one() >= MAX_OWN:
                raise ValueError(f"there are {MAX_OWN} entries already; import a list instead")
            connection.execute(insert(INDICATORS), [row])
        return row

    def remove(self, id: str) -> bool:
        """Delete an entry of somebody's own; False when there is none of that id, or it belongs to a list."""
        with self._writing() as connection:
            found = connection.execute(delete(INDICATORS).where(INDICATORS.c.id == id, INDICATORS.c.own))
            return bool(found.rowcount)

    def drop(self, source: str) -> int:
        """Delete an imported list; how many entries that were."""
        with self._writing() as connection:
            found = connection.execute(delete(INDICATORS).where(INDICATORS.c.source == source, ~INDICATORS.c.own))
            return int(found.rowcount)

    def get(self, id: str) -> dict[str, Any] | None:
        """One entry."""
        with self.reading() as connection:
            row = connection.execute(select(INDICATORS).where(INDICATORS.c.id == id)).mappings().first()
        return None if row is None else dict(row)

    def status(self) -> dict[str, Any]:
        """{"total", "own", "expired", "types": {…}, "kinds": {…}, "sources": [{name, entries, updated_at}]}."""
        table, now = INDICATORS.c, clock.now()
        gone = (table.expires_at != "") & (table.expires_at <= now)
        by_source = select(table.source, func.count(), func.max(table.created_at)).group_by(table.source)
        with self.reading() as connection:
            kinds = connection.execute(select(table.kind, func.count()).group_by(table.kind)).all()
            types = connection.execute(select(table.type, func.count()).group_by(table.type)).all()
            own = connection.execute(select(func.count()).select_from(INDICATORS).where(table.own)).scalar_one()
            expired = connection.execute(select(func.count()).select_from(INDICATORS).where(gone)).scalar_one()
            sources = connection.execute(by_source.order_by(table.source)).all()
        return {
            "total": sum(count for _, count in types),
            "own": own,
            "expired": expired,
            "types": {str(name): count for name, count in types},
            "kinds": {str(name): count for name, count in kinds},
            "sources": [{"name": name, "entries": count, "updated_at": at} for name, count, at in sources],
        }

    def in_force(self, now: str, limits: Mapping[str, int]) -> Iterator[Sequence[Any]]:
        """(type, value, kind, source, confidence) of entries that have not ended, at most so many of each type.

        People's own come first, then the most confident.
        """
        table = INDICATORS.c
        with self.reading() as connection:
            for type_, limit in limits.items():
                statement = (
                    select(table.type, table.value, table.kind, table.source, table.confidence)
                    .where(table.type == type_, (table.expires_at == "") | (table.expires_at > now))
                    .order_by(table.own.desc(), table.confidence.desc(), table.id)
                    .limit(limit)
                )
                yield from connection.execute(statement)

    def next_end(self, now: str) -> str | None:
        """When the next entry ends."""
        table = INDICATORS.c
        with self.reading() as connection:
            return connection.execute(select(func.min(table.expires_at)).where(table.expires_at > now)).scalar()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection
            mine = STATE.c.name == "revision"
            bumped = connection.execute(update(STATE).where(mine).values(number=STATE.c.number + 1))
            if not bumped.rowcount:
                connection.execute(insert(STATE).values(name="revision", number=1))


def open_listed(path: Path) -> Listed:
    """The store, with the packaged indicators as this version has them."""
    listed = Listed(path)
    listed.bring_packaged()
    return listed


def own_observable(value: str) -> tuple[str, str]:
    """(type, value) of what somebody typed: also addresses inside, which a feed may not list. Raises ValueError."""
    known = observable(value)
    if known is not None:
        return known
    try:
        network = ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError(f"{value[:80]!r} is no address, network, domain or SHA-256") from None
    if network.is_loopback or network.prefixlen < (8 if network.version == 4 else 19):
        raise ValueError(f"{value} is too much: loopback, or a network of half the world")
    single = network.prefixlen == network.max_prefixlen
    return ("ip", str(network.network_address)) if single else ("net", str(network))


def listing() -> Select[Any]:
    """Every entry, with whether it has ended: what `GET /indicators` filters and pages."""
    table = INDICATORS.c
    ended = (table.expires_at != "") & (table.expires_at <= clock.now())
    return select(INDICATORS, ended.label("ended"))


def _row(entry: Indicator, source: str, now: str) -> dict[str, Any]:
    name = f"{entry.type}\0{entry.value}\0{source}".encode("utf-8", "replace")
    return {
        "id": hashlib.blake2b(name, digest_size=16).hexdigest(),
        "type": entry.type,
        "value": entry.value[:255],
        "kind": entry.kind,
        "source": source[:128],
        "confidence": entry.confidence,
        "expires_at": entry.expires,
        "about": entry.about[:512],
        "own": False,
        "created_by": "",
        "created_at": now,
    }


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")

    return engine
