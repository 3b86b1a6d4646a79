"""The room over HTTP with a door of its own: lists, detail, life, bulk, rules."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from seawall.core.clock import now
from seawall.core.envelope import Item
from seawall.lists import Change, Refused, Source, User
from seawall.runtime import api, load, store
from seawall.runtime.detect import alerts
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build


class _Door:
    """Everybody may do everything; changes are kept to be looked at."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changes: list[Change] = []

    def read(self) -> Iterator[Connection]:
        yield self.connection

    def viewer(self) -> User:
        return User("eve", "viewer")

    operator = admin = viewer

    def write(self, step):
        value, changes = step(self.connection)
        self.changes += changes
        return value


@pytest.fixture
def door() -> Iterator[_Door]:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.connect() as connection:
        store.METADATA.create_all(connection)
        for rule in ("cron_written", "preload_written", "reverse_shell_socket", "shell_dials_out"):
            example = next(one for one in load.system().rules[rule].value["examples"] if one["fires"])
            (alert,) = Engine(load.system_plan()).judge(build(example)[-1])
            record = alerts.record(alert) | {"time": now(), "first_seen": now(), "last_seen": now()}
            store.apply(connection, Source("a1", "h1", "node-1"), Item("alert", record), now())
        yield _Door(connection)
    engine.dispose()


@pytest.fixture
def client(door: _Door) -> TestClient:
    app = FastAPI()
    app.include_router(api.router(door))

    @app.exception_handler(Refused)
    def refused(_request, error: Refused) -> JSONResponse:
        return JSONResponse({"error": str(error), "hint": error.hint}, error.status)

    return TestClient(app)


def test_lists_filter_sort_and_search(client):
    by_severity = client.get("/alerts?sort=-severity").json()
    assert [row["severity"] for row in by_severity["items"]] == ["critical", "critical", "high", "high"]
    assert client.get("/alerts?category=file_tampering").json()["total"] == 2
    assert client.get("/alerts?q=计划任务").json()["total"] == 1
    assert client.get("/alerts?q=cron").json()["total"] == 1
    assert client.get("/alerts?state=handled").json()["total"] == 0
    assert client.get("/alerts?container_name=web&rule=cron_written").json()["total"] == 1
    assert client.get("/alerts?colour=red").status_code == 422


def test_detail_and_life(client, door):
    found = client.get("/alerts?rule=cron_written").json()["items"][0]["id"]
    assert client.get(f"/alerts/{found}").json()["evidence"]["file"]["path"] == "/etc/cron.d/update"
    changed = client.patch(f"/alerts/{found}", json={"state": "handled", "remark": "cleaned"})
    assert (changed.json()["state"], changed.json()["handled_by"]) == ("handled", "eve")
    assert door.changes[-1].type == "alerts/change"
    assert client.patch(f"/alerts/{found}", json={"state": "gone"}).status_code == 422
    assert client.delete(f"/alerts/{found}").status_code == 204
    assert door.changes[-1] == Change("alerts/remove", {"id": found})
    assert client.delete(f"/alerts/{found}").status_code == 404
    assert client.get(f"/alerts/{found}").status_code == 404
    assert client.patch(f"/alerts/{found}", json={"state": "new"}).status_code == 404


def test_bulk(client):
    ids = [row["id"] for row in client.get("/alerts").json()["items"]]
    done = client.post("/alerts/bulk", json={"ids": [*ids[:2], "none"], "action": "ignored"}).json()
    assert (sorted(done["done"]), done["missing"]) == (sorted(ids[:2]), ["none"])
    assert client.get("/alerts?state=ignored").json()["total"] == 2
    assert len(client.post("/alerts/bulk", json={"ids": ids, "action": "delete"}).json()["done"]) == 4
    assert client.get("/alerts").json()["total"] == 0
    assert client.post("/alerts/bulk", json={"ids": [], "action": "delete"}).status_code == 422
    assert client.post("/alerts/bulk", json={"ids": ids, "action": "burn"}).status_code == 422


def test_rules_in_force(client):
    answer = client.get("/rules?limit=500").json()
    assert answer["total"] == len(load.system_plan().rules)
    by_id = {row["id"]: row for row in answer["items"]}
    assert by_id["cron_written"]["alerts"] == 1
    assert by_id["bind_shell"]["alerts"] == 0
    assert set(by_id["cron_written"]["title"]) == {"en", "zh"}
    assert answer["items"][0]["severity"] == "critical"
    assert client.get("/rules?category=escape&q=逃逸").json()["total"] > 5
    assert client.get("/rules?format=csv").text.count("\n") > 20
    first = client.get("/rules?limit=20").json()
    second = client.get(f"/rules?limit=20&cursor={first['next']}").json()
    assert len(first["items"]) + len(second["items"]) == min(40, answer["total"])


def test_what_needs_somebody_is_summed_up(client):
    every = client.get("/alerts/summary").json()
    assert every["new"] == 4
    assert every["severities"] == {"critical": 2, "high": 2, "medium": 0, "low": 0, "info": 0}
    assert every["results"]["none"] == 4
    assert [row["severity"] for row in every["rules"]] == ["critical", "critical", "high", "high"]
    assert every["containers"][0] | {"worst": 0} == {
        **{"id": every["containers"][0]["id"], "container_name": "web", "count": 4, "worst": 0},
        "severity": "critical",
    }
    files = client.get("/alerts/summary?category=file_tampering").json()
    assert files["new"] == sum(row["count"] for row in files["rules"]) == 2
    found = client.get("/alerts?rule=cron_written").json()["items"][0]["id"]
    client.patch(f"/alerts/{found}", json={"state": "handled"})
    assert client.get("/alerts/summary?category=file_tampering").json()["new"] == 1
    assert client.get("/alerts/summary?category=weather").status_code == 422


def test_a_rule_is_shown_as_it_is_written(client):
    rule = client.get("/rules/cron_written").json()
    assert rule["alerts"] == 1
    assert "/etc/crontab" in rule["condition"]
    assert {example["fires"] for example in rule["examples"]} == {True, False}
    assert (rule["file"].startswith("files"), rule["line"] > 0) == (True, True)
    assert client.get("/rules/none").status_code == 404
    assert client.get("/rules/state").json()["version"]
