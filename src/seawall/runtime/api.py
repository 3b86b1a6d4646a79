"""The runtime room over HTTP: alerts and their life, the rules in force. Paths: docs/reference/api.md."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Integer, String, column, func, select, values

from seawall.core import clock
from seawall.lists import Change, Door, Listing, Refused, User, add
from seawall.runtime import load, store
from seawall.runtime.model import Category, Rule

MAX_BULK = 1000
"""Alerts of one bulk action."""
RECENT_DAYS = 7

ALERTS = Listing(
    select(store.ALERTS),
    key="id",
    sort="-last_seen",
    sorts=("last_seen", "first_seen", "severity", "count", "rule", "state", "category", "host_name", "container_name"),
    filters=(
        *("severity", "category", "state", "rule", "action", "result"),
        *("container_id", "container_name", "image", "host_id", "host_name", "agent_id"),
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
    add(routes, "/rules", _rules, door, name="list_rules")

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


_RULE_COLUMNS = ("id", "title", "title_zh", "category", "severity", "action", "enabled", "data")


def _rules(_connection: Connection, _parameters: Mapping[str, str]) -> Listing:
    """The rules in force as rows, each with its alerts of the last days."""
    since = clock.format_time(clock.parse_time(clock.now()) - RECENT_DAYS * 86400)
    rows = [_rule_row(rule) for rule in load.system_plan().rules]
    texts = [column(name, String) for name in _RULE_COLUMNS]
    table = (
        values(*texts, column("severity_rank", Integer), name="rules").data(rows).cte("rules")
    )  # SQLite names the columns of a CTE only
    alerts = store.ALERTS
    recent = (
        select(func.coalesce(func.sum(alerts.c.count), 0))
        .where(alerts.c.rule == table.c.id, alerts.c.last_seen >= since)
        .scalar_subquery()
    )
    return Listing(
        select(table, recent.label("alerts")),
        key="id",
        sort="-severity",
        sorts=("id", "title", "category", "severity", "action", "alerts"),
        filters=("id", "category", "severity", "action", "enabled"),
        text=("id", "title", "title_zh", "category"),
        sort_as={"severity": "severity_rank"},
        row=lambda row: {**json.loads(row["data"]), "alerts": row["alerts"]},
    )


def _rule_row(rule: Rule) -> tuple[Any, ...]:
    enabled = "true" if rule.enabled else "false"
    plain = rule.id, rule.title, rule.title_zh, rule.category.value, rule.severity.value, rule.action, enabled
    return *plain, json.dumps(_described(rule), ensure_ascii=False), rule.severity.rank


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": {"en": rule.title, "zh": rule.title_zh or rule.title},
        "why": {"en": rule.why, "zh": rule.why_zh or rule.why},
        "advice": {"en": rule.advice, "zh": rule.advice_zh or rule.advice},
        "category": rule.category.value,
        "severity": rule.severity.value,
        "action": rule.action,
        "kinds": [kind.value for kind in rule.kinds],
        "mitre": list(rule.mitre),
        "enabled": rule.enabled,
    }
