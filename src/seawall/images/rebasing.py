"""On what a stored image is built, among all stored images, and what building it on a newer one would mend."""

from typing import Any

from sqlalchemy import Connection, select

from seawall.images import stored
from seawall.images.detect.base import Known, base_of, marked, newer, rebase
from seawall.images.model import Scan
from seawall.images.tables import INVENTORIES

MAX_KNOWN = 20_000
MAX_SHOWN = 200
"""Vulnerabilities of each list that are named."""


def told(connection: Connection, scan: Scan) -> dict[str, Any]:
    """`base` (how it is known, layers), and `rebase` when a newer one is stored and both were judged."""
    known = _known(connection, scan.inventory.config.id)
    base = base_of(scan.inventory, known)
    found: dict[str, Any] = {"base": {"name": base.name, "how": base.how, "layers": base.layers}, "rebase": None}
    onto = newer(base.known, known) if base.known is not None else None
    if onto is None or scan.judgement is None:
        return found
    other = stored.scan(connection, onto.id)
    if other is None or other.judgement is None:
        return found
    change = rebase(
        scan.judgement.vulnerabilities,
        marked(scan.inventory.layers, base),
        other.judgement.vulnerabilities,
        onto.name,
    )
    lists = {name: getattr(change, name) for name in ("gone", "stay", "come")}
    shown = {name: [_row(one) for one in items[:MAX_SHOWN]] for name, items in lists.items()}
    counts = {f"{name}_total": len(items) for name, items in lists.items()}
    return {**found, "rebase": {"onto": change.onto, "image_id": onto.id, **shown, **counts}}


def _row(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("id", "package", "installed", "fixed", "severity")}


def _known(connection: Connection, but: str) -> list[Known]:
    columns = INVENTORIES.c
    rows = connection.execute(
        select(columns.image_id, columns.name, columns.data).where(columns.image_id != but).limit(MAX_KNOWN)
    )
    return [
        Known(
            row.name,
            tuple(layer["diff_id"] for layer in row.data["layers"] if not layer["empty"]),
            row.image_id,
            row.data["config"]["created"],
        )
        for row in rows
    ]
