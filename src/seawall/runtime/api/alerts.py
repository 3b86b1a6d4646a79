"""Alerts over HTTP: the list, one with its surroundings, its life. Paths: docs/reference/api.md."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection, select

from seawall.core import clock
from seawall.lists import Change, Door, Listing, Refused, User, add
from seawall.runtime import store
from seawall.runtime.model import Category

MAX_BULK = 1000
"""Alerts of one bulk action."""
MAX_AROUND = 86400.0
"""Seconds before and after an alert that its timeline may reach."""
ALERTS = Listing(
    select(store.ALERTS),
    key="id",
    sort="-last_seen",
    sorts=("last_seen", "first_seen", "severity", "count", "rule", "state", "category", "host_name", "container_name"),
    filters=(
        *("severity", "category", "state", "rule", "action", "result", "means"),
        *("container_id", "container_name", "image", "image_digest", "host_id", "host_name", "agent_id"),
    ),
    text=("title", "title_zh", "rule", "container_name", "image", "exe", "host_name", "remark"),
    time="last_seen",
    sort_as={"severity": "severity_rank"},
    row=store.shown,
)


class Mark(BaseModel):
    """What a person decided about an alert."""

    state: Literal["new", "handled", "ignored"]
    remark: str | None = Field(None, max_length=store.MAX_REMARK)


class Bulk(BaseModel):
    """The same for many."""

    ids: list[str] = Field(min_length=1, max_length=MAX_BULK)
    action: Literal["handled", "ignored", "new", "delete"]
    remark: str | None = Field(None, max_length=store.MAX_REMARK)


def router(door: Door) -> APIRouter:
    """The room's routes, without their common prefix."""
    routes = APIRouter(tags=["runtime"])
    add(routes, "/alerts", ALERTS, door, name="list_alerts")

    @routes.get("/alerts/counts", operation_id="count_alerts", dependencies=[Depends(door.viewer)])
    def count_alerts(connection: Annotated[Connection, Depends(door.read)]) -> dict[str, dict[str, int]]:
        """New alerts by category and severity."""
        return store.category_counts(connection)

    @routes.get("/alerts/summary", operation_id="get_alert_summary", dependencies=[Depends(door.viewer)])
    def get_alert_summary(
        connection: Annotated[Connection, Depends(door.read)], category: Category | None = None
    ) -> dict[str, Any]:
        """New alerts by severity and result, and the containers, images and rules that have most of them."""
        return store.summary(connection, category.value if category else "")

    @routes.get("/alerts/{id}", operation_id="get_alert", dependencies=[Depends(door.viewer)])
    def get_alert(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One alert with its evidence."""
        return store.one(connection, id)

    @routes.get("/alerts/{id}/timeline", operation_id="get_alert_timeline", dependencies=[Depends(door.viewer)])
    def get_alert_timeline(
        id: str,
        connection: Annotated[Connection, Depends(door.read)],
        before: Annotated[float, Query(ge=0, le=MAX_AROUND)] = 600,
        after: Annotated[float, Query(ge=0, le=MAX_AROUND)] = 600,
    ) -> dict[str, Any]:
        """What else happened in the same container (or on the host, when there is none), seconds around it."""
        return store.timeline(connection, id, before, after)

    @routes.patch("/alerts/{id}", operation_id="change_alert")
    def change_alert(id: str, mark: Mark, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Handle an alert, ignore it, or make it new again."""
        rows = door.write(lambda connection: _mark(connection, [id], mark.state, mark.remark, user))
        if not rows:
            raise Refused(f"there is no alert {id}", "it may have been deleted", 404)
        return rows[0]

    @routes.delete("/alerts/{id}", operation_id="delete_alert", status_code=204, dependencies=[Depends(door.operator)])
    def delete_alert(id: str) -> None:
        """Delete an alert; if it happens again it comes back as a new one."""
        if not door.write(lambda connection: _remove(connection, [id])):
            raise Refused(f"there is no alert {id}", "it may have been deleted", 404)

    @routes.post("/alerts/bulk", operation_id="change_alerts")
    def change_alerts(bulk: Bulk, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Do one thing to many alerts; answers which were there."""
        if bulk.action == "delete":
            done = door.write(lambda connection: _remove(connection, bulk.ids))
        else:
            state, remark = bulk.action, bulk.remark
            rows = door.write(lambda connection: _mark(connection, bulk.ids, state, remark, user))
            done = [row["id"] for row in rows]
        return {"done": done, "missing": sorted(set(bulk.ids) - set(done))}

    return routes


def _mark(
    connection: Connection, ids: Sequence[str], state: str, remark: str | None, user: User
) -> tuple[list[dict[str, Any]], list[Change]]:
    rows = store.mark(connection, ids, state, remark, user=user.name, now=clock.now())
    return rows, [Change("alerts/change", row) for row in rows]


def _remove(connection: Connection, ids: Sequence[str]) -> tuple[list[str], list[Change]]:
    there = store.remove(connection, ids)
    return there, [Change("alerts/remove", {"id": gone}) for gone in there]
