"""What nodes are asked to do: responses and their way back, malware into quarantine, rules tried on recordings."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from deciding import ORDERS, People, capable, enrolled, next_order, people, report
from seawall.core.clock import format_time
from seawall.runtime import plan
from serving import Enrolled, Served, alert, heartbeat

RULE = """
- rule: {id}
  title: {{en: A scanner runs, zh: 扫描器运行}}
  category: abnormal_process
  severity: high
  kinds: [exec]
  condition: container.id != host and proc.exename = nmap
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("state")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def roles(served: Served) -> dict[str, People]:
    return people(served)


@pytest.fixture(scope="module")
def agent(served: Served, roles: dict[str, People]) -> Enrolled:
    return enrolled(served, roles["admin"])


@pytest.fixture
def viewer(roles: dict[str, People]) -> People:
    return roles["viewer"]


@pytest.fixture
def operator(roles: dict[str, People]) -> People:
    return roles["operator"]


@pytest.fixture
def admin(roles: dict[str, People]) -> People:
    return roles["admin"]


def test_a_response_goes_its_way_and_back(operator, viewer, agent) -> None:
    agent.send(alert("answer-me", container={"id": "f" * 64, "name": "db", "image": "db:1"}))
    (found,) = [row for row in viewer.get("/alerts?q=talks")["items"] if row["key"] == "answer-me"]
    viewer.do("POST", f"/alerts/{found['id']}/respond", {"action": "isolate"}, 403)
    row = operator.do("POST", f"/alerts/{found['id']}/respond", {"action": "isolate"}, 202)
    assert (row["state"], row["container_name"], row["undo"]) == ("waiting", "db", None)
    again = operator.do("POST", f"/alerts/{found['id']}/respond", {"action": "isolate"}, 202)
    assert again["id"] == row["id"]
    order = next_order(agent)
    assert order["kind"] == "response.container"
    wanted = {"action": "isolate", "container": "f" * 64, "dry_run": False, "response": row["id"]}
    assert order["args"] == wanted
    report(agent, order, "accepted")
    assert viewer.get(f"/responses/{row['id']}")["state"] == "running"
    result = {"action": "isolate", "target": "db", "result": "done", "means": "nftables", "undo": {"table": "t1"}}
    report(agent, order, "done", result=result)
    done = viewer.get(f"/responses/{row['id']}")
    assert (done["state"], done["means"], done["undo"]) == ("done", "nftables", "release")
    (isolated,) = viewer.get("/isolations")["items"]
    assert isolated["id"] == row["id"] and isolated["undoing"] is None
    assert viewer.get(f"/alerts/{found['id']}")["responses"] == 1

    undo = operator.do("POST", f"/responses/{row['id']}/undo", status=202)
    assert viewer.get("/isolations")["items"][0]["undoing"] == undo["id"]
    order = next_order(agent)
    assert (order["args"]["action"], order["args"]["table"]) == ("release", "t1")
    report(agent, order, "done", result={"result": "done"})
    assert viewer.get(f"/responses/{row['id']}")["undone_by"] == undo["id"]
    assert viewer.get("/isolations")["total"] == 0
    operator.do("POST", f"/responses/{row['id']}/undo", status=409)


def test_a_response_says_why_it_failed(operator, viewer, admin, served, agent) -> None:
    body = {"action": "kill", "agent_id": agent.id, "pid": 4711, "start": 99}
    operator.do("POST", "/responses", {**body, "start": None}, 422)
    operator.do("POST", "/responses", {"action": "pause", "agent_id": agent.id}, 422)
    operator.do("POST", "/responses", {**body, "agent_id": "nobody"}, 404)
    row = operator.do("POST", "/responses", {**body, "dry_run": True}, 202)
    order = next_order(agent)
    assert order["args"]["pid"] == 4711 and order["args"]["dry_run"] is True
    report(agent, order, "failed", error="it is gone", result={"result": "failed", "reason": "process_gone"})
    failed = viewer.get(f"/responses/{row['id']}")
    assert (failed["state"], failed["reason"], failed["message"]) == ("failed", "process_gone", "it is gone")
    capable(agent, ["assets.refresh"])
    unable = operator.do("POST", "/responses", body, 202)
    assert (unable["state"], unable["reason"]) == ("failed", "not_supported")
    capable(agent, ORDERS)
    other = Enrolled(served, served.enrolment_token(admin.token), hostname="gone", host_id="gone")
    other.send(heartbeat(host={"id": "gone", "name": "gone"}, capabilities={"orders": ORDERS}))
    left = operator.do("POST", "/responses", {**body, "agent_id": other.id}, 202)
    admin.do("DELETE", f"/agents/{other.id}", status=204)
    assert viewer.get(f"/responses/{left['id']}")["reason"] == "agent_gone"
    assert viewer.get("/responses?reason=not_supported&state=failed")["total"] == 1


def test_quarantine_is_listed_until_it_is_restored(operator, viewer, agent) -> None:
    body = {"action": "quarantine", "agent_id": agent.id, "container_id": "1" * 64, "path": "/tmp/x"}
    operator.do("POST", "/responses", {**body, "path": ""}, 422)
    row = operator.do("POST", "/responses", body, 202)
    order = next_order(agent)
    assert order["args"]["path"] == "/tmp/x"
    report(agent, order, "done", result={"result": "done", "target": "/tmp/x", "undo": {"id": "q1"}})
    assert [one["id"] for one in viewer.get("/quarantine")["items"]] == [row["id"]]
    back = operator.do("POST", f"/responses/{row['id']}/undo", status=202)
    order = next_order(agent)
    assert (order["args"]["action"], order["args"]["id"]) == ("restore", "q1")
    report(agent, order, "failed", error="no room", result={"reason": "refused"})
    assert viewer.get(f"/responses/{back['id']}")["reason"] == "refused"
    assert viewer.get("/quarantine")["total"] == 1


def test_malware_goes_into_quarantine_by_itself_where_that_is_switched_on(admin, viewer, agent) -> None:
    box = {"id": "2" * 64, "name": "shop", "image": "shop:1"}

    def found(path: str, verdict: str = "malicious") -> tuple[str, dict[str, Any]]:
        evidence = {"kind": "scan", "file": {"path": path}, "sample": {"verdict": verdict, "sha256": "aa"}}
        return alert(path, category="malware", rule="malware_written", container=box, evidence=evidence)

    agent.send(found("/tmp/before"))
    admin.do("PATCH", "/runtime/settings", {"quarantine_malware": True})
    agent.send(found("/tmp/odd", "suspicious"), found("/tmp/miner"))
    order = next_order(agent)
    assert (order["kind"], order["args"]["path"]) == ("response.file", "/tmp/miner")
    (row,) = viewer.get("/responses?created_by=seawall")["items"]
    assert (row["action"], row["container_name"], row["state"]) == ("quarantine", "shop", "waiting")
    assert viewer.get(f"/alerts/{row['alert_id']}")["responses"] == 1
    report(agent, order, "done", result={"result": "done", "target": "/tmp/miner", "undo": {"id": "q9"}})
    later = format_time(time.time() - 60)
    agent.send(("alert", {**found("/tmp/miner")[1], "last_seen": later, "first_seen": later}))
    assert viewer.get("/responses?created_by=seawall")["total"] == 1, "it is away already"
    agent.send(found("/tmp/miner"))
    report(agent, next_order(agent), "failed", error="x", result={"result": "failed", "reason": "file_gone"})
    capable(agent, ["assets.refresh"])
    agent.send(found("/tmp/other"))
    assert viewer.get("/responses?created_by=seawall&reason=not_supported")["total"] == 1
    capable(agent, ORDERS)
    admin.do("PATCH", "/runtime/settings", {"quarantine_malware": False})


def test_rules_are_tested_on_what_nodes_recorded(operator, viewer, agent) -> None:
    draft = {"text": RULE.format(id="replayed"), "hours": 6}
    unable = operator.do("POST", "/rules/test", draft, 202)["id"]
    found = viewer.get(f"/rules/tests/{unable}")
    assert found["state"] == "failed" and found["nodes"][0]["state"] == "not_able"
    operator.do("POST", "/rules/test", {"text": "- rule: bad"}, 422)
    operator.do("POST", "/rules/test", {**draft, "rule": "other"}, 422)
    capable(agent, [*ORDERS, "runtime.replay"])
    test = operator.do("POST", "/rules/test", draft, 202)["id"]
    assert viewer.get(f"/rules/tests/{test}")["state"] == "running"
    order = next_order(agent)
    assert (order["kind"], order["args"]["hours"], order["args"]["test"]) == ("runtime.replay", 6, test)
    (rule,) = plan.decode(order["args"]["plan"]).rules
    assert rule.id == "replayed"
    job = viewer.get(f"/jobs/{order['id']}")
    assert isinstance(job["args"]["plan"], str), "the plan is not shown in lists"
    report(agent, order, "running")
    answer = {"test": test, "from": time.time() - 3600, "to": time.time(), "events": 900, "hits": 2}
    assert agent.send(("replay", {**answer, "test": "another", "alerts": []}))["rejected"] == 1
    assert agent.send(("replay", {**answer, "alerts": [alert()[1]]}))["rejected"] == 0
    report(agent, order, "done")
    found = viewer.get(f"/rules/tests/{test}")
    assert (found["state"], found["hits"], found["truncated"], len(found["alerts"])) == ("done", 2, True, 1)
    (node,) = found["nodes"]
    assert node["events"] == 900 and node["from"] < node["to"]
    silent = operator.do("POST", "/rules/test", {**draft, "hours": 7}, 202)["id"]
    report(agent, next_order(agent), "done")
    assert viewer.get(f"/rules/tests/{silent}")["nodes"][0]["state"] == "failed"
