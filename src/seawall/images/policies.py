"""Image policies in the store, and what they decided of each image.

A changed policy asks nothing of an image again: stored inventories are judged anew, as after an import.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from seawall.core.ids import new_id
from seawall.core.plain import to_plain
from seawall.images.detect.policy import Policy
from seawall.images.load.policy import convert
from seawall.images.model import DENIED, Decision
from seawall.images.tables import INVENTORIES, POLICIES
from seawall.lists import Change, Refused

MAX_POLICIES = 100
MAX_REASONS = 50
FORM = ("rules", "observe_until")


def add(connection: Connection, value: Mapping[str, Any], by: str, now: str) -> tuple[dict[str, Any], list[Change]]:
    """A new one. Refused (409) when its name is taken, (422) when it makes no sense."""
    policy = _checked(value)
    names = list(connection.execute(select(POLICIES.c.name)).scalars())
    if policy.name in names:
        raise Refused(f"there is a policy {policy.name!r} already", status=409)
    if len(names) >= MAX_POLICIES:
        raise Refused(f"there are {MAX_POLICIES} policies, which is the limit")
    stamps = {"created_by": by, "created_at": now, "updated_by": by, "updated_at": now}
    row = {"id": new_id("ipol"), "enabled": True, **_row(policy), **stamps}
    connection.execute(insert(POLICIES).values(row))
    return _told(connection, row)


def change(
    connection: Connection, id: str, values: Mapping[str, Any], by: str, now: str
) -> tuple[dict[str, Any], list[Change]]:
    """Other rules, another mode, on and off. Refused (404, 422)."""
    row = find(connection, id)
    enabled = values.get("enabled", row["enabled"])
    policy = _checked({**shown(row), **values})
    merged = {**row, **_row(policy), "enabled": enabled, "updated_by": by, "updated_at": now}
    connection.execute(update(POLICIES).where(POLICIES.c.id == id).values(merged))
    return _told(connection, merged)


def remove(connection: Connection, id: str) -> list[Change]:
    """Refused (404) when there is none."""
    if not connection.execute(delete(POLICIES).where(POLICIES.c.id == id)).rowcount:
        raise Refused(f"there is no policy {id[:60]!r}", status=404)
    _again(connection)
    return [Change("image-policies/remove", {"id": id})]


def find(connection: Connection, id: str) -> dict[str, Any]:
    """One row. Refused (404)."""
    row = connection.execute(select(POLICIES).where(POLICIES.c.id == id)).mappings().first()
    if row is None:
        raise Refused(f"there is no policy {id[:60]!r}", status=404)
    return dict(row)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the API shows it."""
    kept = {str(name): value for name, value in row.items() if name not in ("form", "scope")}
    return {**kept, **row["form"], **row["scope"]}


def in_force(connection: Connection) -> list[Policy]:
    """Those that are switched on."""
    rows = connection.execute(select(POLICIES).where(POLICIES.c.enabled).order_by(POLICIES.c.name)).mappings()
    return [convert({name: value for name, value in shown(dict(row)).items() if name in _FIELDS}) for row in rows]


def decided(connection: Connection, image_id: str, scan: str, decision: Decision) -> str:
    """Write what the policies say of a scan; what they said before."""
    mine = (INVENTORIES.c.image_id == image_id, INVENTORIES.c.scan == scan)
    before: str | None = connection.execute(select(INVENTORIES.c.decision).where(*mine)).scalar()
    values = {"decision": decision.verdict, "reasons": to_plain(decision.reasons[:MAX_REASONS])}
    connection.execute(update(INVENTORIES).where(*mine).values(values))
    return before or ""


def denied() -> Select[Any]:
    """Images that no container may be made of: image_id, name, reasons, digests (in `data`)."""
    columns = (INVENTORIES.c[name] for name in ("image_id", "name", "reasons", "data"))
    return select(*columns).where(INVENTORIES.c.decision == DENIED).order_by(INVENTORIES.c.image_id)


def ripe(connection: Connection, now: str) -> bool:
    """Whether a policy's time of observing has ended since its images were judged; they are judged anew then."""
    found = [
        row["id"]
        for row in connection.execute(select(POLICIES).where(POLICIES.c.enabled)).mappings()
        if (until := row["form"].get("observe_until", "")) and until <= now
    ]
    return bool(found)


def ripen(connection: Connection, now: str) -> None:
    """End the time of observing of those that are ripe."""
    for row in connection.execute(select(POLICIES).where(POLICIES.c.enabled)).mappings().all():
        until = row["form"].get("observe_until", "")
        if until and until <= now:
            form = {**row["form"], "observe_until": ""}
            connection.execute(update(POLICIES).where(POLICIES.c.id == row["id"]).values(form=form))
    _again(connection)


def age(connection: Connection, before: str) -> None:
    """Days go by: where a policy counts them, images that were judged before then are judged anew."""
    rows = connection.execute(select(POLICIES.c.form).where(POLICIES.c.enabled)).scalars()
    if any(form["rules"].get(name) for form in rows for name in ("max_age_days", "max_scan_days")):
        connection.execute(update(INVENTORIES).where(INVENTORIES.c.judged_at < before).values(judged_with=""))


_FIELDS = tuple(Policy.__dataclass_fields__)


def _checked(value: Mapping[str, Any]) -> Policy:
    try:
        return convert({name: one for name, one in value.items() if name in _FIELDS})
    except ValueError as error:
        raise Refused(f"the policy makes no sense: {error}") from error


def _row(policy: Policy) -> dict[str, Any]:
    plain = to_plain(policy)
    form = {name: plain[name] for name in FORM}
    scope: Sequence[str] = ("include", "exclude")
    return {"name": policy.name, "mode": policy.mode, "form": form, "scope": {name: plain[name] for name in scope}}


def _told(connection: Connection, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Change]]:
    _again(connection)
    return shown(row), [Change("image-policies/change", shown(row))]


def _again(connection: Connection) -> None:
    """Everything is judged anew; what was decided stays in force until then."""
    connection.execute(update(INVENTORIES).values(judged_with=""))
