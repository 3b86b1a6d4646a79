"""Builds the next intelligence file from feeds: all of a source is written beside the old, then the old is removed.

Nothing is lost when a source turns out broken or shrunken: what it had brought before simply stays.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from seawall.core import clock
from seawall.core.skipped import Skipped
from seawall.intel.collect.parsed import Parsed
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.names import normalise

FORMAT = 2
"""Of the file. Another format is built anew by the next import."""
MAX_SKIPPED = 1000
"""Broken documents that a report names; more are counted."""
MAX_URLS = 8
SHRUNK = 0.6
"""A source that gives less than this share of what it gave before is not believed, when updates ask for it."""
FEW = 50
"""Records below which a source may shrink as it likes."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
_TABLES = """
create table advisory (
    number integer primary key, via text not null, feed text not null, origin text not null,
    id text not null, cve text not null, source text not null, aliases text not null, title text not null,
    severity text not null, cvss text not null, score real, vectors text not null, poc integer not null,
    cwes text not null, urls text not null, published text not null, modified text not null, withdrawn text not null);
create table affected (
    ecosystem text not null, package text not null, advisory integer not null, ranges text not null,
    versions text not null, status text not null, severity text not null, module text not null, arches text not null,
    unread text not null);
create table exploited (cve text primary key, added text not null, due text not null, ransomware integer not null,
    name text not null) without rowid;
create table predicted (cve text primary key, score real not null, percentile real not null) without rowid;
create table exploit (cve text not null, kind text not null, url text not null, primary key (cve, kind, url))
    without rowid;
create table cycle (product text not null, name text not null, codename text not null, released text not null,
    support text not null, ended_on text not null, extended text not null, ended integer not null,
    latest text not null, primary key (product, name)) without rowid;
create table feed (name text primary key, records integer not null, updated_at text not null, source text not null,
    published_at text not null) without rowid;
"""
_INDEXES = """
create index if not exists advisory_origin on advisory (feed, origin);
create index if not exists advisory_cve on advisory (cve);
create index if not exists affected_package on affected (ecosystem, package);
create index if not exists affected_advisory on affected (advisory);
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
    given: dict[str, int] = field(default_factory=dict)
    """Source → records of all kinds that it gave."""
    refused: dict[str, str] = field(default_factory=dict)
    """Source → why what it gave was not taken; what it had brought before stays."""

    def skip(self, what: Skipped) -> None:
        """Count a document that could not be read."""
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(what)
        else:
            self.skipped_more += 1


def create(file: sqlite3.Connection) -> None:
    """Tables of an empty store; their indexes come when they are full, which is quicker."""
    file.executescript(_TABLES)
    file.execute(f"pragma user_version = {FORMAT}")


def finish(file: sqlite3.Connection, report: Report) -> None:
    """Indexes and counts."""
    file.executescript(_INDEXES)
    file.execute(
        "update feed set records = (select count(*) from advisory where advisory.feed = feed.name)"
        " where exists (select 1 from advisory where advisory.feed = feed.name)"
    )
    for name, table in (("kev", "exploited"), ("epss", "predicted"), ("endoflife", "cycle")):
        file.execute(f"update feed set records = (select count(*) from {table}) where name = ?", (name,))  # noqa: S608
    report.advisories = file.execute("select count(*) from advisory").fetchone()[0]


class Source:
    """Writes what one source (a file, a folder, a place of updates) gives."""

    def __init__(self, file: sqlite3.Connection, via: str, *, whole: bool = False, made: str = "") -> None:
        """`whole`: what the source gave before and does not give now is removed, unless too much of it is missing.
        `made`: when the source was made, for feeds that do not say so."""
        self.given = 0
        self._made = made
        self._file = file
        self._via = via
        self._whole = whole
        self._number = self._before = file.execute("select coalesce(max(number), 0) from advisory").fetchone()[0]
        """What has a higher number is of this source, now."""
        self._origins: dict[tuple[str, str], int] = {}
        self._document = 0
        self._feeds: dict[str, str] = {}
        self._count = 0
        self._rows: list[tuple[object, ...]] = []
        self._affected: list[tuple[object, ...]] = []

    def begin(self) -> None:
        """The next document: what it gives of an origin replaces what an earlier document gave."""
        self._document += 1

    def put(self, parsed: Parsed, report: Report) -> None:
        """Keep some records."""
        where = (parsed.feed, parsed.origin)
        earlier = self._origins.get(where)
        if earlier is not None and earlier != self._document:
            self._flush()
            self._remove("feed = ? and origin = ? and number > ?", (*where, self._before))
        self._origins[where] = self._document
        for advisory in parsed.advisories:
            self._add(parsed, advisory)
        self._beside(parsed)
        read = len(parsed.advisories) + len(parsed.exploited) + len(parsed.predicted) + len(parsed.cycles)
        read += len(parsed.exploits)
        self.given += read
        self._count += len(parsed.advisories)
        report.records[parsed.feed] = report.records.get(parsed.feed, 0) + read
        newest = parsed.published or max((one.modified or one.published for one in parsed.advisories), default="")
        newest = newest or self._made
        self._feeds[parsed.feed] = max(self._feeds.get(parsed.feed, ""), _moment(newest))
        if len(self._affected) > 20_000:
            self._flush()

    def end(self, cut: str = "") -> str:
        """Let what was written take the place of what was there. Gives why not, if it is not believed; `cut` is why a
        source is not all there."""
        self._flush()
        if self._whole and cut:
            self._remove("number > ?", (self._before,))
            return f"{cut}: the last good is kept"
        before = self._file.execute(
            "select count(*) from advisory where via = ? and number <= ?", (self._via, self._before)
        ).fetchone()[0]
        if self._whole and before > FEW and self._count < before * SHRUNK:
            self._remove("number > ?", (self._before,))
            return f"it gives {self._count} advisories and gave {before}: the last good ones are kept"
        known = {name for (name,) in self._file.execute("select name from feed")}
        if known & self._feeds.keys():
            self._file.executescript(_INDEXES)
            self._remove(
                "number <= ? and (feed, origin) in"
                " (select distinct feed, origin from advisory not indexed where number > ?)",
                (self._before, self._before),
            )
        if self._whole:
            self._remove("number <= ? and via = ?", (self._before, self._via))
        self._file.executemany(
            "insert into feed values (?, 0, ?, ?, ?) on conflict (name) do update set updated_at = excluded.updated_at,"
            " source = excluded.source, published_at = max(published_at, excluded.published_at)",
            [(name, clock.now(), self._via, moment) for name, moment in self._feeds.items()],
        )
        return ""

    def _remove(self, which: str, values: Sequence[object]) -> None:
        self._file.execute(
            f"delete from affected where advisory in (select number from advisory where {which})",  # noqa: S608
            values,
        )
        self._file.execute(f"delete from advisory where {which}", values)  # noqa: S608

    def _add(self, parsed: Parsed, one: Advisory) -> None:
        self._number += 1
        cve = next((name for name in (one.id, *one.aliases) if name.startswith("CVE-")), one.id)
        self._rows.append((
            self._number, self._via, parsed.feed, parsed.origin, one.id, cve, one.source,
            _packed(one.aliases), one.title[:300], one.severity, one.cvss, one.score, _packed(one.vectors), one.poc,
            _packed(one.cwes), _packed(one.urls[:MAX_URLS]), one.published, one.modified, one.withdrawn,
        ))  # fmt: skip
        self._affected.extend(_affected(self._number, part) for part in one.affected)

    def _flush(self) -> None:
        places = ", ".join("?" * 19)
        self._file.executemany(f"insert into advisory values ({places})", self._rows)  # noqa: S608
        self._file.executemany("insert into affected values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._affected)
        self._rows.clear()
        self._affected.clear()

    def _beside(self, parsed: Parsed) -> None:
        """What is known whoever reports a CVE. Catalogues grow only: an older copy makes no CVE harmless again."""
        self._file.executemany(
            "insert or replace into exploited values (?, ?, ?, ?, ?)",
            [(one.cve, one.added, one.due, one.ransomware, one.name) for one in parsed.exploited],
        )
        self._file.executemany(
            "insert or replace into predicted values (?, ?, ?)",
            [(one.cve, one.score, one.percentile) for one in parsed.predicted],
        )
        self._file.executemany(
            "insert or ignore into exploit values (?, ?, ?)", [(one.cve, one.kind, one.url) for one in parsed.exploits]
        )
        self._file.executemany(
            "insert or replace into cycle values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (one.product, one.name, one.codename, one.released, one.support, one.end, one.extended, one.ended,
                 one.latest)
                for one in parsed.cycles
            ],
        )  # fmt: skip


def _affected(number: int, part: Affected) -> tuple[object, ...]:
    return (
        part.ecosystem, normalise(part.ecosystem, part.package), number, pack_ranges(part.ranges),
        _packed(part.versions), part.status, part.severity, part.module, _packed(part.arches), part.unread,
    )  # fmt: skip


def pack_ranges(ranges: Iterable[Range]) -> str:
    """Ranges as the store keeps them: each without the empty fields at its end."""
    found = []
    for one in ranges:
        span = [one.introduced, one.fixed, one.last_affected, one.limit, one.after]
        while span and not span[-1]:
            span.pop()
        found.append(span)
    return _encode(found) if found else ""


def _packed(values: Sequence[str]) -> str:
    return _encode(values) if values else ""


def _moment(text: str) -> str:
    """A feed's time in one form, so that texts of it can be compared; "" for what is none."""
    try:
        return clock.format_time(clock.parse_time(text if "T" in text else f"{text}T00:00:00Z")) if text else ""
    except ValueError:
        return ""
