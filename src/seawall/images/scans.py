"""Scans of many images: what is to be scanned, how far it is, what is left. The server hands out the work.

A scan runs → done, stopped (by a person, or because its time was over) or failed (nothing of it could be scanned).
Its targets wait → run → done, failed or skipped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from seawall.core import clock
from seawall.core.ids import new_id
from seawall.images.tables import SCAN_TARGETS, SCANS
from seawall.lists import Change, Refused

MAX_TARGETS = 100_000
MAX_SECONDS = 7 * 86400
KEEP_DAYS = 90
SCOPES = ("all", "chosen", "running", "new", "registry")
ENDED = ("done", "stopped", "failed")
FINAL = ("done", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that could be scanned."""

    image_id: str
    """ "" of a registry's image whose configuration is not known yet."""
    target: str
    """A name for people; of a registry's image what the scanner reads."""
    running: bool = False
    scanned: bool = False
    registry: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which of them."""

    kind: str = "all"
    images: tuple[str, ...] = ()
    """Ids, of kind chosen."""
    registries: tuple[str, ...] = ()
    """Ids, of kind registry; none: all."""
    exclude: tuple[str, ...] = ()
    """Patterns of names (`*/test-*:*`)."""
    include: tuple[str, ...] = ()


def chosen(scope: Scope, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those of the candidates that the scope means, each once, in their order. Pure."""
    found: dict[str, Candidate] = {}
    for one in candidates:
        included = not scope.include or _named(one.target, scope.include)
        if included and _meant(scope, one) and not _named(one.target, scope.exclude):
            found.setdefault(one.image_id or one.target, one)
    return list(found.values())


def _meant(scope: Scope, one: Candidate) -> bool:
    if scope.kind == "registry":
        return bool(one.registry) and (not scope.registries or one.registry in scope.registries)
    if scope.kind == "chosen":
        return one.image_id in scope.images
    if scope.kind == "running":
        return one.running
    if scope.kind == "new":
        return not one.scanned
    return True


def _named(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants scanned."""

    name: str
    scope: Scope
    scanners: tuple[str, ...]
    by: str
    deadline: float
    schedule: str = ""


def create(
    connection: Connection, wish: Wish, targets: Sequence[Candidate], now: str
) -> tuple[dict[str, Any], list[Change]]:
    """Begin a scan. Refused when there is nothing to scan."""
    if not targets:
        raise Refused("the scope holds no image", "is the host's agent online, and did it tell of its images?")
    if len(targets) > MAX_TARGETS:
        raise Refused(f"the scope holds {len(targets)} images, at most {MAX_TARGETS} are scanned at once")
    row = {
        "id": new_id("scan"),
        "name": wish.name[:255],
        "schedule": wish.schedule,
        "scope": {"kind": wish.scope.kind, **{k: list(getattr(wish.scope, k)) for k in _LISTS}},
        "scanners": list(wish.scanners),
        "state": "running",
        "total": len(targets),
        "done": 0,
        "failed": 0,
        "skipped": 0,
        "message": "",
        "created_by": wish.by,
        "created_at": now,
        "deadline": clock.format_time(wish.deadline),
        "finished_at": None,
    }
    connection.execute(insert(SCANS).values(row))
    empty = {"job": "", "state": "waiting", "error": "", "started_at": None, "finished_at": None}
    rows = [
        {
            "scan": row["id"],
            "number": number,
            "image_id": one.image_id,
            "target": one.target[:1024],
            "registry": one.registry,
            **empty,
        }
        for number, one in enumerate(targets)
    ]
    connection.execute(insert(SCAN_TARGETS), rows)
    return shown(row), [Change("image-scans/change", shown(row))]


_LISTS = ("images", "registries", "exclude", "include")


def shown(row: Mapping[str, Any], now: float | None = None) -> dict[str, Any]:
    """A row as the API shows it, with the seconds that are left as far as the finished ones tell."""
    names = [column.name for column in SCANS.c]
    ended = row["done"] + row["failed"] + row["skipped"]
    left = None
    if row["state"] == "running" and ended and now is not None:
        spent = max(now - clock.parse_time(row["created_at"]), 1.0)
        left = round(spent / ended * (row["total"] - ended))
    progress = ended / row["total"] if row["total"] else 1.0
    return {**{name: row[name] for name in names}, "progress": round(progress, 4), "seconds_left": left}


def running(connection: Connection) -> list[dict[str, Any]]:
    """Scans that are not at their end, the oldest first."""
    wanted = select(SCANS).where(SCANS.c.state == "running").order_by(SCANS.c.id)
    return [dict(row) for row in connection.execute(wanted).mappings()]


def targets(connection: Connection, scan: str, state: str, most: int) -> list[dict[str, Any]]:
    """Some of a scan's targets that are in this state."""
    mine = (SCAN_TARGETS.c.scan == scan, SCAN_TARGETS.c.state == state)
    wanted = select(SCAN_TARGETS).where(*mine).order_by(SCAN_TARGETS.c.number).limit(most)
    return [dict(row) for row in connection.execute(wanted).mappings()]


def stored(connection: Connection, scan: str, most: int) -> list[dict[str, Any]]:
    """Some of a scan's waiting targets that lie in registries."""
    mine = (SCAN_TARGETS.c.scan == scan, SCAN_TARGETS.c.state == "waiting", SCAN_TARGETS.c.registry != "")
    wanted = select(SCAN_TARGETS).where(*mine).order_by(SCAN_TARGETS.c.number).limit(max(most, 0))
    return [dict(row) for row in connection.execute(wanted).mappings()]


def started(connection: Connection, scan: str, number: int, job: str, now: str) -> None:
    """A target has an order now."""
    mine = (SCAN_TARGETS.c.scan == scan, SCAN_TARGETS.c.number == number)
    connection.execute(update(SCAN_TARGETS).where(*mine).values(job=job, state="running", started_at=now))


def ended(connection: Connection, scan: str, number: int, error: str | None, now: str) -> None:
    """A target's order has ended; `error` None: well. Ends that are known already change nothing."""
    mine = (SCAN_TARGETS.c.scan == scan, SCAN_TARGETS.c.number == number, SCAN_TARGETS.c.state.not_in(FINAL))
    values = {"state": "done" if error is None else "failed", "error": (error or "")[:2000], "finished_at": now}
    connection.execute(update(SCAN_TARGETS).where(*mine).values(values))


def skip(connection: Connection, scan: str, why: str, now: str) -> None:
    """What waits is not scanned any more."""
    mine = (SCAN_TARGETS.c.scan == scan, SCAN_TARGETS.c.state == "waiting")
    connection.execute(update(SCAN_TARGETS).where(*mine).values(state="skipped", error=why, finished_at=now))


def summed(connection: Connection, scan: str, now: str) -> list[Change]:
    """Count anew; the scan ends with its last target."""
    counted = select(SCAN_TARGETS.c.state, func.count()).where(SCAN_TARGETS.c.scan == scan)
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(counted.group_by(SCAN_TARGETS.c.state))}
    row = connection.execute(select(SCANS).where(SCANS.c.id == scan)).mappings().one()
    values: dict[str, Any] = {name: counts.get(name, 0) for name in FINAL}
    if row["state"] == "running" and not counts.get("waiting") and not counts.get("running"):
        nothing = values["failed"] and not values["done"] and not values["skipped"]
        values |= {"state": "failed" if nothing else "done", "finished_at": now}
        if values["skipped"]:
            values["state"] = "stopped"
    if all(row[name] == value for name, value in values.items()):
        return []
    connection.execute(update(SCANS).where(SCANS.c.id == scan).values(values))
    return [Change("image-scans/change", shown({**row, **values}, clock.parse_time(now)))]


def stop(connection: Connection, scan: str, by: str, now: str) -> tuple[dict[str, Any], list[Change]]:
    """Nothing more of it is begun; what runs comes to its end. Refused (404, 409)."""
    row = find(connection, scan)
    if row["state"] in ENDED:
        raise Refused(f"the scan is {row['state']} already", status=409)
    skip(connection, scan, f"stopped by {by}", now)
    connection.execute(update(SCANS).where(SCANS.c.id == scan).values(message=f"stopped by {by}"))
    changes = summed(connection, scan, now)
    return find(connection, scan), changes


def find(connection: Connection, scan: str) -> dict[str, Any]:
    """A scan as the API shows it. Refused (404)."""
    row = connection.execute(select(SCANS).where(SCANS.c.id == scan)).mappings().first()
    if row is None:
        raise Refused(f"there is no scan {scan[:60]!r}", status=404)
    return shown(dict(row), clock.parse_time(clock.now()))


def tidy(connection: Connection, seconds: float) -> None:
    """Forget scans that ended long ago."""
    before = clock.format_time(seconds - KEEP_DAYS * 86400)
    old = select(SCANS.c.id).where(SCANS.c.state.in_(ENDED), SCANS.c.created_at < before)
    connection.execute(delete(SCAN_TARGETS).where(SCAN_TARGETS.c.scan.in_(old)))
    connection.execute(delete(SCANS).where(SCANS.c.state.in_(ENDED), SCANS.c.created_at < before))
