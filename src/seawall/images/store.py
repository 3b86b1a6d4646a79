"""What was read of images, and what is known of it: inventories, packages, vulnerabilities.

An inventory comes in parts. Its packages lie under the order that asked for them and are seen once all parts are there,
so a scan that breaks off leaves the last whole one as it was. Judging happens later and elsewhere, from what lies here:
`unjudged` names what newer knowledge has not seen, `load` gives it out, `judged` writes the verdict.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.core.plain import to_plain
from seawall.core.severity import Severity
from seawall.images.model import Inventory, Location, Package, Vulnerability
from seawall.lists import Change, Source

METADATA = MetaData()
MAX_PARTS = 100
MAX_PACKAGES = 2000
"""In one part."""
MAX_HEAD = 2 << 20
"""Characters of everything but the packages, as JSON."""
MAX_LOCATIONS = 20
"""Places of one package that are kept."""
MAX_TEXT = 512
MAX_NAMED = 100
"""Packages that are named with a CVE."""
PORTION = 400
"""Values in one question to the database."""
MAX_FINDINGS = 100_000
"""Vulnerabilities of one image that are kept, the worst first."""
SEVERITIES = tuple(severity.value for severity in Severity)

INVENTORIES = Table(
    "inventories",
    METADATA,
    Column("image_id", String(160), primary_key=True),
    Column("scan", String(64), nullable=False),
    Column("name", String(MAX_TEXT), nullable=False),
    Column("agent_id", String(64), nullable=False),
    Column("host_id", String(64), nullable=False),
    Column("host_name", String(255), nullable=False),
    Column("scanned_at", String(32), nullable=False),
    Column("packages", Integer, nullable=False),
    Column("data", JSON, nullable=False),
    # The verdict. `judged_with` names the knowledge; "" and everything that is not the newest has to be judged again.
    Column("judged", Boolean, nullable=False),
    Column("judged_with", String(64), nullable=False, index=True),
    Column("judged_at", String(32)),
    Column("judge_error", Text, nullable=False),
    Column("unchecked", Integer, nullable=False),
    Column("kev", Integer, nullable=False),
    Column("fixable", Integer, nullable=False),
    *(Column(severity, Integer, nullable=False) for severity in SEVERITIES),
)
PARTS = Table(
    "inventory_parts",
    METADATA,
    Column("scan", String(64), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("image_id", String(160), nullable=False, index=True),
    Column("parts", Integer, nullable=False),
    Column("received_at", String(32), nullable=False, index=True),
    Column("data", JSON, nullable=False),
)
"""Parts of inventories that are not whole yet. `data` is that of the first, else null."""
PACKAGES = Table(
    "packages",
    METADATA,
    Column("scan", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(MAX_TEXT), nullable=False),
    Column("version", String(MAX_TEXT), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("purl", String(1024), nullable=False),
    Column("source_name", String(MAX_TEXT), nullable=False),
    Column("source_version", String(MAX_TEXT), nullable=False),
    Column("arch", String(64), nullable=False),
    Column("license", String(MAX_TEXT), nullable=False),
    Column("owned", Boolean, nullable=False),
    Column("path", String(1024), nullable=False),
    Column("layer", Integer, nullable=False),
    Column("locations", JSON, nullable=False),
    Column("checked", Boolean),
    Column("vulnerabilities", Integer, nullable=False),
    Column("severity", String(16)),
    Column("severity_rank", Integer, nullable=False),
)
VULNERABILITIES = Table(
    "vulnerabilities",
    METADATA,
    Column("image_id", String(160), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("id", String(128), nullable=False),
    Column("aliases", JSON, nullable=False),
    Column("package", String(MAX_TEXT), nullable=False),
    Column("installed", String(MAX_TEXT), nullable=False),
    Column("fixed", String(MAX_TEXT), nullable=False),
    Column("fixable", Boolean, nullable=False),
    Column("status", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("score", Float),
    Column("cvss", String(255), nullable=False),
    Column("epss", Float),
    Column("kev", Boolean, nullable=False),
    Column("title", String(MAX_TEXT), nullable=False),
    Column("url", String(1024), nullable=False),
    Column("source", String(128), nullable=False),
    Column("purl", String(1024), nullable=False),
    Column("path", String(1024), nullable=False),
    Column("layer", Integer, nullable=False),
    Column("first_seen", String(32), nullable=False),
    Index("vulnerabilities_cve", "id", "image_id"),
)
"""Of images that some host holds: those of others are put aside, and judged again when the image comes back."""
CVES = Table(
    "cves",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("severity", String(16), nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("score", Float),
    Column("kev", Boolean, nullable=False),
    Column("fixed", Boolean, nullable=False),
    Column("title", String(MAX_TEXT), nullable=False),
    Column("url", String(1024), nullable=False),
    Column("packages", Text, nullable=False),
    Column("images", Integer, nullable=False),
    Column("first_seen", String(32), nullable=False),
    Index("cves_severity", "severity_rank", "id"),
)
"""The sum of `vulnerabilities` by CVE, kept with each verdict: grouping 100,000 rows for each page takes a second."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of an inventory."""

    vulnerabilities: Sequence[Vulnerability]
    """The worst first."""
    unchecked: frozenset[str] = frozenset()
    """Purls of packages that no feed speaks of: they could not be judged."""


def apply(connection: Connection, source: Source, item: Item, now: str) -> list[Change]:
    """Store one part of an inventory. Raises Hostile on what is none."""
    image_id, scan, part, parts = _address(item.data)
    head, packages = _content(item.data.get("inventory"), part)
    connection.execute(delete(PARTS).where(PARTS.c.scan == scan, PARTS.c.part == part))
    first = part * MAX_PACKAGES
    numbers = PACKAGES.c.number
    mine = PACKAGES.c.scan == scan
    connection.execute(delete(PACKAGES).where(mine, numbers >= first, numbers < first + MAX_PACKAGES))
    rows = [_package_row(scan, first + place, package) for place, package in enumerate(packages)]
    if rows:
        connection.execute(insert(PACKAGES), rows)
    came = {"scan": scan, "part": part, "image_id": image_id, "parts": parts, "received_at": now, "data": head}
    connection.execute(insert(PARTS).values(came))
    there = select(func.count(), func.min(PARTS.c.parts), func.max(PARTS.c.parts), func.max(PARTS.c.part))
    count, least, most, last = connection.execute(there.where(PARTS.c.scan == scan)).one()
    if least != most:
        raise Hostile(f"parts of order {scan} speak of {least} and of {most} parts")
    return _whole(connection, source, image_id, scan, now) if count == last == parts else []


def delivered(connection: Connection, scan: str) -> bool:
    """Whether all of what an order asked for has come."""
    return connection.execute(select(INVENTORIES.c.scan).where(INVENTORIES.c.scan == scan)).first() is not None


def inventory(connection: Connection, image_id: str) -> dict[str, Any] | None:
    """Everything that was read of an image but its packages, as the API shows it."""
    row = connection.execute(select(INVENTORIES).where(INVENTORIES.c.image_id == image_id)).mappings().first()
    if row is None:
        return None
    seen = {name: row[name] for name in ("image_id", "scanned_at", "host_id", "host_name")}
    kept = {name: value for name, value in row["data"].items() if name != "packages"}
    return {**kept, **seen, "scan": scan_shown(row)}


SCAN_COLUMNS = (
    *("scanned_at", "packages", "judged", "judged_at", "judge_error", "unchecked", "kev", "fixable", *SEVERITIES),
)


def scans() -> Select[Any]:
    """What a list of images may show of each one's scan; the image is `id`, `judge_error` is `error`."""
    columns = (INVENTORIES.c[name] for name in SCAN_COLUMNS)
    return select(INVENTORIES.c.image_id.label("id"), *columns)


def scan_shown(row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    """The verdict as the API shows it. What was not judged has no counts: null is not zero."""
    judged = bool(row["judged"])
    plain = {name: row[name] for name in ("scanned_at", "packages", "judged_at")}
    return {
        **plain,
        "judged": judged,
        "error": row["judge_error"] or "",
        "unchecked": row["unchecked"] if judged else None,
        "vulnerabilities": {severity: row[severity] for severity in SEVERITIES} if judged else None,
        "kev": row["kev"] if judged else None,
        "fixable": row["fixable"] if judged else None,
    }


NEVER_SCANNED: dict[str, Any] = {
    **dict.fromkeys(("scanned_at", "packages", "judged_at", "unchecked", "vulnerabilities", "kev", "fixable")),
    "judged": False,
    "error": "",
}
"""What `scan_shown` would say of an image that nobody has read."""


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


def load(connection: Connection, image_id: str, scan: str) -> Inventory | None:
    """A stored inventory, to be judged; None when it is no more."""
    mine = (INVENTORIES.c.image_id == image_id, INVENTORIES.c.scan == scan)
    data = connection.execute(select(INVENTORIES.c.data).where(*mine)).scalar()
    if data is None:
        return None
    rows = connection.execute(select(PACKAGES).where(PACKAGES.c.scan == scan).order_by(PACKAGES.c.number))
    packages = tuple(_package(row) for row in rows.mappings())
    return replace(msgspec.convert(data, Inventory), packages=packages)


def judged(
    connection: Connection, image_id: str, scan: str, verdict: Judgement, *, version: str, now: str
) -> list[Change]:
    """Write what is known of an inventory. A scan that is no longer the image's newest is passed over."""
    mine = (INVENTORIES.c.image_id == image_id, INVENTORIES.c.scan == scan)
    if connection.execute(select(INVENTORIES.c.scan).where(*mine)).first() is None:
        return []
    found = list(verdict.vulnerabilities)[:MAX_FINDINGS]
    _replace(connection, image_id, [_finding_row(image_id, number, one, now) for number, one in enumerate(found)])
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


def overview(connection: Connection, present: Select[Any]) -> dict[str, Any]:
    """The overview's `images`. `present` has id and name of all images that some host holds."""
    there = present.subquery()
    held = INVENTORIES.join(there, there.c.id == INVENTORIES.c.image_id)
    total = connection.execute(select(func.count()).select_from(there)).scalar_one()
    scanned, not_checked = connection.execute(
        select(func.count(), func.count().filter(INVENTORIES.c.judged.is_(False))).select_from(held)
    ).one()
    severities = connection.execute(select(CVES.c.severity, func.count()).group_by(CVES.c.severity))
    known: dict[str, int] = {row[0]: row[1] for row in severities}
    order = (INVENTORIES.c.critical.desc(), INVENTORIES.c.kev.desc(), INVENTORIES.c.high.desc(), there.c.name)
    worst = (
        select(there.c.id, there.c.name, INVENTORIES.c.critical, INVENTORIES.c.high, INVENTORIES.c.kev)
        .select_from(held)
        .where(INVENTORIES.c.judged)
        .order_by(*order)
        .limit(5)
    )
    return {
        "scanned": scanned,
        "not_checked": not_checked,
        "total": total,
        "vulnerabilities": {severity: known.get(severity, 0) for severity in SEVERITIES},
        "kev": connection.execute(select(func.count()).select_from(CVES).where(CVES.c.kev)).scalar_one(),
        "top": [dict(row) for row in connection.execute(worst).mappings()],
    }


def counts(connection: Connection, image_id: str) -> dict[str, Any] | None:
    """What is known of one image, as lists show it; None when it was never scanned."""
    row = connection.execute(scans().where(INVENTORIES.c.image_id == image_id)).mappings().first()
    return scan_shown(row) if row is not None else None


def forget_broken(connection: Connection, before: str) -> None:
    """Remove parts of inventories that were never finished."""
    late = select(PARTS.c.scan).group_by(PARTS.c.scan).having(func.max(PARTS.c.received_at) < before)
    for scan in connection.execute(late).scalars().all():
        connection.execute(delete(PACKAGES).where(PACKAGES.c.scan == scan))
        connection.execute(delete(PARTS).where(PARTS.c.scan == scan))


def _address(data: Mapping[str, Any]) -> tuple[str, str, int, int]:
    image_id, scan, part, parts = (data.get(name) for name in ("image_id", "order", "part", "parts"))
    if not isinstance(image_id, str) or not 0 < len(image_id) <= 140:
        raise Hostile("an inventory names its image by an id of at most 140 characters")
    if not isinstance(scan, str) or not 0 < len(scan) <= 64:
        raise Hostile("an inventory names the order that asked for it")
    if type(part) is not int or type(parts) is not int or not 1 <= part <= parts <= MAX_PARTS:
        raise Hostile(f"part {part!r} of {parts!r} is not one of 1 to {MAX_PARTS}")
    return image_id, scan, part, parts


def _content(value: Any, part: int) -> tuple[dict[str, Any] | None, tuple[Package, ...]]:
    """The head, in the first part only, and the packages."""
    try:
        packages = msgspec.convert(value["packages"], tuple[Package, ...])
        head = to_plain(replace(msgspec.convert(value, Inventory), packages=())) if part == 1 else None
    except (msgspec.ValidationError, KeyError, TypeError, RecursionError) as error:
        raise Hostile(f"not an inventory: {error}") from error
    if len(packages) > MAX_PACKAGES:
        raise Hostile(f"{len(packages)} packages in one part, the limit is {MAX_PACKAGES}")
    if head is not None and len(json.dumps(head)) > MAX_HEAD:
        raise Hostile(f"the inventory without its packages is over {MAX_HEAD} characters")
    return head, packages


def _whole(connection: Connection, source: Source, image_id: str, scan: str, now: str) -> list[Change]:
    """The last part has come: what it and the others say is the image's inventory now.

    Findings of the one before stay until this one is judged, so that nothing looks clean in between.
    """
    head = connection.execute(select(PARTS.c.data).where(PARTS.c.scan == scan, PARTS.c.part == 1)).scalar_one()
    number = connection.execute(select(func.count()).select_from(PACKAGES).where(PACKAGES.c.scan == scan)).scalar_one()
    values = {
        "scan": scan,
        "name": head["name"][:MAX_TEXT],
        "agent_id": source.agent_id,
        "host_id": source.host_id,
        "host_name": source.host_name,
        "scanned_at": now,
        "packages": number,
        "data": head,
        "judged_with": "",
    }
    mine = INVENTORIES.c.image_id == image_id
    before = connection.execute(select(INVENTORIES.c.scan).where(mine)).scalar()
    if before is None:
        zero = dict.fromkeys(("unchecked", "kev", "fixable", *SEVERITIES), 0)
        row = {"image_id": image_id, "judged": False, "judge_error": "", **zero, **values}
        connection.execute(insert(INVENTORIES).values(row))
    else:
        connection.execute(update(INVENTORIES).where(mine).values(values))
    others = select(PARTS.c.scan).where(PARTS.c.image_id == image_id, PARTS.c.scan != scan).distinct()
    for old in {before, *connection.execute(others).scalars()} - {None, scan}:
        connection.execute(delete(PACKAGES).where(PACKAGES.c.scan == old))
    connection.execute(delete(PARTS).where(PARTS.c.image_id == image_id))
    return [Change("images/change", {"id": image_id})]


def _package_row(scan: str, number: int, package: Package) -> dict[str, Any]:
    first = package.locations[0] if package.locations else Location("", -1)
    texts = ("name", "version", "source_name", "source_version", "license")
    return {
        **{name: getattr(package, name)[:MAX_TEXT] for name in texts},
        "scan": scan,
        "number": number,
        "kind": package.kind[:32],
        "purl": package.purl[:1024],
        "arch": package.arch[:64],
        "owned": package.owned,
        "path": first.path[:1024],
        "layer": first.layer,
        "locations": [{"path": one.path[:1024], "layer": one.layer} for one in package.locations[:MAX_LOCATIONS]],
        "checked": None,
        "vulnerabilities": 0,
        "severity": None,
        "severity_rank": -1,
    }


def _package(row: RowMapping) -> Package:
    names = ("name", "version", "kind", "purl", "source_name", "source_version", "arch", "license", "owned")
    places = tuple(Location(one["path"], one["layer"]) for one in row["locations"])
    return Package(**{name: row[name] for name in names}, locations=places)


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
    }


_SUMMED = ("package", "severity_rank", "score", "kev", "fixable", "title", "url")


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
    for row in rows:
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
        "kev": func.max(found.kev),
        "fixed": func.max(found.fixable),
        "title": func.max(found.title),
        "url": func.max(found.url),
        "images": func.count(found.image_id.distinct()),
        "first_seen": func.min(found.first_seen),
    }
    for at in range(0, len(ids), PORTION):
        portion = ids[at : at + PORTION]
        connection.execute(delete(CVES).where(CVES.c.id.in_(portion)))
        named: dict[str, list[str]] = {}
        for cve, package in connection.execute(select(found.id, found.package).where(found.id.in_(portion)).distinct()):
            named.setdefault(cve, []).append(package)
        sums = select(*(value.label(name) for name, value in columns.items())).where(found.id.in_(portion))
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
