"""What was read of images: inventories and their packages; verdicts.py has what is known of them.

An inventory comes in parts. Its packages lie under the order that asked for them and are seen once all parts are there,
so a scan that breaks off leaves the last whole one as it was.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update

from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.core.plain import to_plain
from seawall.images import found
from seawall.images.model import Inventory, Location, Package
from seawall.images.tables import CVES, INVENTORIES, MAX_TEXT, PACKAGES, PARTS, SEVERITIES
from seawall.lists import Change, Source

MAX_PARTS = 100
MAX_PACKAGES = 2000
"""In one part."""
MAX_HEAD = 2 << 20
"""Characters of everything but the packages, as JSON."""
MAX_LOCATIONS = 20
"""Places of one package that are kept."""
_COLUMNS = {column.name for column in PACKAGES.c}
_EMPTY: dict[str, Any] = dict.fromkeys(("packages", "secrets", "malware", "risks"), ())
"""What lies in tables of its own."""


def apply(connection: Connection, source: Source, item: Item, now: str) -> list[Change]:
    """Store one part of an inventory. Raises Hostile on what is none."""
    image_id, scan, part, parts = _address(item.data)
    head, packages = _content(item.data.get("inventory"), part)
    try:
        found.write(connection, scan, part, item.data["inventory"], image_id=image_id, first_seen=now)
    except ValueError as error:
        raise Hostile(f"not an inventory: {error}") from error
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
    kept = {name: value for name, value in row["data"].items() if name not in _EMPTY}
    return {**kept, **seen, "scan": scan_shown(row)}


FILES = ("secrets", "malware", "config")
SCAN_COLUMNS = (
    *("scanned_at", "packages", "judged", "judged_at", "judge_error", "unchecked", "kev", "fixable", *SEVERITIES),
    *(*FILES, "risk", "suppressed", "decision"),
)


def scans() -> Select[Any]:
    """What a list of images may show of each one's scan; the image is `id`, `judge_error` is `error`."""
    columns = (INVENTORIES.c[name] for name in SCAN_COLUMNS)
    return select(INVENTORIES.c.image_id.label("id"), *columns)


def scan_shown(row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    """The verdict as the API shows it. What was not judged has no counts: null is not zero."""
    judged = bool(row["judged"])
    plain = {name: row[name] for name in ("scanned_at", "packages", "judged_at", "risk", "decision", *FILES)}
    return {
        **plain,
        "judged": judged,
        "error": row["judge_error"] or "",
        "unchecked": row["unchecked"] if judged else None,
        "vulnerabilities": {severity: row[severity] for severity in SEVERITIES} if judged else None,
        "kev": row["kev"] if judged else None,
        "fixable": row["fixable"] if judged else None,
        "suppressed": row["suppressed"] if judged else None,
    }


NEVER_SCANNED: dict[str, Any] = {
    **dict.fromkeys(("scanned_at", "packages", "judged_at", "unchecked", "vulnerabilities", "kev", "fixable")),
    **dict.fromkeys((*FILES, "risk", "suppressed")),
    "decision": "",
    "judged": False,
    "error": "",
}
"""What `scan_shown` would say of an image that nobody has read."""


def load(connection: Connection, image_id: str, scan: str) -> Inventory | None:
    """A stored inventory, to be judged; None when it is no more."""
    mine = (INVENTORIES.c.image_id == image_id, INVENTORIES.c.scan == scan)
    data = connection.execute(select(INVENTORIES.c.data).where(*mine)).scalar()
    if data is None:
        return None
    rows = connection.execute(select(PACKAGES).where(PACKAGES.c.scan == scan).order_by(PACKAGES.c.number))
    packages = tuple(_package(row) for row in rows.mappings())
    return replace(msgspec.convert(data, Inventory), packages=packages, **found.load(connection, scan))


def scanned_at(connection: Connection, scan: str) -> str:
    """When a stored scan was made; "" when it is no more."""
    found = connection.execute(select(INVENTORIES.c.scanned_at).where(INVENTORIES.c.scan == scan)).scalar()
    return found or ""


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
        found.forget(connection, scan)


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
        head = to_plain(replace(msgspec.convert(value, Inventory), **_EMPTY)) if part == 1 else None
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
        "verdict": "",
        **found.settle(connection, image_id, scan, head["checked"]),
    }
    mine = INVENTORIES.c.image_id == image_id
    before = connection.execute(select(INVENTORIES.c.scan).where(mine)).scalar()
    if before is None:
        zero = dict.fromkeys(("unchecked", "kev", "fixable", "suppressed", *SEVERITIES), 0)
        undecided = {"decision": "", "reasons": []}
        row = {"image_id": image_id, "judged": False, "judge_error": "", **undecided, **zero, **values}
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
        "more": {
            name: value
            for name, value in to_plain(package).items()
            if name not in _COLUMNS and value not in (None, "", False, [])
        },
        "locations": [{"path": one.path[:1024], "layer": one.layer} for one in package.locations[:MAX_LOCATIONS]],
        "checked": None,
        "vulnerabilities": 0,
        "severity": None,
        "severity_rank": -1,
    }


def _package(row: RowMapping) -> Package:
    names = ("name", "version", "kind", "purl", "source_name", "source_version", "arch", "license", "owned")
    plain = {**row["more"], **{name: row[name] for name in names}, "locations": row["locations"]}
    return msgspec.convert(plain, Package)
