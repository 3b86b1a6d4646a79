"""What is known of images: verdicts on stored inventories, and their sum by CVE.

Judging happens elsewhere, outside the writer: `unjudged` names the inventories that newer knowledge has not seen,
`judged` writes what was found. A verdict on a scan that is no longer the image's newest is passed over.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any

from sqlalchemy import Connection, Integer, Select, Text, bindparam, case, cast, delete, func, insert, select, update

from seawall.core.severity import Severity
from seawall.images.detect.findings import worst_risk
from seawall.images.model import Judgement, Vulnerability
from seawall.images.tables import CVES, INVENTORIES, MAX_TEXT, PACKAGES, SEVERITIES, VULNERABILITIES
from seawall.lists import Change

MAX_FINDINGS = 100_000
"""Vulnerabilities of one image that are kept, the worst first."""
MAX_NAMED = 100
"""Packages that are named with a CVE."""
PORTION = 400
"""Values in one question to the database."""


def unjudged(connection: Connection, present: Select[Any], version: str, most: int) -> list[tuple[str, str]]:
    """Image and scan of inventories that were not judged with this knowledge, those never judged first.

    `present` has the ids of images that some host holds; nobody asks for the others.
    """
    there = INVENTORIES.c.image_id.in_(present)
    wanted = select(INVENTORIES.c.image_id, INVENTORIES.c.scan).where(INVENTORIES.c.judged_with != version, there)
    rows = connection.execute(wanted.order_by(INVENTORIES.c.judged_with, INVENTORIES.c.scanned_at.desc()).limit(most))
    return [(row.image_id, row.scan) for row in rows]


def absent(connection: Connection, present: Select[Any], most: int) -> list[str]:
    """Judged images that no host holds any more."""
    gone = INVENTORIES.c.image_id.not_in(present)
    wanted = select(INVENTORIES.c.image_id).where(INVENTORIES.c.judged_with != "", gone)
    return list(connection.execute(wanted.limit(most)).scalars())


def put_aside(connection: Connection, image_id: str) -> None:
    """Keep what was read of an image that is gone, and drop its verdict."""
    values = {"judged": False, "judged_with": "", "judge_error": "", "verdict": ""}
    connection.execute(update(INVENTORIES).where(INVENTORIES.c.image_id == image_id).values(values))
    _sum_up(connection, sorted(_replace(connection, image_id, [], "")))


@dataclass(slots=True)
class Sums:
    """CVEs whose sums have to be made anew. One for many verdicts: their sums are made once, when all are written."""

    touched: set[str] = field(default_factory=set)

    def write(self, connection: Connection) -> None:
        """Once, after the last verdict of the step."""
        _sum_up(connection, sorted(self.touched))
        self.touched.clear()


def newest(connection: Connection, image_id: str, scan: str) -> bool:
    """Whether this is still the image's newest scan."""
    mine = (INVENTORIES.c.image_id == image_id, INVENTORIES.c.scan == scan)
    return connection.execute(select(INVENTORIES.c.scan).where(*mine)).first() is not None


def judged(
    connection: Connection,
    image_id: str,
    scan: str,
    verdict: Judgement,
    *,
    version: str,
    now: str,
    sums: Sums | None = None,
) -> list[Change]:
    """Write what is known of an inventory. A scan that is no longer the image's newest is passed over, and of a verdict
    that says the same as the last one only the time is written. Sums are made at once, or later by the given `sums`."""
    mine = (INVENTORIES.c.image_id == image_id, INVENTORIES.c.scan == scan)
    last = connection.execute(select(INVENTORIES.c.verdict).where(*mine)).scalar()
    if last is None:
        return []
    if verdict.mark and last == verdict.mark:
        values: dict[str, Any] = {"judged_with": version, "judged_at": now}
        connection.execute(update(INVENTORIES).where(*mine).values(values))
        return []
    found = list(verdict.vulnerabilities)[:MAX_FINDINGS]
    kept = (*found, *verdict.suppressed[: MAX_FINDINGS - len(found)])
    touched = _replace(connection, image_id, kept, now)
    if sums is None:
        _sum_up(connection, sorted(touched))
    else:
        sums.touched.update(touched)
    _mark_packages(connection, scan, verdict)
    counts = Counter(one.severity.value for one in found)
    values = {
        **{severity: counts[severity] for severity in SEVERITIES},
        "judged": True,
        "judged_with": version,
        "judged_at": now,
        "judge_error": "",
        "verdict": verdict.mark,
        "unchecked": _unchecked(connection, scan),
        "kev": sum(one.kev for one in found),
        "fixable": sum(bool(one.fixed) for one in found),
        "suppressed": len(kept) - len(found),
        "risk": worst_risk(found),
    }
    connection.execute(update(INVENTORIES).where(*mine).values(values))
    return [Change("images/change", {"id": image_id})]


def not_judged(connection: Connection, image_id: str, scan: str, why: str, *, version: str, now: str) -> list[Change]:
    """Note that judging failed: the image counts as not checked, until there is other knowledge."""
    mine = (INVENTORIES.c.image_id == image_id, INVENTORIES.c.scan == scan)
    values = {"judged": False, "judged_with": version, "judged_at": now, "judge_error": why[:2000], "verdict": ""}
    if not connection.execute(update(INVENTORIES).where(*mine).values(values)).rowcount:
        return []
    _sum_up(connection, sorted(_replace(connection, image_id, [], "")))
    connection.execute(update(PACKAGES).where(PACKAGES.c.scan == scan).values(checked=None, vulnerabilities=0))
    return [Change("images/change", {"id": image_id})]


def _finding_row(image_id: str, number: int, one: Vulnerability, now: str) -> dict[str, Any]:
    return {**_values(one), "image_id": image_id, "number": number, "first_seen": now}


@lru_cache(1 << 15)
def _values(one: Vulnerability) -> dict[str, Any]:
    """What is the same wherever it is found. Many images hold the same package."""
    return {
        "id": one.id[:128],
        "aliases": list(one.aliases[:50]),
        "package": one.package[:MAX_TEXT],
        "installed": one.installed[:MAX_TEXT],
        "fixed": one.fixed[:MAX_TEXT],
        "fixable": bool(one.fixed),
        "status": one.status[:32],
        "severity": one.severity.value,
        "severity_rank": one.severity.rank,
        "score": one.score,
        "cvss": one.cvss[:255],
        "epss": one.epss,
        "kev": one.kev,
        "title": one.title[:MAX_TEXT],
        "url": one.url[:1024],
        "source": one.source[:128],
        "purl": one.purl[:1024],
        "path": one.path[:1024],
        "layer": one.layer,
        "risk": one.risk,
        "poc": one.poc,
        "details": _details(one),
        "suppressed": one.suppressed[:MAX_TEXT],
    }


def _details(one: Vulnerability) -> dict[str, Any]:
    """What only a page about one finding shows; what is not known is left out."""
    told = {
        "vectors": list(one.vectors[:10]),
        "chosen": one.chosen[:MAX_TEXT],
        "cwes": list(one.cwes[:20]),
        "ransomware": one.ransomware,
        "due": one.due[:32],
        "percentile": one.percentile,
        "risk": [{"name": part.name, "points": part.points, "why": part.why} for part in one.parts],
        "note": one.note[:MAX_TEXT],
    }
    return {name: value for name, value in told.items() if value or value == 0.0}


_TEXTS = ("aliases", "details")
"""Columns of JSON: compared as they are stored, which is cheaper than reading them."""
_COMPARED = tuple(
    column.name for column in VULNERABILITIES.c if column.name not in ("image_id", "number", "first_seen", *_TEXTS)
)
_OLD = select(
    VULNERABILITIES.c.number,
    VULNERABILITIES.c.first_seen,
    *(VULNERABILITIES.c[name] for name in _COMPARED),
    *(cast(VULNERABILITIES.c[name], Text) for name in _TEXTS),
).where(VULNERABILITIES.c.image_id == bindparam("of_image"))
_ID, _PURL, _SUPPRESSED = (_COMPARED.index(name) for name in ("id", "purl", "suppressed"))


@lru_cache(1 << 15)
def _raw(one: Vulnerability) -> tuple[Any, ...]:
    """A finding as `_OLD` would give it."""
    values = _values(one)
    return (*(values[name] for name in _COMPARED), *(json.dumps(values[name]) for name in _TEXTS))


def _replace(connection: Connection, image_id: str, found: Sequence[Vulnerability], now: str) -> set[str]:
    """Make an image's findings these: what is the same stays, what was seen before keeps its first sight.

    Gives the CVEs whose sums that changes.
    """
    stay: dict[tuple[Any, ...], list[int]] = {}
    since: dict[tuple[str, str], str] = {}
    for number, first_seen, *rest in connection.execute(_OLD, {"of_image": image_id}):
        raw = tuple(rest)
        stay.setdefault(raw, []).append(number)
        since[raw[_ID], raw[_PURL]] = first_seen
    new: list[tuple[tuple[Any, ...], Vulnerability]] = []
    used: set[int] = set()
    for one in found:
        raw = _raw(one)
        if numbers := stay.get(raw):
            used.add(numbers.pop())
        else:
            new.append((raw, one))
    gone = {raw: numbers for raw, numbers in stay.items() if numbers}
    _delete(connection, image_id, [number for numbers in gone.values() for number in numbers])
    free = (number for number in count() if number not in used)
    rows = [_finding_row(image_id, next(free), one, since.get((raw[_ID], raw[_PURL]), now)) for raw, one in new]
    if rows:
        connection.execute(insert(VULNERABILITIES), rows)
    return {raw[_ID] for raw in (*gone, *(raw for raw, _ in new)) if not raw[_SUPPRESSED]}


def _delete(connection: Connection, image_id: str, numbers: Sequence[int]) -> None:
    mine = VULNERABILITIES.c.image_id == image_id
    for at in range(0, len(numbers), PORTION):
        portion = numbers[at : at + PORTION]
        connection.execute(delete(VULNERABILITIES).where(mine, VULNERABILITIES.c.number.in_(portion)))


def _sum_up(connection: Connection, ids: Sequence[str]) -> None:
    """Write the rows of these CVEs anew."""
    found = VULNERABILITIES.c
    rank = func.max(found.severity_rank)
    columns = {
        "id": found.id,
        "severity": case({severity.rank: severity.value for severity in Severity}, value=rank),
        "severity_rank": rank,
        "score": func.max(found.score),
        "kev": func.max(cast(found.kev, Integer)) > 0,
        "poc": func.max(cast(found.poc, Integer)) > 0,
        "risk": func.max(found.risk),
        "epss": func.max(found.epss),
        "fixed": func.max(cast(found.fixable, Integer)) > 0,
        "title": func.max(found.title),
        "url": func.max(found.url),
        "images": func.count(found.image_id.distinct()),
        "first_seen": func.min(found.first_seen),
    }
    for at in range(0, len(ids), PORTION):
        portion = ids[at : at + PORTION]
        connection.execute(delete(CVES).where(CVES.c.id.in_(portion)))
        named: dict[str, list[str]] = {}
        mine = (found.id.in_(portion), found.suppressed == "")
        for cve, package in connection.execute(select(found.id, found.package).where(*mine).distinct()):
            named.setdefault(cve, []).append(package)
        sums = select(*(value.label(name) for name, value in columns.items())).where(*mine)
        rows = [dict(row) for row in connection.execute(sums.group_by(found.id)).mappings()]
        if rows:
            values = [{**row, "packages": ",".join(sorted(named[row["id"]])[:MAX_NAMED])} for row in rows]
            connection.execute(insert(CVES), values)


_MARK = (
    update(PACKAGES)
    .where(PACKAGES.c.scan == bindparam("of_scan"), PACKAGES.c.number == bindparam("of_number"))
    .values({name: bindparam(f"to_{name}") for name in ("checked", "vulnerabilities", "severity", "severity_rank")})
)


def _mark_packages(connection: Connection, scan: str, verdict: Judgement) -> None:
    """Write to each package what was found of it; those that stay as they were are not written."""
    number: Counter[str] = Counter()
    worst: dict[str, Severity] = {}
    for one in verdict.vulnerabilities:
        number[one.purl] += 1
        if one.purl not in worst or one.severity.rank > worst[one.purl].rank:
            worst[one.purl] = one.severity
    names = ("scan", "number", "purl", "checked", "vulnerabilities", "severity", "severity_rank")
    wanted = select(*(PACKAGES.c[name] for name in names)).where(PACKAGES.c.scan == scan)
    rows = connection.execute(wanted).mappings()
    changed = list(_marks(rows, verdict.unchecked, number, worst))
    if changed:
        connection.execute(_MARK, changed)


def _marks(
    rows: Any, unchecked: frozenset[str], number: Mapping[str, int], worst: Mapping[str, Severity]
) -> Iterator[dict[str, Any]]:
    for row in rows:
        purl = row["purl"]
        severity = worst.get(purl)
        to = {
            "checked": purl not in unchecked,
            "vulnerabilities": number.get(purl, 0),
            "severity": severity.value if severity else None,
            "severity_rank": severity.rank if severity else -1,
        }
        if any(row[name] != value for name, value in to.items()):
            yield {"of_scan": row["scan"], "of_number": row["number"], **{f"to_{name}": to[name] for name in to}}


def _unchecked(connection: Connection, scan: str) -> int:
    mine = (PACKAGES.c.scan == scan, PACKAGES.c.checked.is_(False))
    return connection.execute(select(func.count()).select_from(PACKAGES).where(*mine)).scalar_one()
