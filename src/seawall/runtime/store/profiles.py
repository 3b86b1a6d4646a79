"""What each image is known to run: learned from the nodes, promoted by people, lowered when it stops too much."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from seawall.core import clock
from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.core.ids import content_hash, new_id
from seawall.lists import Change, Refused, Source
from seawall.runtime.model import ALERT_SCHEMA
from seawall.runtime.store import policy
from seawall.runtime.store.tables import MAX_PATH, MAX_TEXT, PROFILE_PROGRAMS, PROFILES, VIOLATIONS

MODES = ("discover", "monitor", "protect")
MAX_PROFILES = 1000
MAX_PROGRAMS = 5000
"""Of one profile, as a plan takes them."""
MAX_ITEM = 500
"""Programs of one item."""
LEARNING_HOURS = 24
RULES = ("profile_violation",)
"""Rules by which a node tells of a program that its image's profile does not have."""
BURST, BURST_SECONDS = 20, 60.0
"""More programs stopped than this, of one image, within these seconds: the profile is wrong, not the image."""
STEP_SECONDS = 10
RECENT_DAYS = 7
KEEP_DAYS = 8
STOPPED = ("blocked", "killed_after_effect")
SYSTEM = "seawall"
"""Who made a row that nobody made."""
_DIGEST = re.compile(r"(?:[^\s@]{1,255}@)?sha256:[0-9a-f]{64}")


def apply(connection: Connection, _source: Source, item: Item, now: str) -> list[Change]:
    """Learn from a node: programs that an image ran. Raises Hostile on what is no such item.

    Only a profile that discovers learns; what comes late for another is dropped.
    """
    digest, image, programs = _item(item.data, now)
    row = connection.execute(select(PROFILES).where(PROFILES.c.image_digest == digest)).mappings().first()
    if row is None:
        if connection.execute(select(func.count()).select_from(PROFILES)).scalar_one() >= MAX_PROFILES:
            return []
        new = {
            "id": new_id("profile"),
            "image_digest": digest,
            "image": image,
            "mode": "discover",
            "programs": 0,
            "learned_since": now,
            "last_new": None,
            "fallback_at": None,
            "fallback_reason": None,
            **policy.made(SYSTEM, now),
        }
        connection.execute(insert(PROFILES).values(new))
        learned = _learn(connection, new, programs, now)
        return [Change("profiles/add", shown(learned, now))]
    if row["mode"] != "discover":
        return []
    learned = _learn(connection, dict(row), programs, now)
    return [Change("profiles/change", shown(learned, now))] if learned["programs"] != row["programs"] else []


def _item(data: Mapping[str, Any], now: str) -> tuple[str, str, dict[str, dict[str, Any]]]:
    digest, told = data.get("image_digest"), data.get("programs")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise Hostile(f"a profile of {str(digest)[:80]!r}, which is no digest")
    if not isinstance(told, list) or len(told) > MAX_ITEM:
        raise Hostile(f"a profile's programs are a list of at most {MAX_ITEM}")
    programs: dict[str, dict[str, Any]] = {}
    for one in told:
        path = one.get("path") if isinstance(one, dict) else None
        if not _is_path(path):
            raise Hostile(f"a program of a profile is {str(path)[:80]!r}, which is no path")
        try:
            first, last = (min(clock.format_time(clock.parse_time(str(one.get(name) or now))), now) for name in _SEEN)
            number = int(one.get("count") or 1)
        except (TypeError, ValueError) as error:
            raise Hostile(f"a program of a profile: {error}") from error
        before = programs.get(str(path), {})
        programs[str(path)] = {
            "parent": before.get("parent") or str(one.get("parent") or "")[:MAX_PATH],
            "first_seen": min(first, last, before.get("first_seen", first)),
            "last_seen": max(last, before.get("last_seen", last)),
            "count": min(max(number, 1), 2**40) + before.get("count", 0),
        }
    return digest, str(data.get("image") or "")[:MAX_TEXT], programs


_SEEN = ("first_seen", "last_seen")


def _is_path(path: Any) -> bool:
    return isinstance(path, str) and path.startswith("/") and len(path) <= MAX_PATH and "\0" not in path


def _learn(
    connection: Connection, profile: Mapping[str, Any], told: Mapping[str, dict[str, Any]], now: str
) -> dict[str, Any]:
    mine = PROFILE_PROGRAMS.c.profile_id == profile["id"]
    paths = list(told)
    known = {
        row.path: row
        for row in connection.execute(select(PROFILE_PROGRAMS).where(mine, PROFILE_PROGRAMS.c.path.in_(paths)))
    }
    left = MAX_PROGRAMS - profile["programs"]
    fresh = [path for path in paths if path not in known][: max(left, 0)]
    if fresh:
        rows = [{"profile_id": profile["id"], "path": path, "source": "learned", **told[path]} for path in fresh]
        connection.execute(insert(PROFILE_PROGRAMS), rows)
    again = [
        {
            "at_profile": profile["id"],
            "at_path": path,
            "more": told[path]["count"],
            "new_first": min(row.first_seen, told[path]["first_seen"]),
            "new_last": max(row.last_seen, told[path]["last_seen"]),
        }
        for path, row in known.items()
    ]
    if again:
        connection.execute(_AGAIN, again)
    if not fresh:
        return dict(profile)
    values = {"programs": profile["programs"] + len(fresh), "last_new": now, "updated_at": now}
    connection.execute(update(PROFILES).where(PROFILES.c.id == profile["id"]).values(values))
    return {**profile, **values}


_AGAIN = (
    update(PROFILE_PROGRAMS)
    .where(PROFILE_PROGRAMS.c.profile_id == bindparam("at_profile"), PROFILE_PROGRAMS.c.path == bindparam("at_path"))
    .values(
        count=PROFILE_PROGRAMS.c.count + bindparam("more"),
        first_seen=bindparam("new_first"),
        last_seen=bindparam("new_last"),
    )
)


def listed(now: str) -> Select[Any]:
    """All profiles, each with what was not in it lately."""
    since = clock.format_time(clock.parse_time(now) - RECENT_DAYS * 86400)
    counted = (
        select(VIOLATIONS.c.image_digest, func.sum(VIOLATIONS.c.count).label("n"))
        .where(VIOLATIONS.c.at >= since)
        .group_by(VIOLATIONS.c.image_digest)
        .subquery("violations")
    )
    number = func.coalesce(counted.c.n, 0).label("violations_7d")
    return select(PROFILES, number).outerjoin(counted, counted.c.image_digest == PROFILES.c.image_digest)


def shown(row: Mapping[str, Any], now: str, learning_hours: float = LEARNING_HOURS) -> dict[str, Any]:
    """A profile as the API answers it. `ready`: it has learned long enough and found nothing new lately."""
    names = ("id", "image_digest", "image", "mode", "programs", "learned_since", "last_new")
    fallback = {"at": row["fallback_at"], "reason": row["fallback_reason"]} if row["fallback_at"] else None
    since = clock.format_time(clock.parse_time(now) - learning_hours * 3600)
    quiet = row["learned_since"] <= since and row["programs"] > 0
    found = {name: row[name] for name in names}
    found |= {"fallback": fallback, "ready": quiet and row["mode"] == "discover"}
    found |= {name: row[name] for name in ("created_by", "created_at", "updated_by", "updated_at")}
    if "violations_7d" in row:
        found["violations_7d"] = int(row["violations_7d"])
    return found


def one(connection: Connection, id: str) -> dict[str, Any]:
    """A profile's row. Raises Refused (404)."""
    row = connection.execute(listed(clock.now()).where(PROFILES.c.id == id)).mappings().first()
    if row is None:
        raise Refused(f"there is no profile {id}", "it may have been deleted", 404)
    return dict(row)


def programs(connection: Connection, id: str) -> list[dict[str, Any]]:
    """The programs of a profile, by path."""
    names = ("path", "first_seen", "last_seen", "count", "parent", "source")
    wanted = select(*(PROFILE_PROGRAMS.c[name] for name in names)).where(PROFILE_PROGRAMS.c.profile_id == id)
    return [dict(row) for row in connection.execute(wanted.order_by(PROFILE_PROGRAMS.c.path)).mappings()]


def set_mode(connection: Connection, id: str, mode: str, *, user: str, now: str) -> dict[str, Any]:
    """Put a profile into a mode. Raises Refused (409) for one without programs: it would alert on everything."""
    row = one(connection, id)
    if mode != "discover" and row["programs"] == 0:
        raise Refused("this profile has not learned any program yet", "let it discover first, or add programs", 409)
    values: dict[str, Any] = {"mode": mode}
    if mode == "discover" and row["mode"] != "discover":
        values["learned_since"] = now
    if mode == "protect":
        values |= {"fallback_at": None, "fallback_reason": None}
    kept = {name: row[name] for name in PROFILES.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    policy.change(connection, PROFILES, id, {**kept, **values}, user=user, now=now)
    return one(connection, id)


def edit(
    connection: Connection, id: str, added: Sequence[str], removed: Sequence[str], *, user: str, now: str
) -> dict[str, Any]:
    """Add and remove programs by hand. Raises Refused on a path that is none, or when there are too many."""
    row = one(connection, id)
    for path in added:
        if not _is_path(path):
            raise Refused(f"{path[:80]!r} is no path of a program", "write it whole: /usr/bin/python3")
    mine = PROFILE_PROGRAMS.c.profile_id == id
    there = {program["path"] for program in programs(connection, id)}
    fresh = [path for path in dict.fromkeys(added) if path not in there]
    gone = [path for path in removed if path in there]
    number = len(there) + len(fresh) - len(gone)
    if number > MAX_PROGRAMS:
        raise Refused(f"a profile has at most {MAX_PROGRAMS} programs", "remove some first", 409)
    for path in gone:
        connection.execute(delete(PROFILE_PROGRAMS).where(mine, PROFILE_PROGRAMS.c.path == path))
    if fresh:
        seen = {"parent": "", "first_seen": now, "last_seen": now, "count": 0, "source": "manual"}
        connection.execute(insert(PROFILE_PROGRAMS), [{"profile_id": id, "path": path, **seen} for path in fresh])
    values = {"programs": number, "updated_by": user, "updated_at": now}
    connection.execute(update(PROFILES).where(PROFILES.c.id == id).values(values))
    told = " ".join([*(f"+{path}" for path in fresh), *(f"-{path}" for path in gone)])
    policy.audit(connection, user, "profiles/programs", row["image_digest"], what=told, now=now)
    policy.changed(connection, now)
    return one(connection, id)


def drop(connection: Connection, id: str, *, user: str, now: str) -> list[Change]:
    """Delete a profile; the image is learned anew when it runs again."""
    one(connection, id)
    connection.execute(delete(PROFILE_PROGRAMS).where(PROFILE_PROGRAMS.c.profile_id == id))
    return policy.remove(connection, PROFILES, id, user=user, now=now)


def violated(connection: Connection, alerts: Sequence[Mapping[str, Any]], now: str) -> list[tuple[dict[str, Any], int]]:
    """Count alerts (rows of their table) that tell of programs outside a profile.

    A profile that stopped too much is put back to monitor, and answered with how much that was.
    """
    stopped: dict[str, str] = {}
    for alert in alerts:
        digest, blocked = alert["image_digest"], alert["result"] in STOPPED
        if alert["rule"] in RULES and digest:
            _count(connection, digest, _step(alert["last_seen"]), blocked, alert["count"])
            if blocked:
                stopped[digest] = max(stopped.get(digest, ""), alert["last_seen"])
    found = []
    for digest, last in stopped.items():
        since = _step(clock.format_time(clock.parse_time(last) - BURST_SECONDS))
        recent = (VIOLATIONS.c.image_digest == digest, VIOLATIONS.c.at > since, VIOLATIONS.c.blocked.is_(True))
        number = int(connection.execute(select(func.sum(VIOLATIONS.c.count)).where(*recent)).scalar() or 0)
        if number > BURST and _fall_back(connection, digest, number, now):
            found.append((by_digest(connection, digest), number))
    return found


def fallback_alert(profile: Mapping[str, Any], number: int, now: str) -> dict[str, Any]:
    """The alert (docs/reference/schemas/alert.json) about a profile that was put back to monitor."""
    image = profile["image"] or profile["image_digest"]
    return {
        "schema": ALERT_SCHEMA,
        "time": now,
        "id": new_id("alert"),
        "rule": "seawall-profile-fallback",
        "title": f"The profile of {image} stopped {number} programs within a minute and only alerts now",
        "title_zh": f"镜像 {image} 的行为模型一分钟内拦截 {number} 个进程，已自动降级为仅告警",
        "category": "self",
        "severity": "high",
        "action": "alert",
        "result": "none",
        "container": {"image": profile["image"], "image_digest": profile["image_digest"]},
        "process": {},
        "ancestors": [],
        "evidence": {"profile": profile["id"], "stopped": number, "seconds": BURST_SECONDS},
        "key": content_hash(["seawall-profile-fallback", profile["image_digest"]]),
        "count": 1,
        "first_seen": now,
        "last_seen": now,
        "mitre": [],
        "why": "So many at once are rather a profile that lacks what the image runs than an attack.",
        "why_zh": "短时间内大量拦截，多半是模型缺少镜像正常运行的程序，而非攻击。",
        "advice": "Look at what was stopped, add what belongs to the image, then put the profile back to protect.",
        "advice_zh": "查看被拦截的程序，把属于该镜像的加入模型，再切回防护模式。",
    }


def _count(connection: Connection, digest: str, at: str, blocked: bool, number: int) -> None:
    place = (VIOLATIONS.c.image_digest == digest) & (VIOLATIONS.c.at == at) & (VIOLATIONS.c.blocked.is_(blocked))
    done = connection.execute(update(VIOLATIONS).where(place).values(count=VIOLATIONS.c.count + number))
    if done.rowcount == 0:
        connection.execute(insert(VIOLATIONS).values(image_digest=digest, at=at, blocked=blocked, count=number))


def _step(time: str) -> str:
    seconds = clock.parse_time(time)
    return clock.format_time(seconds - seconds % STEP_SECONDS)


def _fall_back(connection: Connection, digest: str, number: int, now: str) -> bool:
    reason = f"{number} programs were stopped within {BURST_SECONDS:.0f} seconds"
    values = {"mode": "monitor", "fallback_at": now, "fallback_reason": reason, "updated_by": SYSTEM, "updated_at": now}
    protecting = (PROFILES.c.image_digest == digest, PROFILES.c.mode == "protect")
    if connection.execute(update(PROFILES).where(*protecting).values(values)).rowcount == 0:
        return False
    policy.audit(connection, SYSTEM, "profiles/fallback", digest, what=reason, now=now)
    policy.changed(connection, now)
    return True


def by_digest(connection: Connection, digest: str) -> dict[str, Any]:
    """The profile of an image that has one."""
    return dict(connection.execute(listed(clock.now()).where(PROFILES.c.image_digest == digest)).mappings().one())


def forget(connection: Connection, before: str) -> None:
    """Delete what was counted long ago."""
    connection.execute(delete(VIOLATIONS).where(VIOLATIONS.c.at < before))
