"""Rules tested against what the nodes recorded: one row a test, one a node; what a node did not have is said."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from seawall.core import clock
from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.core.ids import new_id
from seawall.lists import Change, Refused, Source
from seawall.runtime.store.tables import RULE_TEST_NODES, RULE_TESTS

MAX_ALERTS = 50
"""Alerts that are shown of a test, over all nodes."""
MAX_ALERT = 64 << 10
OPEN = ("waiting", "running")
NODE_STATES = ("waiting", "running", "done", "failed", "not_able")


def begin(
    connection: Connection,
    nodes: Sequence[tuple[Source, bool]],
    told: Mapping[str, Any],
    *,
    user: str,
    now: str,
) -> str:
    """Note a test on these nodes, each with whether it is able; the test's id."""
    test = new_id("ruletest")
    connection.execute(
        insert(RULE_TESTS).values(
            id=test,
            hours=told["hours"],
            rules=list(told["rules"]),
            errors=list(told["errors"]),
            created_by=user,
            created_at=now,
        )
    )
    rows: list[dict[str, Any]] = [
        {
            "test_id": test,
            "agent_id": source.agent_id,
            "name": source.host_name,
            "state": "waiting" if able else "not_able",
            "since": None,
            "until": None,
            "events": 0,
            "hits": 0,
            "alerts": [],
            "error": "" if able else "this node's agent keeps no recording",
        }
        for source, able in nodes
    ]
    if rows:
        connection.execute(insert(RULE_TEST_NODES), rows)
    return test


def apply(connection: Connection, source: Source, item: Item, _now: str) -> list[Change]:
    """What a node's recording says of a test. Raises Hostile on what is none, or nobody asked this node for."""
    data = item.data
    test = str(data.get("test", ""))
    mine = _mine(test, source.agent_id)
    state = connection.execute(select(RULE_TEST_NODES.c.state).where(mine)).scalar()
    if state not in OPEN:
        raise Hostile(f"nobody asked this node for the test {test[:40]!r}")
    alerts = data.get("alerts")
    if not isinstance(alerts, list) or not all(isinstance(alert, dict) for alert in alerts):
        raise Hostile("a test's alerts are a list of objects")
    values = {
        "state": "done",
        "since": _time(data.get("from")),
        "until": _time(data.get("to")),
        "events": _number(data.get("events")),
        "hits": _number(data.get("hits")),
        "alerts": [alert for alert in alerts[:MAX_ALERTS] if len(str(alert)) <= MAX_ALERT],
        "error": "; ".join(str(note) for note in _notes(data))[:2000],
    }
    connection.execute(update(RULE_TEST_NODES).where(mine).values(values))
    return [Change("rule-tests/change", {"id": test, "agent_id": source.agent_id, "state": "done"})]


def _notes(data: Mapping[str, Any]) -> list[Any]:
    """What limits the node's answer."""
    notes = data.get("notes")
    return notes[:20] if isinstance(notes, list) else []


def told(connection: Connection, job: Mapping[str, Any], _now: str) -> list[Change]:
    """What is known of a node's order now: one that is done without an answer has failed."""
    test = str(job["args"].get("test", ""))
    mine = _mine(test, job["agent_id"])
    state = connection.execute(select(RULE_TEST_NODES.c.state).where(mine)).scalar()
    if state not in OPEN or job["state"] == state:
        return []
    if job["state"] in OPEN:
        return stated(connection, test, job["agent_id"], job["state"])
    return stated(connection, test, job["agent_id"], "failed", str(job["error"] or "the node sent no answer"))


def stated(connection: Connection, id: str, agent_id: str, state: str, error: str = "") -> list[Change]:
    """Write the state of a node's part."""
    connection.execute(update(RULE_TEST_NODES).where(_mine(id, agent_id)).values(state=state, error=error[:2000]))
    return [Change("rule-tests/change", {"id": id, "agent_id": agent_id, "state": state})]


def one(connection: Connection, id: str) -> dict[str, Any]:
    """A test as the API answers it. Raises Refused (404)."""
    test = connection.execute(select(RULE_TESTS).where(RULE_TESTS.c.id == id)).mappings().first()
    if test is None:
        raise Refused(f"there is no test {id}", "POST /rules/test makes one", 404)
    nodes = connection.execute(
        select(RULE_TEST_NODES).where(RULE_TEST_NODES.c.test_id == id).order_by(RULE_TEST_NODES.c.name)
    ).mappings()
    rows = list(nodes)
    alerts = [
        {**alert, "agent_id": row["agent_id"], "host_name": row["name"]} for row in rows for alert in row["alerts"]
    ]
    hits = sum(row["hits"] for row in rows)
    return {
        **test,
        "state": _state([row["state"] for row in rows]),
        "nodes": [
            {
                **{name: row[name] for name in ("agent_id", "name", "state", "events", "hits", "error")},
                "from": row["since"],
                "to": row["until"],
            }
            for row in rows
        ],
        "hits": hits,
        "alerts": alerts[:MAX_ALERTS],
        "truncated": hits > len(alerts[:MAX_ALERTS]),
    }


def _state(states: Sequence[str]) -> str:
    if any(state in OPEN for state in states):
        return "running"
    return "done" if "done" in states else "failed"


def forget(connection: Connection, before: str) -> None:
    """Delete old tests."""
    old = select(RULE_TESTS.c.id).where(RULE_TESTS.c.created_at < before)
    connection.execute(delete(RULE_TEST_NODES).where(RULE_TEST_NODES.c.test_id.in_(old)))
    connection.execute(delete(RULE_TESTS).where(RULE_TESTS.c.created_at < before))


def _mine(id: str, agent_id: str) -> Any:
    return (RULE_TEST_NODES.c.test_id == id) & (RULE_TEST_NODES.c.agent_id == agent_id)


def _time(value: Any) -> str | None:
    if value in (None, ""):
        return None
    try:
        return clock.format_time(value if isinstance(value, int | float) else clock.parse_time(str(value)))
    except (ValueError, OverflowError, OSError) as error:
        raise Hostile(f"a test's coverage is {str(value)[:40]!r}, which is no time") from error


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise Hostile(f"a test's count is {str(value)[:40]!r}")
    return value
