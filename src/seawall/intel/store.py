"""All intelligence in one SQLite file. An import builds the next file beside it and swaps it in; readers never wait.

A store that is open keeps reading the file it opened; `changed()` tells when there is a newer one.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.core.skipped import Skipped
from seawall.intel.collect import parse
from seawall.intel.collect.documents import Document, documents
from seawall.intel.collect.parsed import Parsed
from seawall.intel.listed import NAME as LISTED
from seawall.intel.listed import Listed, open_listed
from seawall.intel.match import Rating, cve_of
from seawall.intel.model import Advisory, Affected, Range

FORMAT = 1
"""Of the file. Another format is built anew by the next import."""
MAX_SKIPPED = 1000
"""Broken documents that a report names; more are counted."""

_SCHEMA = """
create table advisory (
    number integer primary key, feed text not null, origin text not null, id text not null, cve text not null,
    source text not null, aliases text not null, title text not null, severity text not null, cvss text not null,
    score real, urls text not null, published text not null, modified text not null, withdrawn text not null);
create index advisory_origin on advisory (feed, origin);
create table affected (
    ecosystem text not null, package text not null, advisory integer not null, ranges text not null,
    versions text not null, status text not null, severity text not null);
create index affected_package on affected (ecosystem, package);
create index affected_advisory on affected (advisory);
create table exploited (cve text primary key, added text not null, due text not null, ransomware integer not null,
    name text not null) without rowid;
create table rating (cve text primary key, severity text not null, score real, cvss text not null, title text not null)
    without rowid;
create table feed (name text primary key, records integer not null, updated_at text not null, source text not null)
    without rowid;
"""


@dataclass(slots=True)
class Report:
    """What an import did."""

    records: dict[str, int] = field(default_factory=dict)
    """Feed → advisories or catalogue entries read."""
    unknown: int = 0
    """Documents that are of no feed we know (readmes, other formats)."""
    skipped: list[Skipped] = field(default_factory=list)
    skipped_more: int = 0
    advisories: int = 0
    """In the store afterwards."""
    indicators: int = 0
    """Read from lists."""
    unread: int = 0
    """Lines of lists that are no indicators."""

    def skip(self, what: Skipped) -> None:
        """Count a document that could not be read."""
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(what)
        else:
            self.skipped_more += 1


class Store:
    """Reads one file; may be shared between threads. Fulfils match.Known."""

    def __init__(self, path: Path) -> None:
        """Raises SeawallError when there is no file, or one of another format."""
        self.path = path
        self._lock = threading.Lock()
        try:
            self._identity = _identity(path)  # before it is opened: a file swapped in meanwhile then counts as newer
            self._file = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            found = self._file.execute("pragma user_version").fetchone()[0]
        except (sqlite3.Error, OSError) as error:
            raise SeawallError(f"no intelligence at {path}", "seawall intel import FILE… brings some") from error
        if found != FORMAT:
            self._file.close()
            raise SeawallError(
                f"{path} has format {found}, this is {FORMAT}", "seawall intel import FILE… builds it anew"
            )

    def close(self) -> None:
        """End reading."""
        self._file.close()

    @property
    def version(self) -> str:
        """Names this state of knowledge: what was judged with another may be out of date."""
        return "-".join(f"{part:x}" for part in self._identity or ())

    def changed(self) -> bool:
        """Whether a newer file has been swapped in."""
        return _identity(self.path) != self._identity

    def affecting(self, ecosystem: str, package: str) -> Sequence[tuple[Advisory, Affected]]:
        """See match.Known."""
        rows = self._all(
            "select a.id, a.source, a.aliases, a.title, a.severity, a.cvss, a.score, a.urls, a.published, a.modified,"
            " f.ranges, f.versions, f.status, f.severity from affected f join advisory a on a.number = f.advisory"
            " where f.ecosystem = ? and f.package = ? and a.withdrawn = ''",
            (ecosystem, package),
        )
        return [_pair(ecosystem, package, row) for row in rows]

    def rating(self, cve: str) -> Rating:
        """See match.Known."""
        rows = self._all("select severity, score, cvss, title from rating where cve = ?", (cve,))
        kev = bool(self._all("select 1 from exploited where cve = ?", (cve,)))
        if not rows:
            return Rating(kev=kev)
        severity, score, cvss, title = rows[0]
        return Rating(Severity(severity), score, cvss, title, kev)

    def ecosystems(self) -> dict[str, int]:
        """Ecosystem → packages that advisories speak of. What is not in here cannot be judged."""
        return dict(self._all("select ecosystem, count(distinct package) from affected group by ecosystem", ()))

    def status(self) -> dict[str, Any]:
        """The answer of `GET /intel/status`."""
        feeds = [
            {"name": name, "records": records, "updated_at": updated_at, "source": source}
            for name, records, updated_at, source in self._all(
                "select name, records, updated_at, source from feed order by name", ()
            )
        ]
        oldest = min((clock.parse_time(str(feed["updated_at"])) for feed in feeds), default=None)
        return {
            "feeds": feeds,
            "advisories": self._all("select count(*) from advisory", ())[0][0],
            "kev": self._all("select count(*) from exploited", ())[0][0],
            "age_days": None if oldest is None else int((time.time() - oldest) // 86400),
        }

    def _all(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            return self._file.execute(statement, values).fetchall()


def open_store(path: Path) -> Store | None:
    """The store, or None when nothing has been imported yet."""
    return Store(path) if path.exists() else None


EMPTY_STATUS: dict[str, Any] = {"feeds": [], "advisories": 0, "kev": 0, "age_days": None}


def import_files(
    path: Path, sources: Iterable[Path], progress: Callable[[str, int], None] = lambda _name, _count: None
) -> Report:
    """Read feeds into the store at `path`; `progress` hears of each source and how many documents it has given.

    A document that was imported before is replaced, all others stay. When nothing at all could be read the store is
    not touched and SeawallError is raised.
    """
    with ExitStack() as stack:
        work = _Import(path, stack)
        for source in sources:
            for count, document in enumerate(documents(source, work.report.skip), 1):
                work.take(document, source.name)
                if count % 200 == 0:
                    progress(source.name, count)
        return work.finish()


class _Import:
    """One run. Neither file is opened before something is to be written into it."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.report = Report()
        self._path = path
        self._stack = stack
        self._file: sqlite3.Connection | None = None
        self._listed: Listed | None = None

    def take(self, document: Document, source: str) -> None:
        try:
            parsed = parse(document)
            if parsed is None:
                self.report.unknown += 1
                return
            for part in parsed:
                if part.indicators or part.unread:
                    self._list(part)
                else:
                    _put(self._open(), part, source, self.report)
        except ValueError as error:
            self.report.skip(Skipped(document.name, str(error)))

    def finish(self) -> Report:
        report = self.report
        if not report.records:
            why = f"; {report.skipped[0].where}: {report.skipped[0].why}" if report.skipped else ""
            raise SeawallError(
                f"none of the files is a feed that Seawall knows{why}",
                "known: OSV (JSON, YAML), Alpine secdb, Debian DSA/DLA lists, CISA KEV; lists of indicators: plain,"
                " hosts, CSV, STIX 2.1, MISP; as they are, .gz, .tar.*, .zip",
            )
        if self._file is not None:
            _finish(self._file, report)
        elif (store := open_store(self._path)) is not None:
            report.advisories = store.status()["advisories"]
            store.close()
        return report

    def _open(self) -> sqlite3.Connection:
        if self._file is None:
            self._file = self._stack.enter_context(_next_file(self._path))
        return self._file

    def _list(self, part: Parsed) -> None:
        if self._listed is None:
            self._listed = open_listed(self._path.with_name(LISTED))
            self._stack.callback(self._listed.close)
        count = self._listed.replace(part.origin, part.indicators)
        self.report.records[part.feed] = self.report.records.get(part.feed, 0) + count
        self.report.indicators += count
        self.report.unread += part.unread


@contextmanager
def _next_file(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the store to write on, swapped in when the block ends well and thrown away when it does not."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    try:
        file = sqlite3.connect(beside)
        try:
            file.execute("pragma journal_mode = off")
            file.execute("pragma synchronous = off")  # nobody sees the file before it is whole and synced
            _start(file, path)
            yield file
            file.commit()
        finally:
            file.close()
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except sqlite3.Error as error:
        raise SeawallError(f"cannot write {path}: {error}", "is the disk full?") from error
    finally:
        beside.unlink(missing_ok=True)


def _start(file: sqlite3.Connection, path: Path) -> None:
    try:
        old = Store(path)
    except SeawallError:  # none, or of another format
        file.executescript(_SCHEMA)
        file.execute(f"pragma user_version = {FORMAT}")
        return
    old._file.backup(file)
    old.close()


def _put(file: sqlite3.Connection, parsed: Parsed, source: str, report: Report) -> None:
    where = (parsed.feed, parsed.origin)
    file.execute(
        "delete from affected where advisory in (select number from advisory where feed = ? and origin = ?)", where
    )
    file.execute("delete from advisory where feed = ? and origin = ?", where)
    for advisory in parsed.advisories:
        _put_advisory(file, parsed, advisory)
    if parsed.exploited:  # the catalogue grows only; an older copy must not make a CVE harmless again
        file.executemany(
            "insert or replace into exploited values (?, ?, ?, ?, ?)",
            [(one.cve, one.added, one.due, one.ransomware, one.name) for one in parsed.exploited],
        )
    read = len(parsed.advisories) + len(parsed.exploited)
    report.records[parsed.feed] = report.records.get(parsed.feed, 0) + read
    file.execute(
        "insert into feed values (?, 0, ?, ?) on conflict (name) do update set updated_at = excluded.updated_at,"
        " source = excluded.source",
        (parsed.feed, clock.now(), source),
    )


def _put_advisory(file: sqlite3.Connection, parsed: Parsed, one: Advisory) -> None:
    row = (
        parsed.feed, parsed.origin, one.id, cve_of(one), one.source, json.dumps(one.aliases), one.title, one.severity,
        one.cvss, one.score, json.dumps(one.urls[:5]), one.published, one.modified, one.withdrawn,
    )  # fmt: skip
    number = file.execute(
        "insert into advisory (feed, origin, id, cve, source, aliases, title, severity, cvss, score, urls, published,"
        " modified, withdrawn) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    ).lastrowid
    file.executemany(
        "insert into affected values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                part.ecosystem,
                part.package,
                number,
                json.dumps([list(asdict(span).values()) for span in part.ranges]),
                json.dumps(part.versions),
                part.status,
                part.severity,
            )
            for part in one.affected
        ],
    )


def _finish(file: sqlite3.Connection, report: Report) -> None:
    """Counts, and the best rating of each CVE, so that a distribution without ratings borrows the upstream one."""
    file.execute("delete from rating")
    file.execute(
        "insert into rating select cve, severity, max(coalesce(score, 0.0)), cvss, title from advisory"
        " where severity <> 'unknown' and withdrawn = '' group by cve"
    )
    file.execute("update rating set score = null where cvss = '' and score = 0.0")
    file.execute(
        "insert or ignore into rating select cve, 'unknown', null, '', max(title) from advisory"
        " where title <> '' and withdrawn = '' group by cve"
    )
    file.execute(
        "update feed set records = (select count(*) from advisory where advisory.feed = feed.name) where name <> 'kev'"
    )
    file.execute("update feed set records = (select count(*) from exploited) where name = 'kev'")
    report.advisories = file.execute("select count(*) from advisory").fetchone()[0]


def _pair(ecosystem: str, package: str, row: Sequence[Any]) -> tuple[Advisory, Affected]:
    affected = Affected(
        ecosystem=ecosystem,
        package=package,
        ranges=tuple(Range(*span) for span in json.loads(row[10])),
        versions=tuple(json.loads(row[11])),
        status=row[12],
        severity=Severity(row[13]),
    )
    advisory = Advisory(
        id=row[0],
        source=row[1],
        aliases=tuple(json.loads(row[2])),
        title=row[3],
        severity=Severity(row[4]),
        cvss=row[5],
        score=row[6],
        urls=tuple(json.loads(row[7])),
        published=row[8],
        modified=row[9],
        affected=(affected,),
    )
    return advisory, affected


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
