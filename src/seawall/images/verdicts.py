"""What is known of images: verdicts on stored inventories, and their sum by CVE.

Judging happens elsewhere, outside the writer: `unjudged` names the inventories that newer knowledge has not seen,
`judged` writes what was found. A verdict on a scan that is no longer the image's newest is passed over.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, case, cast, delete, func, insert, select, update

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
    values = {"judged": False, "judged_with": "", "judge_error": ""}
    connection.execute(update(INVENTORIES).where(INVENTORIES.c.image_id == image_id).values(values))
    _replace(connection, image_id, [])


def judged(
    connection: Connection, image_id: str, scan: str, verdict: Judgement, *, version: str, now: str
) -> list[Change]:
    """Write what is known of an inventory. A scan that is no longer the image's newest is passed over."""
    mine = (INVENTORIES.c.image_id == image_id, INVENTORIES.c.scan == scan)
    if connection.execute(select(INVENTORIES.c.scan).where(*mine)).first() is None:
        return []
    found = list(verdict.vulnerabilities)[:MAX_FINDINGS]
    kept = (*found, *verdict.suppressed[: MAX_FINDINGS - len(found)])
    _replace(connection, image_id, [_finding_row(image_id, number, one, now) for number, one in enumerate(kept)])
    _mark_packages(connection, scan, verdict)
    counts = Counter(one.severity.value for one in found)
    values = {
        **{severity: counts[severity] for severity in SEVERITIES},
        "judged": True,
        "judged_with": version,
        "judged_at": now,
        "judge_error": "",
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
    values = {"judged": False, "judged_with": version, "judged_at": now, "judge_error": why[:2000]}
    if not connection.execute(update(INVENTORIES).where(*mine).values(values)).rowcount:
        return []
    _replace(connection, image_id, [])
    connection.execute(update(PACKAGES).where(PACKAGES.c.scan == scan).values(checked=None, vulnerabilities=0))
    return [Change("images/change", {"id": image_id})]


def _finding_row(image_id: str, number: int, one: Vulnerability, now: str) -> dict[str, Any]:
    return {
        "image_id": image_id,
        "number": number,
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
        "first_seen": now,
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


_SUMMED = ("package", "severity_rank", "score", "kev", "fixable", "title", "url", "poc", "risk", "epss")


def _replace(connection: Connection, image_id: str, rows: list[dict[str, Any]]) -> None:
    """Write all findings of an image anew; what was known before keeps its first sight."""
    mine = VULNERABILITIES.c.image_id == image_id
    old = [dict(row) for row in connection.execute(select(VULNERABILITIES).where(mine)).mappings()]
    since = {(row["id"], row["purl"]): row["first_seen"] for row in old}
    for row in rows:
        row["first_seen"] = since.get((row["id"], row["purl"]), row["first_seen"])
    connection.execute(delete(VULNERABILITIES).where(mine))
    if rows:
        connection.execute(insert(VULNERABILITIES), rows)
    before, after = _by_id(old), _by_id(rows)
    _sum_up(connection, [cve for cve in before.keys() | after.keys() if before.get(cve) != after.get(cve)])


def _by_id(rows: Sequence[Mapping[str, Any]]) -> dict[str, set[tuple[Any, ...]]]:
    """What the sum by CVE is made of."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for row in (row for row in rows if not row["suppressed"]):
        found.setdefault(row["id"], set()).add(tuple(row[name] for name in _SUMMED))
    return found


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
    rows = connection.execute(select(PACKAGES).where(PACKAGES.c.scan == scan)).mappings()
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
