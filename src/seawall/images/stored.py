"""A stored image as a scan, for reports: what was read of it, and what is known of it now."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from seawall.images import store
from seawall.images.model import Decision, Judgement, Scan, Vulnerability
from seawall.images.tables import INVENTORIES, PACKAGES, VULNERABILITIES

_COLUMNS = {str(column.name) for column in VULNERABILITIES.c} & set(Vulnerability.__dataclass_fields__)


def scan(connection: Connection, image_id: str) -> Scan | None:
    """None when it was never scanned."""
    row = connection.execute(select(INVENTORIES).where(INVENTORIES.c.image_id == image_id)).mappings().first()
    if row is None:
        return None
    inventory = store.load(connection, image_id, row["scan"])
    if inventory is None:
        return None
    looked = tuple(name for name in inventory.checked if name != "package")
    why = "" if row["judged"] else row["judge_error"] or "no advisories were imported"
    return Scan(
        inventory,
        row["scanned_at"],
        ("vuln", *looked, "package"),
        _judgement(connection, dict(row)) if row["judged"] else None,
        why,
        decision=_decision(dict(row)),
    )


def _judgement(connection: Connection, row: Mapping[str, Any]) -> Judgement:
    mine = VULNERABILITIES.c.image_id == row["image_id"]
    rows = connection.execute(select(VULNERABILITIES).where(mine).order_by(VULNERABILITIES.c.number)).mappings()
    found = [vulnerability(dict(one)) for one in rows]
    unseen = select(PACKAGES.c.purl).where(PACKAGES.c.scan == row["scan"], PACKAGES.c.checked.is_(False))
    unchecked = frozenset(connection.execute(unseen).scalars())
    return Judgement(
        [one for one in found if not one.suppressed],
        unchecked,
        suppressed=[one for one in found if one.suppressed],
    )


def vulnerability(row: Mapping[str, Any]) -> Vulnerability:
    """A row as the value that it was."""
    details = dict(row["details"])
    parts = details.pop("risk", [])
    known = {name: value for name, value in details.items() if name in Vulnerability.__dataclass_fields__}
    values = {**known, **{name: row[name] for name in _COLUMNS}, "parts": parts}
    return msgspec.convert({**values, "risk": row["risk"] or 0}, Vulnerability)


def _decision(row: Mapping[str, Any]) -> Decision | None:
    if not row["decision"]:
        return None
    return msgspec.convert({"verdict": row["decision"], "reasons": row["reasons"]}, Decision)
