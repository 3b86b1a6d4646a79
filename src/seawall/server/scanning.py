"""Hands out scans of many images: a few orders a node at a time, the next as soon as one has ended.

What runs is in the database (images/scans.py), so a server that starts again goes on where it was.
"""

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, select

from seawall.assets import store as assets
from seawall.core import clock
from seawall.images import registries, scans, schedules, timetable
from seawall.images.api.scans import SCANNERS, candidates
from seawall.images.scans import Wish
from seawall.images.tables import SCAN_TARGETS
from seawall.lists import Change, Refused
from seawall.server import agents, jobs
from seawall.server.parts import Parts
from seawall.server.tables import JOBS

LOG = structlog.get_logger("seawall.scanning")

LOOK_SECONDS = 1.0
AT_ONCE = 2
"""Open orders of one node: it carries out one, and the next waits there already."""
PORTION = 200
"""Targets that one turn looks at."""
ORDER = "image.inventory"
SELF = "server"
"""Stands where a job has its agent, of what the server does itself."""
SYNC, SCAN = "registry.sync", "registry.image"
LATE = "the time of the scan was over, or no node that holds the image had its agent online"


async def watch(parts: Parts) -> None:
    """Until cancelled: begin what is due, hand out what waits, note what has ended."""
    while True:
        try:
            await asyncio.to_thread(turn, parts, time.time())
        except Exception as error:
            LOG.exception("scanning failed", error=repr(error))
        await asyncio.sleep(LOOK_SECONDS)


def turn(parts: Parts, seconds: float) -> None:
    """One look. Writes only when there is something to write."""
    now = clock.format_time(seconds)
    with parts.database.reading() as connection:
        looks = registries.due(connection, now)
        due = schedules.due(connection, now)
        active = scans.running(connection)
    for row in looks:
        parts.database.write(functools.partial(_look, row=row, seconds=seconds))
    for schedule in due:
        parts.database.write(functools.partial(_begin, parts=parts, schedule=schedule, seconds=seconds))
    workers = parts.config.scan_workers
    for scan in active:
        for agent_id in parts.database.write(functools.partial(_advance, scan=scan, seconds=seconds, workers=workers)):
            parts.bell.ring(agent_id)


def _look(connection: Connection, *, row: Mapping[str, Any], seconds: float) -> tuple[None, list[Change]]:
    """A registry's time has come. The next one is set when this look has ended."""
    _, told = jobs.create(connection, SELF, SYNC, {"registry": row["id"]}, target=row["name"], seconds=seconds)
    state = registries.state(connection, row["id"], state="syncing", progress=0.0, message="", next_at=None)
    return None, [*told, *state]


def scan_new(parts: Parts, registry: Mapping[str, Any], seconds: float) -> None:
    """Scan what a registry holds and nobody has read yet."""

    def step(connection: Connection) -> tuple[None, list[Change]]:
        scope = scans.Scope("registry", registries=(registry["id"],))
        found = [one for one in scans.chosen(scope, candidates(connection, parts.door)) if not one.scanned]
        if not found:
            return None, []
        wish = Wish(registry["name"], scope, SCANNERS, "seawall", seconds + 86400)
        _, changes = scans.create(connection, wish, found, clock.format_time(seconds))
        return None, changes

    parts.database.write(step)


def _begin(
    connection: Connection, *, parts: Parts, schedule: Mapping[str, Any], seconds: float
) -> tuple[None, list[Change]]:
    """A schedule's time has come. One whose last scan still runs waits for its next time."""
    now = clock.format_time(seconds)
    row = schedules.find(connection, schedule["id"])
    if not row["enabled"] or row["next_at"] != schedule["next_at"]:
        return None, []
    form = schedules.form(row["form"])
    if any(one["schedule"] == row["id"] for one in scans.running(connection)):
        LOG.warning("scheduled scan left out: the one before still runs", schedule=row["name"])
        return None, schedules.begun(connection, row, "", now)
    end = timetable.window_end(form.timetable, clock.parse_time(row["next_at"]))
    found = scans.chosen(form.scope, candidates(connection, parts.door))
    wish = Wish(row["name"], form.scope, form.scanners, "seawall", end, row["id"])
    if end <= seconds:  # the server was off while the window was open
        LOG.warning("scheduled scan left out: its window is over", schedule=row["name"])
        return None, schedules.begun(connection, row, "", now)
    try:
        scan, changes = scans.create(connection, wish, found, now)
    except Refused as error:
        LOG.info("scheduled scan left out", schedule=row["name"], why=str(error))
        return None, schedules.begun(connection, row, "", now)
    return None, [*changes, *schedules.begun(connection, row, scan["id"], now)]


def _advance(
    connection: Connection, *, scan: Mapping[str, Any], seconds: float, workers: int
) -> tuple[list[str], list[Change]]:
    """Note what has ended, hand out what waits; the agents that have something to do now."""
    now = clock.format_time(seconds)
    _note(connection, scan["id"], now)
    changes: list[Change] = []
    rung: list[str] = []
    if now >= scan["deadline"]:
        scans.skip(connection, scan["id"], LATE, now)
    else:
        rung, changes = _hand_out(connection, scan, seconds, workers)
    return rung, [*changes, *scans.summed(connection, scan["id"], now)]


def _note(connection: Connection, scan: str, now: str) -> None:
    """What became of the orders that were given."""
    running = {one["job"]: one["number"] for one in scans.targets(connection, scan, "running", PORTION)}
    wanted = select(JOBS.c.id, JOBS.c.state, JOBS.c.error).where(JOBS.c.id.in_(running))
    seen = {row.id: row for row in connection.execute(wanted)}
    for job, number in running.items():
        row = seen.get(job)
        if row is None:
            scans.ended(connection, scan, number, "its order is gone", now)
        elif row.state not in jobs.OPEN:
            scans.ended(connection, scan, number, None if row.state == "done" else row.error or row.state, now)


def _hand_out(
    connection: Connection, scan: Mapping[str, Any], seconds: float, workers: int
) -> tuple[list[str], list[Change]]:
    busy = _busy(connection)
    free = [one.agent_id for one in agents.online(connection) if busy[one.agent_id] < AT_ONCE]
    rung: list[str] = []
    changes: list[Change] = []
    for target in scans.stored(connection, scan["id"], max(AT_ONCE, 2 * workers) - busy[SELF]):
        changes += _to_worker(connection, scan, target, seconds)
    given: set[int] = set()
    for target in _reachable(connection, scan["id"], free):
        agent_id = target["agent_id"]
        if target["number"] in given or busy[agent_id] >= AT_ONCE:
            continue
        args = {"image_id": target["image_id"], "name": target["target"], "scanners": ",".join(scan["scanners"])}
        job, told = jobs.create(connection, agent_id, ORDER, args, target=target["target"], seconds=seconds)
        scans.started(connection, scan["id"], target["number"], job["id"], clock.format_time(seconds))
        given.add(target["number"])
        busy[agent_id] += 1
        rung.append(agent_id)
        changes += told
    return rung, changes


def _reachable(connection: Connection, scan: str, free: Sequence[str]) -> list[dict[str, Any]]:
    """Waiting targets, each beside an agent that holds it and may have another order. Those that nobody can read now
    are not looked at, so that they hold up no others.
    """
    holders = assets.IMAGE_HOSTS.c
    waiting = (SCAN_TARGETS.c.scan == scan, SCAN_TARGETS.c.state == "waiting", SCAN_TARGETS.c.registry == "")
    wanted = (
        select(SCAN_TARGETS.c.number, SCAN_TARGETS.c.image_id, SCAN_TARGETS.c.target, holders.agent_id)
        .join(assets.IMAGE_HOSTS, holders.image_id == SCAN_TARGETS.c.image_id)
        .where(*waiting, holders.agent_id.in_(free))
        .order_by(SCAN_TARGETS.c.number)
        .limit(PORTION)
    )
    return [dict(row) for row in connection.execute(wanted).mappings()]


def _to_worker(
    connection: Connection, scan: Mapping[str, Any], target: Mapping[str, Any], seconds: float
) -> list[Change]:
    """A registry's image is read by the server's own workers."""
    args = {**{name: target[name] for name in ("registry", "target", "image_id")}, "scanners": scan["scanners"]}
    job, told = jobs.create(connection, SELF, SCAN, args, target=target["target"], seconds=seconds)
    scans.started(connection, scan["id"], target["number"], job["id"], clock.format_time(seconds))
    return told


def _busy(connection: Connection) -> Counter[str]:
    wanted = select(JOBS.c.agent_id).where(JOBS.c.kind.in_((ORDER, SCAN)), JOBS.c.state.in_(jobs.OPEN))
    return Counter(connection.execute(wanted).scalars())
