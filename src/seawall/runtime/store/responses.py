"""Responses: what somebody asked a node to do to a process, a container or a file, what came of it, and the way back.

A row goes waiting → running → done or failed with its order (server/jobs.py); `reason` says in one word why it failed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from seawall.core.ids import new_id
from seawall.lists import Change, Refused, Source
from seawall.runtime.store import policy
from seawall.runtime.store.tables import ALERTS, MAX_PATH, MAX_TEXT, RESPONSES

OPEN = ("waiting", "running")
ORDERS = {
    "kill": "response.process",
    **dict.fromkeys(("pause", "unpause", "stop", "kill_container", "isolate", "release"), "response.container"),
    **dict.fromkeys(("quarantine", "restore"), "response.file"),
}
"""Action → the kind of order that carries it out."""
WORDS = {"kill_container": "kill"}
"""Action → its word on the wire, where that is another."""
UNDO = {"pause": "unpause", "isolate": "release", "quarantine": "restore"}
REASONS = {
    "agent_offline": "the agent of this node is offline",
    "not_supported": "the agent of this node cannot do that",
    "timeout": "the agent did not finish in time",
    "agent_gone": "the agent went away before it was done",
}
"""Reasons that the server itself gives; all others come from the node."""
MAX_DATA = 16 << 10


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A response as the API answers it."""
    hidden = ("args", "job_id")
    undo = UNDO.get(row["action"]) if row["state"] == "done" and not row["dry_run"] and not row["undone_by"] else None
    return {**{name: value for name, value in row.items() if name not in hidden}, "undo": undo}


def listed() -> Select[Any]:
    """All responses."""
    return select(RESPONSES)


def in_force(action: str) -> Select[Any]:
    """Responses of an action that were carried out and not undone."""
    return select(RESPONSES).where(
        RESPONSES.c.action == action,
        RESPONSES.c.state == "done",
        RESPONSES.c.dry_run.is_(False),
        RESPONSES.c.undone_by.is_(None),
    )


def one(connection: Connection, id: str) -> dict[str, Any]:
    """A response's row. Raises Refused (404)."""
    row = connection.execute(select(RESPONSES).where(RESPONSES.c.id == id)).mappings().first()
    if row is None:
        raise Refused(f"there is no response {id}", "GET /responses lists them", 404)
    return dict(row)


def ask(
    connection: Connection, source: Source, wish: Mapping[str, Any], *, user: str, now: str
) -> tuple[dict[str, Any], bool, list[Change]]:
    """Note a response that somebody asks for; whether it is new, or the same that is under way already."""
    args = {"action": WORDS.get(wish["action"], wish["action"]), **wish["args"]}
    alike = select(RESPONSES).where(
        RESPONSES.c.agent_id == source.agent_id,
        RESPONSES.c.container_id == wish["container_id"],
        RESPONSES.c.action == wish["action"],
        RESPONSES.c.state.in_(OPEN),
    )
    for open_one in connection.execute(alike).mappings():
        if open_one["args"] == args:
            return dict(open_one), False, []
    row = {
        "id": new_id("response"),
        "action": wish["action"],
        "agent_id": source.agent_id,
        "host_id": source.host_id,
        "host_name": source.host_name,
        "container_id": wish["container_id"],
        "container_name": wish["container_name"][:MAX_TEXT],
        "target": wish["target"][:MAX_PATH],
        "args": args,
        "state": "waiting",
        **dict.fromkeys(("result", "reason", "message", "means"), ""),
        "dry_run": bool(args.get("dry_run")),
        "undone_by": None,
        "undo_of": wish.get("undo_of"),
        "alert_id": wish.get("alert_id"),
        "job_id": None,
        **policy.made(user, now),
        "finished_at": None,
        "data": {},
    }
    connection.execute(insert(RESPONSES).values(row))
    policy.audit(connection, user, f"responses/{row['action']}", row["id"], what=_told(row), now=now)
    changes = [Change("responses/add", shown(row))]
    if row["alert_id"]:
        changes += _counted(connection, row["alert_id"])
    return row, True, changes


def _told(row: Mapping[str, Any]) -> str:
    dry = " (dry run)" if row["dry_run"] else ""
    return f"{row['target']} on {row['host_name']}{dry}"


def _counted(connection: Connection, alert_id: str) -> list[Change]:
    mine = ALERTS.c.id == alert_id
    connection.execute(update(ALERTS).where(mine).values(responses=ALERTS.c.responses + 1))
    number = connection.execute(select(ALERTS.c.responses).where(mine)).scalar()
    return [] if number is None else [Change("alerts/change", {"id": alert_id, "responses": number})]


def failed(connection: Connection, id: str, reason: str, now: str, message: str = "") -> list[Change]:
    """A response came to nothing."""
    values = {"state": "failed", "result": "failed", "reason": reason, "finished_at": now}
    return _update(connection, id, {**values, "message": message or REASONS.get(reason, "")}, now)


def told(connection: Connection, job: Mapping[str, Any], now: str) -> list[Change]:
    """What is known of a response's order now: `job` is its row with the node's `result`."""
    name = str(job["args"].get("response", ""))
    row = connection.execute(select(RESPONSES).where(RESPONSES.c.id == name)).mappings().first()
    if row is None or row["agent_id"] != job["agent_id"] or row["state"] not in OPEN:
        return []
    if job["state"] in OPEN:
        if job["state"] == row["state"]:
            return []
        return _update(connection, name, {"state": job["state"], "job_id": job["id"]}, now)
    result = job.get("result") or {}
    message = str(job.get("error") or job.get("message") or "")
    if job["state"] == "failed":
        reason = str(result.get("reason") or _why(job))[:32]
        connection.execute(update(RESPONSES).where(RESPONSES.c.id == name).values(job_id=job["id"], data=_data(result)))
        return failed(connection, name, reason, now, message)
    values = {
        "state": "done",
        "job_id": job["id"],
        "result": str(result.get("result") or "done")[:32],
        "reason": str(result.get("reason") or "")[:32],
        "means": str(result.get("means") or "")[:16],
        "message": message,
        "data": _data(result),
        "finished_at": now,
    }
    if result.get("target"):
        values["target"] = str(result["target"])[:MAX_PATH]
    changes = _update(connection, name, values, now)
    return [*changes, *_undone(connection, {**row, **values}, now)]


def _why(job: Mapping[str, Any]) -> str:
    """The reason in one word where the node gave none."""
    error = str(job.get("error") or "")
    if "in time" in error:
        return "timeout"
    return "agent_gone" if "went away" in error or "was deleted" in error else "failed"


def _data(result: Any) -> dict[str, Any]:
    """The node's result, bounded: what is needed to undo it is in there."""
    found = dict(result) if isinstance(result, Mapping) else {}
    return found if len(str(found)) <= MAX_DATA else {"truncated": True}


def _undone(connection: Connection, row: Mapping[str, Any], now: str) -> list[Change]:
    """A release, an unpause, a restore ends what it undoes, also when it was not asked for as an undo."""
    begun = next((action for action, way_back in UNDO.items() if way_back == row["action"]), None)
    if begun is None or row["dry_run"]:
        return []
    undone = in_force(begun).where(RESPONSES.c.agent_id == row["agent_id"])
    if row["undo_of"]:
        undone = undone.where(RESPONSES.c.id == row["undo_of"])
    elif begun == "quarantine":
        undone = undone.where(RESPONSES.c.container_id == row["container_id"], RESPONSES.c.target == row["target"])
    else:
        undone = undone.where(RESPONSES.c.container_id == row["container_id"])
    changes = []
    for before in connection.execute(undone).mappings().all():
        changes += _update(connection, before["id"], {"undone_by": row["id"]}, now)
    return changes


def pending_undo(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Which of these responses are being undone right now, and by which."""
    wanted = select(RESPONSES.c.undo_of, RESPONSES.c.id).where(
        RESPONSES.c.undo_of.in_(ids), RESPONSES.c.state.in_(OPEN)
    )
    return {row.undo_of: row.id for row in connection.execute(wanted)}


def _update(connection: Connection, id: str, values: Mapping[str, Any], now: str) -> list[Change]:
    connection.execute(update(RESPONSES).where(RESPONSES.c.id == id).values(**values, updated_at=now))
    return [Change("responses/change", shown(one(connection, id)))]


def forget(connection: Connection, before: str) -> None:
    """Delete responses that ended long ago and are not in force."""
    ended = (RESPONSES.c.state.not_in(OPEN), RESPONSES.c.created_at < before)
    kept = select(in_force("isolate").subquery().c.id).union(select(in_force("quarantine").subquery().c.id))
    connection.execute(delete(RESPONSES).where(*ended, RESPONSES.c.id.not_in(kept)))
