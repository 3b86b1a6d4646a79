"""What people decided: settings, groups of rules, rule files, rules by form; and all of it as one `Policy`.

Every change of the policy raises its number (`revision`), by which servers know that the plan has to be made anew.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, or_, select, update

from seawall.core import clock
from seawall.core.ids import new_id
from seawall.lists import Change, Refused
from seawall.runtime import scope
from seawall.runtime.compose import Policy, RuleFile, Silence
from seawall.runtime.model import Profile
from seawall.runtime.store.tables import (
    AUDIT,
    GROUPS,
    PLANS,
    PROFILE_PROGRAMS,
    PROFILES,
    RULE_FILES,
    SETTINGS,
    USER_RULES,
    WAIVERS,
)

REVISION = "revision"
NEW_IMAGES = "*"
"""Key in `Plan.profiles` of the images that have no profile of their own."""
MAX_FILES = 200
MAX_RULES = 500
"""Rules by form."""
AUDIT_DAYS = 400


def revision(connection: Connection) -> int:
    """The number of the policy's last change."""
    found = connection.execute(select(SETTINGS.c.value).where(SETTINGS.c.name == REVISION)).scalar()
    return int(found or 0)


def changed(connection: Connection, now: str) -> None:
    """The policy is another from now on."""
    _set(connection, REVISION, revision(connection) + 1, "", now)


def audit(connection: Connection, who: str, act: str, thing: str, *, what: str, now: str) -> None:
    """Note who did what to which thing."""
    row = {"id": new_id("audit"), "at": now, "who": who, "act": act, "thing": thing[:160], "what": what[:4000]}
    connection.execute(insert(AUDIT).values(row))


def settings(connection: Connection) -> dict[str, Any]:
    """What administrators have set."""
    rows = connection.execute(select(SETTINGS.c.name, SETTINGS.c.value).where(SETTINGS.c.name != REVISION))
    return {row.name: row.value for row in rows}


def set_settings(connection: Connection, values: Mapping[str, Any], user: str, now: str) -> list[Change]:
    """Set some of them."""
    for name, value in values.items():
        _set(connection, name, value, user, now)
        audit(connection, user, "settings/change", name, what=str(value), now=now)
    changed(connection, now)
    return [Change("runtime/settings", dict(values))]


def _set(connection: Connection, name: str, value: Any, user: str, now: str) -> None:
    row = {"value": value, "updated_by": user, "updated_at": now}
    done = connection.execute(update(SETTINGS).where(SETTINGS.c.name == name).values(row))
    if done.rowcount == 0:
        connection.execute(insert(SETTINGS).values(name=name, **row))


def groups_off(connection: Connection) -> frozenset[str]:
    """Groups that somebody has switched off."""
    return frozenset(connection.execute(select(GROUPS.c.id).where(GROUPS.c.enabled.is_(False))).scalars())


def switch_group(connection: Connection, id: str, enabled: bool, user: str, now: str) -> None:
    """Switch a group of rules on or off."""
    row = {"enabled": enabled, "updated_by": user, "updated_at": now}
    if connection.execute(update(GROUPS).where(GROUPS.c.id == id).values(row)).rowcount == 0:
        connection.execute(insert(GROUPS).values(id=id, **row))
    audit(connection, user, "rule-groups/change", id, what="on" if enabled else "off", now=now)
    changed(connection, now)


def policy(connection: Connection, now: str, samples: bool) -> Policy:
    """Everything that goes into the plan at this moment."""
    files = connection.execute(
        select(RULE_FILES).where(RULE_FILES.c.enabled).order_by(RULE_FILES.c.created_at, RULE_FILES.c.id)
    ).all()
    forms = connection.execute(select(USER_RULES).where(USER_RULES.c.enabled).order_by(USER_RULES.c.id)).all()
    texts = [RuleFile(row.id, row.name, row.text, row.good, scope.scope(row.scope)) for row in files]
    texts += [RuleFile(row.id, row.title, row.text, None, scope.scope(row.scope)) for row in forms]
    return Policy(
        groups_off(connection), tuple(texts), tuple(_waivers(connection, now)), profiles(connection), samples=samples
    )


def _waivers(connection: Connection, now: str) -> list[Silence]:
    active = or_(WAIVERS.c.expires_at.is_(None), WAIVERS.c.expires_at > now)
    rows = connection.execute(select(WAIVERS).where(active).order_by(WAIVERS.c.id))
    return [
        Silence(row.id, tuple(row.rules), row.condition, clock.parse_time(row.expires_at) if row.expires_at else 0.0)
        for row in rows
    ]


def profiles(connection: Connection) -> dict[str, Profile]:
    """The profiles of the plan, the strict ones first, then the newest.

    Those that only learn name no programs, for the node tells what it sees; they are not named at all where every image
    without a profile is learned.
    """
    everything = settings(connection).get("new_images", "discover") == "discover"
    wanted = select(PROFILES.c.id, PROFILES.c.image_digest, PROFILES.c.mode)
    if everything:
        wanted = wanted.where(PROFILES.c.mode != "discover")
    rows = connection.execute(wanted.order_by(PROFILES.c.mode.desc(), PROFILES.c.id.desc())).all()
    programs: dict[str, list[str]] = {}
    judged = select(PROFILES.c.id).where(PROFILES.c.mode != "discover")
    for row in connection.execute(
        select(PROFILE_PROGRAMS.c.profile_id, PROFILE_PROGRAMS.c.path).where(PROFILE_PROGRAMS.c.profile_id.in_(judged))
    ):
        programs.setdefault(row.profile_id, []).append(row.path)
    others = {NEW_IMAGES: Profile("discover", frozenset())} if everything else {}
    return others | {row.image_digest: Profile(row.mode, frozenset(programs.get(row.id, ()))) for row in rows}


def last_good(connection: Connection) -> Mapping[str, Any] | None:
    """The newest plan that was put in force: {version, compiled_at, body}."""
    row = connection.execute(select(PLANS).where(PLANS.c.id == "current")).mappings().first()
    return None if row is None else dict(row)


def keep_plan(connection: Connection, version: str, body: Mapping[str, Any], now: str) -> None:
    """Note the plan that is in force."""
    row = {"version": version, "compiled_at": now, "body": dict(body)}
    if connection.execute(update(PLANS).where(PLANS.c.id == "current").values(row)).rowcount == 0:
        connection.execute(insert(PLANS).values(id="current", **row))


def made(user: str, now: str) -> dict[str, str]:
    """Who made a row."""
    return {"created_by": user, "created_at": now, "updated_by": user, "updated_at": now}


def add(connection: Connection, table: Table, row: Mapping[str, Any], limit: int, now: str) -> dict[str, Any]:
    """Insert a row of the policy. Raises Refused (409) when there are as many as the house takes."""
    if connection.execute(select(func.count()).select_from(table)).scalar_one() >= limit:
        raise Refused(f"there are {limit} already", "delete some first", 409)
    connection.execute(insert(table).values(dict(row)))
    audit(connection, row["created_by"], f"{path(table)}/add", row["id"], what=_told(row), now=now)
    changed(connection, now)
    return dict(row)


def change(
    connection: Connection, table: Table, id: str, values: Mapping[str, Any], *, user: str, now: str
) -> dict[str, Any]:
    """Change a row of the policy; the whole row. Raises Refused (404)."""
    held = find(connection, table, id)
    row = {**held, **values, "updated_by": user, "updated_at": now}
    connection.execute(update(table).where(table.c.id == id).values(row))
    audit(connection, user, f"{path(table)}/change", id, what=_told(values), now=now)
    changed(connection, now)
    return row


def remove(connection: Connection, table: Table, id: str, *, user: str, now: str) -> list[Change]:
    """Delete a row of the policy. Raises Refused (404)."""
    held = find(connection, table, id)
    connection.execute(delete(table).where(table.c.id == id))
    audit(connection, user, f"{path(table)}/remove", id, what=_told(held), now=now)
    changed(connection, now)
    return [Change(f"{path(table)}/remove", {"id": id, "removed": True})]


def find(connection: Connection, table: Table, id: str) -> dict[str, Any]:
    """A row by its id. Raises Refused (404)."""
    found = connection.execute(select(table).where(table.c.id == id)).mappings().first()
    if found is None:
        raise Refused(f"there is no such row {id}", "it may have been deleted", 404)
    return dict(found)


def named(connection: Connection, name: str, but: str = "") -> bool:
    """Whether a rule file of this name is there already."""
    same = select(RULE_FILES.c.id).where(RULE_FILES.c.name == name, RULE_FILES.c.id != but)
    return connection.execute(same).first() is not None


def path(table: Table) -> str:
    """The word for a table's rows in paths and live changes."""
    return _PATHS[table.name]


_PATHS = {
    RULE_FILES.name: "rule-files",
    USER_RULES.name: "user-rules",
    WAIVERS.name: "waivers",
    PROFILES.name: "profiles",
}


def _told(values: Mapping[str, Any]) -> str:
    """The change in one line for the audit; long texts are left out."""
    shown = {name: value for name, value in values.items() if name not in ("good", "errors", "data")}
    parts = (f"{name}={str(value)[:200]}" for name, value in shown.items() if not name.endswith(("_by", "_at", "id")))
    return "; ".join(parts)


def forget(connection: Connection, before: str) -> None:
    """Delete notes of the audit that are very old."""
    connection.execute(delete(AUDIT).where(AUDIT.c.at < before))
