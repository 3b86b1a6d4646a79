"""What the server orders by itself: a malicious file goes into quarantine, where an administrator has switched it on.

In the step that stores the alert: the order is there as soon as the alert is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from seawall.core import clock
from seawall.lists import Change, Source
from seawall.runtime.store import policy, responses
from seawall.runtime.store.tables import RESPONSES
from seawall.server import agents, jobs

SELF = "seawall"
ORDER = "response.file"
MAX_ORDERS = 50
"""Of one batch: more malicious files at once are an outbreak, which a person has to end."""


def answered(connection: Connection, source: Source, changes: Sequence[Change], now: str) -> list[Change]:
    """The quarantine of what the alerts among the changes call malicious."""
    told = [change.payload for change in changes if change.type in ("alerts/add", "alerts/change")]
    wanted = [alert for alert in told if _malicious(alert)][:MAX_ORDERS]
    if not wanted or not policy.settings(connection).get("quarantine_malware"):
        return []
    found: list[Change] = []
    for alert in wanted:
        if not _done(connection, source, alert):
            found += _order(connection, source, alert, now)
    return found


def _malicious(alert: Mapping[str, Any]) -> bool:
    if alert.get("category") != "malware" or not alert.get("container_id"):
        return False
    evidence = alert.get("evidence") or {}
    sample = evidence.get("sample")
    path = (evidence.get("file") or {}).get("path")
    listed = bool(evidence.get("sample_indicator"))
    return isinstance(sample, dict) and bool(path) and (listed or sample.get("verdict") == "malicious")


def _done(connection: Connection, source: Source, alert: Mapping[str, Any]) -> bool:
    """Whether the file that the alert tells of was taken away after it was seen."""
    later = select(RESPONSES.c.id).where(
        RESPONSES.c.agent_id == source.agent_id,
        RESPONSES.c.container_id == alert["container_id"],
        RESPONSES.c.action == "quarantine",
        RESPONSES.c.target == alert["evidence"]["file"]["path"],
        RESPONSES.c.created_at >= alert["last_seen"],
        RESPONSES.c.dry_run.is_(False),
    )
    return connection.execute(later.limit(1)).first() is not None


def _order(connection: Connection, source: Source, alert: Mapping[str, Any], now: str) -> list[Change]:
    path = str(alert["evidence"]["file"]["path"])
    wish = {
        "action": "quarantine",
        "args": {"dry_run": False, "container": alert["container_id"], "path": path},
        "container_id": alert["container_id"],
        "container_name": alert["container_name"],
        "target": path,
        "alert_id": alert["id"],
    }
    row, new, changes = responses.ask(connection, source, wish, user=SELF, now=now)
    if not new:
        return changes
    if ORDER not in agents.node(connection, source.agent_id).orders:
        return [*changes, *responses.failed(connection, row["id"], "not_supported", now)]
    args = {**row["args"], "response": row["id"]}
    seconds = clock.parse_time(now)
    _, queued = jobs.create(connection, source.agent_id, ORDER, args, target=path, seconds=seconds)
    return [*changes, *queued]
