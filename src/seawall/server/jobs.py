"""Jobs: what people asked for and agents carry out. A job is handed out as an order until its agent accepts it.

States: waiting → running → done or failed. A job never hangs: it fails when its deadline passes or its agent goes away.
"""

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from seawall.core import clock, ids
from seawall.lists import Change, Listing, Refused
from seawall.server.tables import JOBS, Row

DEADLINES = {
    "image.inventory": 1800,
    "registry.sync": 7200,
    "registry.image": 3600,
    "baseline.collect": 900,
    "assets.refresh": 120,
    "runtime.replay": 900,
    "response.process": 60,
    "response.container": 90,
    "response.file": 120,
}
"""Seconds an order of a kind may take, from being asked for to being done."""
DEFAULT_DEADLINE = 600
REDELIVER_SECONDS = 10.0
"""An order that was handed out and not accepted is handed out again after this."""
OPEN = ("waiting", "running")
MAX_MESSAGE = 2000
MAX_ORDERS = 50
MAX_RESULT = 32 << 10
"""Characters of what an agent says came of an order."""


def shown(row: Row) -> dict[str, Any]:
    """A row as the API shows it. A plan among the arguments is told by its version alone."""
    names = ("id", "kind", "target", "agent_id", "state", "progress", "message", "error", "result")
    args = {name: _argument(name, value) for name, value in row["args"].items()}
    return {**{name: row[name] for name in (*names, "created_at", "finished_at")}, "args": args}


def _argument(name: str, value: Any) -> Any:
    return value.get("version") if name == "plan" and isinstance(value, Mapping) else value


LISTING = Listing(
    select(JOBS),
    key="id",
    sort="-created_at",
    sorts=("created_at", "finished_at", "state", "kind", "target", "progress"),
    filters=("id", "kind", "state", "agent_id", "target"),
    text=("target", "message", "error"),
    time="created_at",
    row=shown,
)


def create(
    connection: Connection, agent_id: str, kind: str, args: Mapping[str, Any], *, target: str, seconds: float
) -> tuple[dict[str, Any], list[Change]]:
    """Queue an order. One that is open already, for the same agent with the same arguments, is answered instead."""
    alike = select(JOBS).where(JOBS.c.agent_id == agent_id, JOBS.c.kind == kind, JOBS.c.state.in_(OPEN))
    for row in connection.execute(alike).mappings():
        if row["args"] == dict(args):
            return shown(row), []
    made = {
        "id": ids.new_id("job"),
        "kind": kind,
        "target": target[:512],
        "agent_id": agent_id,
        "args": dict(args),
        "subject": str(next((value for value in args.values() if isinstance(value, str)), ""))[:160],
        "state": "waiting",
        "accepted": False,
        "progress": 0.0,
        "message": "",
        "error": "",
        "result": None,
        "created_at": clock.format_time(seconds),
        "deadline": clock.format_time(seconds + DEADLINES.get(kind, DEFAULT_DEADLINE)),
        "finished_at": None,
    }
    connection.execute(insert(JOBS).values(made))
    return shown(made), [Change("jobs/change", shown(made))]


def report(connection: Connection, agent_id: str, said: Mapping[str, Any], now: str) -> list[Change]:
    """What an agent says of its order. ValueError when it is none of its open ones."""
    job = _open_job(connection, agent_id, said.get("id"))
    state = said.get("state")
    if state not in ("accepted", "running", "done", "failed"):
        raise ValueError(f"an order's state is not {state!r}")
    progress = said.get("progress")
    progress = float(progress) if isinstance(progress, int | float) else job.progress
    values: dict[str, Any] = {
        "accepted": True,
        "state": "running" if state == "accepted" else state,
        "progress": 1.0 if state == "done" else min(max(progress, 0.0), 1.0),
        "message": str(said.get("message") or "")[:MAX_MESSAGE],
    }
    if state in ("done", "failed"):
        values["finished_at"] = now
    if state == "failed":
        values["error"] = str(said.get("error") or "the agent gave no reason")[:MAX_MESSAGE]
    if isinstance(said.get("result"), dict) and len(str(said["result"])) <= MAX_RESULT:
        values["result"] = said["result"]
    return _update(connection, job.id, values)


def expire(connection: Connection, now: str) -> list[Change]:
    """Fail the jobs whose deadline has passed."""
    statement = select(JOBS).where(JOBS.c.state.in_(OPEN), JOBS.c.deadline < now)
    changes: list[Change] = []
    for job in connection.execute(statement).all():
        why = "the agent did not finish in time" if job.accepted else "the agent did not take the order in time"
        changes += _fail(connection, job.id, why, now)
    return changes


def abandon(connection: Connection, agent_id: str, why: str, now: str) -> list[Change]:
    """Fail all open jobs of an agent that went away."""
    statement = select(JOBS.c.id).where(JOBS.c.agent_id == agent_id, JOBS.c.state.in_(OPEN))
    changes: list[Change] = []
    for job_id in connection.execute(statement).scalars().all():
        changes += _fail(connection, job_id, why, now)
    return changes


def find(connection: Connection, id: str) -> dict[str, Any]:
    """A job as the API shows it; Refused (404) when there is none."""
    row = connection.execute(select(JOBS).where(JOBS.c.id == id)).mappings().first()
    if row is None:
        raise Refused(f"there is no job {id!r}", status=404)
    return shown(row)


def newest(kind: str) -> Select[Any]:
    """How far the newest order of a kind is, for each thing (the column `id`)."""
    latest = select(func.max(JOBS.c.id)).where(JOBS.c.kind == kind).group_by(JOBS.c.subject)
    return select(
        JOBS.c.subject.label("id"),
        JOBS.c.id.label("job_id"),
        JOBS.c.state.label("scan_state"),
        JOBS.c.progress,
        JOBS.c.message,
        JOBS.c.error.label("job_error"),
    ).where(JOBS.c.id.in_(latest))


def ordered(connection: Connection, agent_id: str, id: object, kind: str, **args: object) -> bool:
    """Whether this agent was given this order: what nobody asked for is not taken."""
    mine = (JOBS.c.id == str(id), JOBS.c.agent_id == agent_id, JOBS.c.kind == kind)
    given = connection.execute(select(JOBS.c.args).where(*mine)).scalar()
    return given is not None and all(given.get(name) == value for name, value in args.items())


def is_kind(connection: Connection, id: object, kind: str) -> bool:
    """Whether a job is of this kind."""
    return connection.execute(select(JOBS.c.kind).where(JOBS.c.id == str(id))).scalar() == kind


def forget(connection: Connection, before: str) -> None:
    """Delete jobs that ended long ago."""
    connection.execute(delete(JOBS).where(JOBS.c.state.not_in(OPEN), JOBS.c.finished_at < before))


def waiting(connection: Connection, agent_id: str, now: str) -> list[dict[str, Any]]:
    """Orders that the agent has not accepted, oldest first, in the wire's form."""
    statement = (
        select(JOBS)
        .where(JOBS.c.agent_id == agent_id, JOBS.c.state == "waiting", JOBS.c.deadline >= now)
        .order_by(JOBS.c.id)
        .limit(MAX_ORDERS)
    )
    return [
        {"id": job.id, "kind": job.kind, "args": job.args, "deadline": job.deadline}
        for job in connection.execute(statement)
    ]


def due(connection: Connection, now: str) -> bool:
    """Whether `expire` has something to do."""
    statement = select(JOBS.c.id).where(JOBS.c.state.in_(OPEN), JOBS.c.deadline < now).limit(1)
    return connection.execute(statement).first() is not None


class Bell:
    """Wakes the long poll of an agent when there is an order for it, and remembers what was handed out when."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._handed: dict[str, float] = {}
        self._lock = threading.Lock()
        self.closed = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on rings are heard in `loop`."""
        self._loop = loop

    def ring(self, agent_id: str) -> None:
        """There is an order for this agent. Callable from every thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, agent_id)

    def ring_all(self) -> None:
        """There is something for every agent. Callable from every thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for agent_id in list(self._waiters):
            self._wake(agent_id)

    def close(self) -> None:
        """Let all long polls answer now."""
        self.closed = True
        self._wake_all()

    async def wait(self, agent_id: str, seconds: float) -> None:
        """Until it rings for the agent, or the time is over."""
        event = asyncio.Event()
        self._waiters.setdefault(agent_id, set()).add(event)
        try:
            if not self.closed:
                await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            waiters = self._waiters.get(agent_id, set())
            waiters.discard(event)
            if not waiters:
                self._waiters.pop(agent_id, None)

    def fresh(self, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of the orders that were not handed out a moment ago; they count as handed out now."""
        now = time.monotonic()
        with self._lock:
            self._handed = {key: at for key, at in self._handed.items() if now - at <= REDELIVER_SECONDS}
            found = [order for order in orders if order["id"] not in self._handed]
            self._handed |= {order["id"]: now for order in found}
        return found

    def _wake(self, agent_id: str) -> None:
        for event in self._waiters.get(agent_id, ()):
            event.set()


def _open_job(connection: Connection, agent_id: str, id: object) -> Any:
    statement = select(JOBS).where(JOBS.c.id == str(id), JOBS.c.agent_id == agent_id, JOBS.c.state.in_(OPEN))
    job = connection.execute(statement).first()
    if job is None:
        raise ValueError(f"order {id!r} is not an open one of this agent")
    return job


def _fail(connection: Connection, id: str, why: str, now: str) -> list[Change]:
    return _update(connection, id, {"state": "failed", "error": why, "finished_at": now})


def _update(connection: Connection, id: str, values: Mapping[str, Any]) -> list[Change]:
    connection.execute(update(JOBS).where(JOBS.c.id == id).values(dict(values)))
    return [Change("jobs/change", find(connection, id))]
