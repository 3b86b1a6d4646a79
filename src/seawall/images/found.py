"""What analysers found in images, as rows: secrets, malware, configuration. They come in an inventory's parts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from seawall.core.plain import to_plain
from seawall.images.model import Inventory, Malware, Risk, Secret
from seawall.images.tables import FINDINGS, INVENTORIES, MAX_TEXT

Finding = Secret | Malware | Risk
DECIDED = "somebody has decided that it does not count"
MAX_ROWS = 2000
"""Of one kind in one part."""
KINDS: dict[str, tuple[str, type[Any]]] = {
    "secret": ("secrets", Secret),
    "malware": ("malware", Malware),
    "config": ("risks", Risk),
}
"""Kind of a finding, as users ask for its scanner → the inventory's field and what is in it."""
_PLACED = {name: name for name in ("severity", "path", "layer")}
_SHOWN = {
    "secret": {"rule": "rule", "title": "title", "deleted": "deleted", **_PLACED},
    "malware": {"rule": "rule", "about": "title", "deleted": "deleted", **_PLACED},
    "config": {"check": "rule", "title": "title", **_PLACED},
}
"""Fields that have columns of their own, and which."""
_COLUMNS = {name for fields in _SHOWN.values() for name in fields}
MAX_VALUE = 2000
"""Characters of any other field."""


def write(connection: Connection, scan: str, part: int, value: Mapping[str, Any], **columns: str) -> None:
    """Store what one part tells; `columns` are image_id and first_seen. Raises ValueError on what is no finding."""
    for kind, (name, form) in KINDS.items():
        found: tuple[Finding, ...] = msgspec.convert(value.get(name) or (), tuple[form, ...])  # type: ignore[valid-type]
        if len(found) > MAX_ROWS:
            raise ValueError(f"{len(found)} {name} in one part, the limit is {MAX_ROWS}")
        first = part * MAX_ROWS
        mine = (FINDINGS.c.scan == scan, FINDINGS.c.kind == kind)
        numbers = FINDINGS.c.number
        connection.execute(delete(FINDINGS).where(*mine, numbers >= first, numbers < first + MAX_ROWS))
        rows = [
            {"scan": scan, "kind": kind, "number": first + place, **columns, **_row(one)}
            for place, one in enumerate(found)
        ]
        if rows:
            connection.execute(insert(FINDINGS), rows)


def settle(connection: Connection, image_id: str, scan: str, checked: Mapping[str, str]) -> dict[str, int | None]:
    """The newest scan is whole: older ones go, what they had seen before keeps its first sight; the counts.

    What was not checked has no count: null is not zero.
    """
    mine, other = FINDINGS.c.scan == scan, FINDINGS.c.scan != scan
    old = FINDINGS.alias()
    same = (
        *(old.c[name] == FINDINGS.c[name] for name in ("image_id", "kind", "rule", "path", "identity")),
        old.c.scan != scan,
    )
    since = select(func.min(old.c.first_seen)).where(*same).correlate(FINDINGS).scalar_subquery()
    connection.execute(FINDINGS.update().where(mine).values(first_seen=func.coalesce(since, FINDINGS.c.first_seen)))
    connection.execute(delete(FINDINGS).where(FINDINGS.c.image_id == image_id, other))
    rows = connection.execute(select(FINDINGS.c.kind, func.count()).where(mine).group_by(FINDINGS.c.kind))
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    return {
        name: counts.get(kind, 0) if checked.get(kind) == "" or kind in counts else None
        for kind, name in (("secret", "secrets"), ("malware", "malware"), ("config", "config"))
    }


def suppress(connection: Connection, scan: str, whole: Inventory, left: Inventory) -> None:
    """Note which findings do not count by decision (`left` is what still does), and count the others."""
    counts: dict[str, int] = {}
    for kind, (name, _) in KINDS.items():
        kept = {id(one) for one in getattr(left, name)}
        mine = (FINDINGS.c.scan == scan, FINDINGS.c.kind == kind)
        numbers = list(connection.execute(select(FINDINGS.c.number).where(*mine).order_by(FINDINGS.c.number)).scalars())
        gone = [number for number, one in zip(numbers, getattr(whole, name), strict=False) if id(one) not in kept]
        was = (*mine, FINDINGS.c.suppressed != "")
        connection.execute(update(FINDINGS).where(*was).values(suppressed=""))
        for at in range(0, len(gone), 400):
            these = FINDINGS.c.number.in_(gone[at : at + 400])
            connection.execute(update(FINDINGS).where(*mine, these).values(suppressed=DECIDED))
        counts[kind] = len(numbers) - len(gone)
    row = connection.execute(select(INVENTORIES).where(INVENTORIES.c.scan == scan)).mappings().first()
    if row is not None:
        names = {"secret": "secrets", "malware": "malware", "config": "config"}
        values = {name: counts[kind] for kind, name in names.items() if row[name] is not None}
        if any(row[name] != value for name, value in values.items()):
            connection.execute(update(INVENTORIES).where(INVENTORIES.c.scan == scan).values(values))


def load(connection: Connection, scan: str) -> dict[str, Any]:
    """The inventory's fields of a stored scan."""
    found: dict[str, list[Any]] = {name: [] for name, _ in KINDS.values()}
    wanted = select(FINDINGS).where(FINDINGS.c.scan == scan).order_by(FINDINGS.c.kind, FINDINGS.c.number)
    for row in connection.execute(wanted).mappings():
        name, form = KINDS[row["kind"]]
        found[name].append(msgspec.convert(shown(dict(row)), form))
    return {name: tuple(items) for name, items in found.items()}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the API and the report show it."""
    return {**row["data"], **{name: row[column] for name, column in _SHOWN[row["kind"]].items()}}


def forget(connection: Connection, scan: str) -> None:
    """Remove what a scan that broke off had brought."""
    connection.execute(delete(FINDINGS).where(FINDINGS.c.scan == scan))


def _row(one: Finding) -> dict[str, Any]:
    rule, certainty, identity = _ABOUT[type(one)](one)
    plain = to_plain(one)
    return {
        "rule": rule[:128],
        "title": (one.about if isinstance(one, Malware) else one.title)[:MAX_TEXT],
        "severity": one.severity.value,
        "severity_rank": one.severity.rank,
        "certainty": certainty[:16],
        "path": one.path[:1024],
        "layer": one.layer,
        "deleted": one.deleted if not isinstance(one, Risk) else False,
        "identity": identity[:128],
        "suppressed": "",
        "data": {name: _cut(value) for name, value in plain.items() if name not in _COLUMNS},
    }


def _cut(value: Any) -> Any:
    return value[:MAX_VALUE] if isinstance(value, str) else value


_ABOUT: dict[type[Any], Callable[[Any], Sequence[str]]] = {
    Secret: lambda one: (one.rule, one.confidence, one.fingerprint),
    Malware: lambda one: (one.rule, one.level, f"{one.sha256}!{one.member}"),
    Risk: lambda one: (one.check, "", one.evidence),
}
