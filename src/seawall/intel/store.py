"""All intelligence in one SQLite file. An import builds the next file beside it and swaps it in; readers never wait.

A store that is open keeps reading the file it opened; `changed()` tells when there is a newer one.
"""

import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.core.skipped import Skipped
from seawall.intel.build import FORMAT, Report, Source, create, finish
from seawall.intel.collect import parse
from seawall.intel.collect.documents import Document, documents
from seawall.intel.collect.parsed import Parsed
from seawall.intel.match import Rating
from seawall.intel.model import Advisory, Affected, Cycle, Exploit, Range

if TYPE_CHECKING:
    from seawall.intel.listed import Listed

RATERS = ("nvd", "osv", "redhat", "ubuntu", "trivy-db")
"""Whose rating of a CVE is taken where a distribution has none of its own; others come after them."""


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
            "select a.id, a.source, a.aliases, a.title, a.severity, a.cvss, a.score, a.vectors, a.poc, a.cwes, a.urls,"
            " a.published, a.modified, f.ranges, f.versions, f.status, f.severity, f.module, f.arches, f.unread"
            " from affected f join advisory a on a.number = f.advisory"
            " where f.ecosystem = ? and f.package = ? and a.withdrawn = ''",
            (ecosystem, package),
        )
        return [_pair(ecosystem, package, row) for row in rows]

    def rating(self, cve: str) -> Rating:
        """See match.Known. Whose word goes first: see RATERS."""
        kev = self._all("select due, ransomware from exploited where cve = ?", (cve,))
        epss = self._all("select score, percentile from predicted where cve = ?", (cve,))
        public = self._all("select 1 from exploit where cve = ? limit 1", (cve,))
        rows = self._all(
            "select source, severity, score, cvss, title, vectors, cwes, poc from advisory"
            " where cve = ? and withdrawn = '' limit 500",
            (cve,),
        )
        rated = min((row for row in rows if row[1] != Severity.UNKNOWN), key=_rank, default=None)
        scored = min((row for row in rows if row[2] is not None), key=_rank, default=None)
        best = rated or scored
        return Rating(
            severity=Severity(rated[1]) if rated else Severity.UNKNOWN,
            score=scored[2] if scored else None,
            cvss=scored[3] if scored else "",
            title=min((row for row in rows if row[4]), key=_rank, default=[""] * 5)[4],
            kev=bool(kev),
            epss=epss[0][0] if epss else None,
            percentile=epss[0][1] if epss else None,
            vectors=_distinct(row[5] for row in rows),
            cwes=_distinct(row[6] for row in rows),
            poc=bool(public) or any(row[7] for row in rows),
            ransomware=bool(kev and kev[0][1]),
            due=kev[0][0] if kev else "",
            source=best[0] if best else "",
        )

    def exploits(self, cve: str) -> list[Exploit]:
        """Public code that uses a vulnerability, as far as collections of it were imported."""
        rows = self._all("select cve, kind, url from exploit where cve = ? order by kind, url", (cve,))
        return [Exploit(*row) for row in rows]

    def cycles(self, product: str) -> list[Cycle]:
        """Releases of a product and when their support ends, in the words of endoflife.date."""
        rows = self._all("select * from cycle where product = ?", (product,))
        return [Cycle(*row) for row in rows]

    def ecosystems(self) -> dict[str, int]:
        """Ecosystem → packages that advisories speak of. What is not in here cannot be judged."""
        return dict(self._all("select ecosystem, count(distinct package) from affected group by ecosystem", ()))

    def status(self) -> dict[str, Any]:
        """The answer of `GET /intel/status`."""
        rows = self._all("select name, records, updated_at, source, published_at from feed order by name", ())
        feeds = [
            {
                "name": name,
                "records": records,
                "updated_at": updated_at,
                "source": source,
                "published_at": published_at or None,
                "age_days": _days(published_at or updated_at),
            }
            for name, records, updated_at, source, published_at in rows
        ]
        return {
            "feeds": feeds,
            "advisories": self._all("select count(*) from advisory", ())[0][0],
            "kev": self._all("select count(*) from exploited", ())[0][0],
            "epss": self._all("select count(*) from predicted", ())[0][0],
            "exploits": self._all("select count(*) from exploit", ())[0][0],
            "age_days": age(feeds),
        }

    def _all(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            return self._file.execute(statement, values).fetchall()


def open_store(path: Path) -> Store | None:
    """The store, or None when nothing has been imported yet."""
    return Store(path) if path.exists() else None


EMPTY_STATUS: dict[str, Any] = {
    "feeds": [], "advisories": 0, "kev": 0, "epss": 0, "exploits": 0, "age_days": None,
}  # fmt: skip


def age(feeds: Iterable[dict[str, Any]]) -> int | None:
    """Days since what is known was made, by what the feeds themselves say: that of the family of feeds ("osv",
    "debian") whose newest record is the oldest. One quiet ecosystem makes nothing old."""
    newest: dict[str, int] = {}
    for feed in feeds:
        family = str(feed["name"]).partition(" ")[0]
        newest[family] = min(newest.get(family, feed["age_days"]), feed["age_days"])
    return max(newest.values(), default=None)


@dataclass(frozen=True, slots=True)
class Whole:
    """A source that gives all it has each time."""

    name: str
    made: str = ""
    """When it was made, for feeds that do not say so themselves."""


def import_files(
    path: Path,
    sources: Iterable[Path],
    progress: Callable[[str, int], None] = lambda _name, _count: None,
    whole: Mapping[Path, Whole] | None = None,
) -> Report:
    """Read feeds into the store at `path`; `progress` hears of each source and how many documents it has given.

    A document that was imported before is replaced, all others stay. Of a source in `whole`, what it no longer gives is
    removed, and nothing is taken when it is cut off or too much of it is missing. When nothing at all could be read the
    store is not touched and SeawallError is raised.
    """
    with ExitStack() as stack:
        work = _Import(path, stack)
        for source in sources:
            work.begin(source, (whole or {}).get(source))
            for count, document in enumerate(documents(source, work.skip), 1):
                work.take(document)
                if count % 200 == 0:
                    progress(source.name, count)
            work.end()
        return work.finish()


class _Import:
    """One run. Neither file is opened before something is to be written into it."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.report = Report()
        self._path = path
        self._stack = stack
        self._file: sqlite3.Connection | None = None
        self._source: Source | None = None
        self._place = Path()
        self._whole: Whole | None = None
        self._cut = ""
        self._listed: Listed | None = None

    def begin(self, place: Path, whole: Whole | None) -> None:
        self._place, self._whole, self._cut, self._source = place, whole, "", None

    def skip(self, what: Skipped) -> None:
        if what.where == str(self._place):
            self._cut = what.why
        self.report.skip(what)

    def take(self, document: Document) -> None:
        try:
            parsed = parse(document)
            if parsed is None:
                self.report.unknown += 1
                return
            if self._source is not None:
                self._source.begin()
            for part in parsed:
                if part.indicators or part.unread:
                    self._list(part)
                else:
                    self._writing().put(part, self.report)
        except ValueError as error:
            self.report.skip(Skipped(document.name, str(error)))

    def end(self) -> None:
        if self._source is None:
            return
        name = self._name()
        if why := self._source.end(self._cut):
            self.report.refused[name] = why
        self.report.given[name] = self._source.given

    def _name(self) -> str:
        return self._whole.name if self._whole else self._place.name

    def finish(self) -> Report:
        report = self.report
        if not report.records:
            why = f"; {report.skipped[0].where}: {report.skipped[0].why}" if report.skipped else ""
            raise SeawallError(
                f"none of the files is a feed that Seawall knows{why}",
                "docs/reference/feeds.md lists them; as they are, .gz, .xz, .zst, .tar.*, .zip",
            )
        if self._file is not None:
            finish(self._file, report)
        elif (store := open_store(self._path)) is not None:
            report.advisories = store.status()["advisories"]
            store.close()
        return report

    def _writing(self) -> Source:
        if self._file is None:
            self._file = self._stack.enter_context(_next_file(self._path))
        if self._source is None:
            made = self._whole.made if self._whole else ""
            self._source = Source(self._file, self._name(), whole=self._whole is not None, made=made)
        return self._source

    def _list(self, part: Parsed) -> None:
        from seawall.intel.listed import NAME as LISTED  # and with it SQLAlchemy, which nobody needs to judge an image
        from seawall.intel.listed import open_listed

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
    held = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)  # two imports at once would each lose what the other brings
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
        os.close(held)


def _start(file: sqlite3.Connection, path: Path) -> None:
    try:
        old = Store(path)
    except SeawallError:  # none, or of another format
        create(file)
        return
    old._file.backup(file)
    old.close()


def _pair(ecosystem: str, package: str, row: Sequence[Any]) -> tuple[Advisory, Affected]:
    affected = Affected(
        ecosystem=ecosystem,
        package=package,
        ranges=tuple(Range(*span) for span in json.loads(row[13])) if row[13] else (),
        versions=_unpacked(row[14]),
        status=row[15],
        severity=Severity(row[16]),
        module=row[17],
        arches=_unpacked(row[18]),
        unread=row[19],
    )
    advisory = Advisory(
        id=row[0],
        source=row[1],
        aliases=_unpacked(row[2]),
        title=row[3],
        severity=Severity(row[4]),
        cvss=row[5],
        score=row[6],
        vectors=_unpacked(row[7]),
        poc=bool(row[8]),
        cwes=_unpacked(row[9]),
        urls=_unpacked(row[10]),
        published=row[11],
        modified=row[12],
        affected=(affected,),
    )
    return advisory, affected


def _unpacked(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()


def _distinct(packed: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for text in packed for one in _unpacked(text)))


def _rank(row: Sequence[Any]) -> tuple[int, float]:
    """The order in which raters are believed, of one rater its highest score."""
    return RATERS.index(row[0]) if row[0] in RATERS else len(RATERS), -(row[2] or 0.0)


def _days(moment: str) -> int:
    return max(int((time.time() - clock.parse_time(moment)) // 86400), 0)


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
