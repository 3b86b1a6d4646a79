"""Responses over HTTP: to ask a node for one, to see what came of it, to take it back; what is isolated and what is
in quarantine now.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from seawall.core import clock
from seawall.lists import Change, Door, Listing, Node, Refused, User, add
from seawall.runtime import store
from seawall.runtime.store import responses
from seawall.runtime.store.tables import ALERTS, MAX_PATH

Action = Literal["kill", "pause", "unpause", "stop", "kill_container", "isolate", "release", "quarantine", "restore"]
_FILTERS = ("id", "action", "state", "result", "reason", "agent_id", "host_id", "host_name", "alert_id", "undo_of")


class Wish(BaseModel):
    """What to do; from an alert, what is not named is taken from it."""

    model_config = ConfigDict(extra="forbid")
    action: Action
    container_id: str = Field("", max_length=128)
    container_name: str = Field("", max_length=512)
    pid: int | None = Field(None, ge=2, le=2**22)
    start: str | int | None = None
    """When the process started, as its alert or its asset says: another that got its number later is left alone."""
    path: str = Field("", max_length=MAX_PATH)
    id: str = Field("", max_length=128)
    """restore: what the node calls the file in its quarantine, where the path does not say it."""
    dry_run: bool = False


class NewResponse(Wish):
    """The same, with the node and maybe the alert that it answers."""

    agent_id: str = Field(min_length=1, max_length=64)
    alert_id: str | None = Field(None, max_length=64)


def router(door: Door) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/responses", _LISTING, door, name="list_responses")
    add(routes, "/isolations", lambda connection, _words: _in_force(connection, "isolate"), door)
    add(routes, "/quarantine", lambda connection, _words: _in_force(connection, "quarantine"), door)

    @routes.get("/responses/{id}", operation_id="get_response", dependencies=[Depends(door.viewer)])
    def get_response(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One response."""
        return responses.shown(responses.one(connection, id))

    @routes.post("/responses", operation_id="create_response", status_code=202)
    def create_response(
        wish: NewResponse,
        connection: Annotated[Connection, Depends(door.read)],
        user: Annotated[User, Depends(door.operator)],
    ) -> dict[str, Any]:
        """Ask a node to act. Whatever becomes of it is in the answer's row: a node that is offline fails it at once."""
        if wish.alert_id:
            store.one(connection, wish.alert_id)
        return _ask(door, user, wish.agent_id, _wanted(connection, wish, alert_id=wish.alert_id))

    @routes.post("/alerts/{id}/respond", operation_id="respond_to_alert", status_code=202)
    def respond_to_alert(
        id: str,
        wish: Wish,
        connection: Annotated[Connection, Depends(door.read)],
        user: Annotated[User, Depends(door.operator)],
    ) -> dict[str, Any]:
        """Act on what an alert tells of: its process, its container or its file."""
        alert = store.one(connection, id)
        return _ask(door, user, alert["agent_id"], _wanted(connection, _from_alert(wish, alert), alert_id=id))

    @routes.post("/responses/{id}/undo", operation_id="undo_response", status_code=202)
    def undo_response(
        id: str,
        connection: Annotated[Connection, Depends(door.read)],
        user: Annotated[User, Depends(door.operator)],
    ) -> dict[str, Any]:
        """Take a response back: unpause, release or restore. 409 for one that cannot be, or was already."""
        row = responses.one(connection, id)
        action = responses.shown(row)["undo"]
        if action is None:
            why = "it was undone already" if row["undone_by"] else f"{row['action']} ({row['state']}) has no way back"
            raise Refused(f"this response cannot be undone: {why}", status=409)
        return _ask(door, user, row["agent_id"], _way_back(row, action))

    return routes


def _wanted(connection: Connection, wish: Wish, *, alert_id: str | None = None) -> dict[str, Any]:
    """A wish with its order's arguments. Raises Refused when the action lacks what it acts on."""
    kind = responses.ORDERS[wish.action]
    args: dict[str, Any] = {"dry_run": wish.dry_run}
    target = wish.container_name or wish.container_id[:12]
    if kind == "response.process":
        if wish.pid is None or wish.start in (None, ""):
            raise Refused("kill needs pid and start", "a number alone may be another process by now")
        args |= {"pid": wish.pid, "start": wish.start}
        target = f"{wish.path or 'process'} ({wish.pid})"
    elif not wish.container_id:
        raise Refused(f"{wish.action} needs container_id")
    if wish.container_id:
        args["container"] = wish.container_id
    if kind == "response.file":
        if not wish.path and not (wish.action == "restore" and wish.id):
            raise Refused(f"{wish.action} needs path", "the path inside the container")
        args |= {name: value for name, value in (("path", wish.path), ("id", wish.id)) if value}
        target = wish.path or wish.id
    return {
        "action": wish.action,
        "args": args,
        "container_id": wish.container_id,
        "container_name": wish.container_name or _name(connection, wish.container_id),
        "target": target or wish.container_id[:12],
        "alert_id": alert_id,
    }


def _name(connection: Connection, container_id: str) -> str:
    """The container's name as the newest alert of it knows it."""
    if not container_id:
        return ""
    named = select(ALERTS.c.container_name).where(ALERTS.c.container_id == container_id)
    return str(connection.execute(named.order_by(ALERTS.c.last_seen.desc()).limit(1)).scalar() or "")


def _from_alert(wish: Wish, alert: Mapping[str, Any]) -> Wish:
    """What the wish does not name, from the alert."""
    process, file = alert.get("process") or {}, (alert.get("evidence") or {}).get("file") or {}
    known: dict[str, Any] = {
        "container_id": alert["container_id"],
        "container_name": alert["container_name"],
        "pid": process.get("pid"),
        "start": process.get("start"),
        "path": process.get("exe", "") if wish.action == "kill" else file.get("path") or process.get("exe", ""),
    }
    given = wish.model_dump(exclude_unset=True)
    if "pid" in given:
        known.pop("start")  # the alert's is of another process
    return Wish.model_validate({**{name: value for name, value in known.items() if value}, **given})


def _way_back(row: Mapping[str, Any], action: str) -> dict[str, Any]:
    """The undo of a response: what the node said it needs for that goes before what it was asked."""
    undo = row["data"].get("undo")
    kept = {name: value for name, value in row["args"].items() if name not in ("action", "dry_run")}
    told = {name: value for name, value in (undo if isinstance(undo, Mapping) else {}).items() if name != "action"}
    names = ("container_id", "container_name", "target", "alert_id")
    return {
        "action": action,
        "args": {**kept, **told, "dry_run": False},
        "undo_of": row["id"],
        **{name: row[name] for name in names},
    }


def _ask(door: Door, user: User, agent_id: str, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Note the response, then give the order; a node that cannot take it fails the response at once."""
    node = door.node(agent_id)

    def begin(connection: Connection) -> tuple[tuple[dict[str, Any], bool], Sequence[Change]]:
        row, new, changes = responses.ask(connection, node.source, wish, user=user.name, now=clock.now())
        return (row, new), changes

    row, new = door.write(begin)
    if new:
        reason = _order(door, node, row)
        if reason:

            def failed(connection: Connection) -> tuple[None, Sequence[Change]]:
                return None, responses.failed(connection, row["id"], reason, clock.now())

            door.write(failed)
    return door.write(lambda connection: (responses.shown(responses.one(connection, row["id"])), ()))


def _order(door: Door, node: Node, row: Mapping[str, Any]) -> str:
    """Give the order; why it cannot be given, in one word, or ""."""
    kind = responses.ORDERS[row["action"]]
    if not node.online:
        return "agent_offline"
    if kind not in node.orders:
        return "not_supported"
    try:
        door.order(node.source.agent_id, kind, {**row["args"], "response": row["id"]}, target=row["target"])
    except Refused as refused:
        if refused.status != 409:
            raise
        return "agent_offline"
    return ""


_LISTING = Listing(
    responses.listed(),
    key="id",
    sort="-created_at",
    sorts=("created_at", "finished_at", "action", "state", "host_name", "container_name"),
    filters=(*_FILTERS, "container_id", "container_name", "dry_run", "created_by"),
    text=("target", "host_name", "container_name", "message", "created_by"),
    time="created_at",
    row=responses.shown,
)


def _in_force(connection: Connection, action: str) -> Listing:
    """Responses that hold now; `undoing` is the one that takes it back at this moment."""
    ids = list(connection.execute(select(responses.in_force(action).subquery().c.id)).scalars())
    undoing = responses.pending_undo(connection, ids[-1000:])
    return Listing(
        responses.in_force(action),
        key="id",
        sort="-finished_at",
        sorts=("created_at", "finished_at", "host_name", "container_name", "target"),
        filters=(*_FILTERS, "container_id", "container_name"),
        text=("target", "host_name", "container_name", "created_by"),
        time="finished_at",
        row=lambda row: {**responses.shown(row), "undoing": undoing.get(row["id"])},
    )
