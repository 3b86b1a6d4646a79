"""The first page: what needs me now? Each part comes from the room that knows it."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from sqlalchemy import Connection, func, select

from seawall.assets import store as assets
from seawall.baseline import store as baseline
from seawall.images import store as images
from seawall.intel.store import EMPTY_STATUS
from seawall.runtime import store as runtime
from seawall.server import details
from seawall.server.knowledge import Knowledge
from seawall.server.parts import Parts
from seawall.server.tables import AGENTS


def router(parts: Parts) -> APIRouter:
    """`GET /overview`."""
    routes = APIRouter(tags=["overview"])

    @routes.get("/overview", operation_id="get_overview", dependencies=[Depends(parts.door.viewer)])
    def get_overview(connection: Annotated[Connection, Depends(parts.door.read)]) -> dict[str, Any]:
        """Counts of everything that may need somebody."""
        return overview(connection, parts.knowledge)

    return routes


def overview(connection: Connection, knowledge: Knowledge) -> dict[str, Any]:
    """All parts; docs/reference/api.md has the shape."""
    return {
        "alerts": runtime.overview(connection, time.time()),
        "agents": _agents(connection),
        "assets": assets.counts(connection),
        "images": images.overview(connection, details.present()),
        "baseline": baseline.overview(connection),
        "intel": _intel(knowledge),
    }


def _agents(connection: Connection) -> dict[str, int]:
    columns = (AGENTS.c.state, AGENTS.c.sensor_state, AGENTS.c.degrade > 0)
    statement = select(*columns, func.count()).where(AGENTS.c.deleted_at.is_(None)).group_by(*columns)
    counts = {"online": 0, "late": 0, "offline": 0, "degraded": 0, "blind": 0}
    for state, sensor, degraded, number in connection.execute(statement):
        counts[state] += number
        if state == "online":  # the others are silent: what they see is not known
            counts["degraded"] += number if degraded or sensor == "degraded" else 0
            counts["blind"] += number if sensor == "off" else 0
    return counts


def _intel(knowledge: Knowledge) -> dict[str, Any]:
    store = knowledge.current()
    status = store.status() if store is not None else EMPTY_STATUS
    return {name: status[name] for name in ("advisories", "kev", "age_days")}
