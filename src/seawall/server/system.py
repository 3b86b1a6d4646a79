"""Routes of the server about itself and its agents: health, live stream, agents, jobs."""

import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from sqlalchemy import Connection, select

from seawall import __version__
from seawall.assets import store as assets
from seawall.baseline import store as baseline
from seawall.core import clock
from seawall.lists import Change, Refused, add
from seawall.server import agents, jobs, outcomes
from seawall.server.parts import Parts

LEAST_FREE = 64 << 20
"""Bytes on the state's disk under which the server says that it is not well."""


class Agent(BaseModel):
    """An agent as lists and details show it."""

    id: str
    name: str
    version: str
    state: str
    host_id: str
    address: str
    cpu: float | None
    rss: int | None
    degrade: int
    degrade_reason: str
    sensor: dict[str, Any]
    spool: dict[str, Any]
    capabilities: dict[str, Any]
    runtimes: list[dict[str, Any]]
    errors: list[Any]
    uptime: float | None
    plan_version: str
    config_version: str
    protection: dict[str, Any]
    dropped: int
    rejected: int
    enrolled_at: str
    last_seen: str
    certificate_expires_at: str
    conflicts: int


class Job(BaseModel):
    """Something that was asked for and that an agent carries out."""

    id: str
    kind: str
    target: str
    agent_id: str
    args: dict[str, Any]
    state: str
    progress: float
    message: str
    error: str
    result: dict[str, Any] | None
    created_at: str
    finished_at: str | None


def health(parts: Parts) -> APIRouter:
    """`GET /healthz`, without a login."""
    routes = APIRouter(tags=["system"])

    @routes.get("/healthz", operation_id="healthz")
    def healthz() -> JSONResponse:
        """Whether the server can do its work: 200, or 503 with the check that fails."""
        checks = {"db": _database(parts), "writer": "ok" if parts.database.alive() else "stopped", "disk": _disk(parts)}
        well = all(word == "ok" for word in checks.values())
        body = {"status": "ok" if well else "failing", "version": __version__, "checks": checks}
        return JSONResponse(body, 200 if well else 503)

    return routes


def router(parts: Parts) -> APIRouter:
    """The routes under /api/v1."""
    routes = APIRouter()
    door = parts.door
    add(routes, "/agents", agents.LISTING, door, item=Agent, name="list_agents")
    add(routes, "/jobs", jobs.LISTING, door, item=Job, name="list_jobs")

    @routes.get("/agents/{id}", operation_id="get_agent", tags=["agents"], dependencies=[Depends(door.viewer)])
    def get_agent(id: str, connection: Annotated[Connection, Depends(door.read)]) -> Agent:
        """One agent."""
        return Agent(**agents.find(connection, id))

    @routes.delete(
        "/agents/{id}",
        operation_id="delete_agent",
        tags=["agents"],
        status_code=204,
        dependencies=[Depends(door.admin)],
    )
    def delete_agent(id: str) -> None:
        """Delete an agent: its certificate is refused from now on, what it told is removed, its open jobs fail."""

        def step(connection: Connection) -> tuple[None, list[Change]]:
            now = clock.now()
            changes = agents.remove(connection, id, now)
            for room in (assets, baseline):
                room.forget(connection, id)
            left = jobs.abandon(connection, id, "the agent was deleted", now)
            return None, [*changes, *outcomes.followed(connection, left, now)]

        door.write(step)

    @routes.get("/jobs/{id}", operation_id="get_job", tags=["jobs"], dependencies=[Depends(door.viewer)])
    def get_job(id: str, connection: Annotated[Connection, Depends(door.read)]) -> Job:
        """One job."""
        return Job(**jobs.find(connection, id))

    @routes.get("/live", operation_id="live", tags=["live"], dependencies=[Depends(door.viewer)])
    async def live(last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        """What changes, as Server-Sent Events (docs/reference/api.md, "Live")."""
        if parts.hub.full():
            raise Refused("there are too many open streams", "close other tabs", 503)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(parts.hub.listen(last_event_id), media_type="text/event-stream", headers=headers)

    return routes


def _database(parts: Parts) -> str:
    try:
        with parts.database.reading() as connection:
            connection.execute(select(1)).one()
    except Exception as error:
        return f"cannot be read: {error}"[:200]
    return "ok"


def _disk(parts: Parts) -> str:
    free = shutil.disk_usage(parts.config.state).free
    return "ok" if free > LEAST_FREE else f"only {free >> 20} MB free"
