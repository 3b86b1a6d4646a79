"""The policy as people and agents meet it: rules into the plan, waivers, profiles, settings."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from deciding import ORDERS, People, capable, config, enrolled, people
from inside import whole
from seawall.core.clock import format_time
from seawall.runtime import plan
from seawall.runtime.detect.engine import Engine
from serving import Enrolled, Served, alert

DIGEST = "sha256:" + "a" * 64
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


def test_a_group_is_switched_off_and_on(operator, viewer, agent) -> None:
    first = config(agent)
    known = {row["id"]: row for row in viewer.get("/rule-groups")["items"]}
    assert known["escape"]["enabled"] and known["escape"]["builtin"] and not known["user"]["builtin"]
    viewer.do("PATCH", "/rule-groups/escape", {"enabled": False}, 403)
    operator.do("PATCH", "/rule-groups/none", {"enabled": False}, 404)
    operator.do("PATCH", "/rule-groups/escape", {"enabled": False})
    state = operator.settled()
    assert state["error"] == "" and state["version"] != first["plan"]["version"]
    rows = viewer.get("/rules?group=escape&limit=200")["items"]
    assert len(rows) == known["escape"]["rules"] and not any(row["enabled"] for row in rows)
    assert not {row["id"] for row in rows} & {rule["id"] for rule in config(agent)["plan"]["rules"]}
    operator.do("PATCH", "/rule-groups/escape", {"enabled": True})
    assert operator.settled()["version"] == first["plan"]["version"]
    assert config(agent)["version"] == first["version"]
    assert viewer.get("/runtime/audit?thing=escape")["total"] == 2


def test_an_agent_that_waits_for_orders_hears_of_another_plan(operator, agent) -> None:
    has = config(agent)["version"]
    answers: list[Any] = []
    poll = threading.Thread(
        target=lambda: answers.append(agent.call("GET", f"/v1/agent/orders?wait=50&config={has}", timeout=60))
    )
    poll.start()
    time.sleep(0.5)
    assert not answers
    operator.do("PATCH", "/rule-groups/malware", {"enabled": False})
    poll.join(30)
    status, answer = answers[0]
    assert (status, answer["orders"]) == (200, []) and answer["config_version"] not in ("", has)
    operator.settled()
    assert config(agent)["version"] == answer["config_version"]
    operator.do("PATCH", "/rule-groups/malware", {"enabled": True})
    operator.settled()


def test_a_rule_file_comes_into_force_and_its_last_good_text_stays(operator, viewer, agent) -> None:
    body = {"name": "scanners.yaml", "text": RULE.format(id="scanner_one"), "scope": {"images": ["shop/*"]}}
    made = operator.do("POST", "/rule-files", body, 201)
    assert (made["rules"], made["errors"]) == (1, [])
    operator.do("POST", "/rule-files", body, 409)
    operator.settled()
    assert viewer.get(f"/rule-files/{made['id']}")["in_force"] == "all"
    (rule,) = [rule for rule in config(agent)["plan"]["rules"] if rule["id"] == "scanner_one"]
    assert (rule["source"], rule["group"]) == ("user", "user")
    Engine(plan.decode(config(agent)["plan"]), boot=0.0)
    row = viewer.get("/rules?id=scanner_one")["items"][0]
    assert row["source"] == "user" and row["enabled"]

    broken = {**body, "text": body["text"] + "- rule: second\n  condition: nonsense\n"}
    changed = operator.do("PUT", f"/rule-files/{made['id']}", broken)
    assert changed["errors"] and changed["errors"][0]["rule"] == "second" and changed["errors"][0]["line"] > 1
    state = operator.settled()
    assert any(problem["rule"] == "second" for problem in state["problems"])
    assert viewer.get(f"/rule-files/{made['id']}")["in_force"] == "last_good"
    assert "scanner_one" in {rule["id"] for rule in config(agent)["plan"]["rules"]}

    listed = viewer.get("/rule-files")["items"][0]
    assert "text" not in listed and listed["name"] == "scanners.yaml"
    operator.do("PUT", f"/rule-files/{made['id']}", {**body, "enabled": False})
    operator.settled()
    assert viewer.get(f"/rule-files/{made['id']}")["in_force"] == "off"
    operator.do("DELETE", f"/rule-files/{made['id']}", status=204)
    operator.do("DELETE", f"/rule-files/{made['id']}", status=404)
    operator.settled()
    assert "scanner_one" not in {rule["id"] for rule in config(agent)["plan"]["rules"]}


def test_falcos_own_file_comes_into_force(operator, viewer, agent, data) -> None:
    text = (data / "rules" / "falco_rules.yaml").read_text()
    found = viewer.do("POST", "/rules/check", {"text": text, "format": "falco"})
    assert (len(found["rules"]), found["errors"]) == (25, []) and found["macros"] and found["lists"]
    body = {"name": "falco_rules.yaml", "format": "falco", "text": text, "scope": {"images": ["shop/*"]}}
    made = operator.do("POST", "/rule-files", body, 201)
    assert (made["rules"], made["errors"]) == (25, [])
    assert operator.settled()["problems"] == []
    rows = viewer.get("/rules?source=falco&limit=100")["items"]
    assert len(rows) == 25 and {row["group"] for row in rows} == {"user"}
    slashed = next(row["id"] for row in rows if "/" in row["id"])
    assert viewer.get(f"/rules/{quote(slashed)}")["condition"]
    decoded = plan.decode(config(agent)["plan"])
    assert sum(rule.source == "falco" for rule in decoded.rules) == 25
    Engine(decoded, boot=0.0)
    operator.do("DELETE", f"/rule-files/{made['id']}", status=204)
    operator.settled()


def test_a_scope_and_a_name_that_cannot_be_are_refused(operator) -> None:
    body = {"name": "x.yaml", "text": "", "scope": {"colours": ["red"]}}
    operator.do("POST", "/rule-files", body, 422)
    operator.do("POST", "/rule-files", {"name": "", "text": ""}, 422)


def test_a_text_is_checked_without_being_stored(viewer) -> None:
    found = viewer.do("POST", "/rules/check", {"text": RULE.format(id="checked") + "- rule: bad\n  title: x\n"})
    assert [rule["id"] for rule in found["rules"]] == ["checked"]
    assert found["errors"][0]["rule"] == "bad" and found["errors"][0]["hint"]
    assert viewer.get("/rule-files")["total"] == 0
    taken = viewer.do("POST", "/rules/check", {"text": RULE.format(id="cron_written")})
    assert taken["warnings"][0]["rule"] == "cron_written"
    assert viewer.do("POST", "/rules/check", {"text": "- rule: ["})["errors"]


def test_a_rule_by_form_shows_its_text_and_is_judged(operator, viewer, agent) -> None:
    wish = {"title": "No netcat", "action": "block", "severity": "high", "process": ["nc", "/usr/bin/ncat*"]}
    shown = operator.do("POST", "/user-rules/preview", wish)["text"]
    assert "action: block" in shown and "kinds: [exec]" in shown
    made = operator.do("POST", "/user-rules", wish, 201)
    allowed = operator.do(
        "POST",
        "/user-rules",
        {"title": "cron may", "action": "allow", "file": "/etc/cron.d/", "scope": {"namespaces": ["ops"]}},
        201,
    )
    operator.do("POST", "/user-rules", {"title": "empty"}, 422)
    operator.do("POST", "/user-rules", {"title": "too much", "syscall": ["read"]}, 422)
    operator.settled()
    rules = {rule["id"]: rule for rule in config(agent)["plan"]["rules"]}
    assert rules[made["id"]]["action"] == "block"
    assert (rules[allowed["id"]]["action"], rules[allowed["id"]]["category"]) == ("allow", "file_tampering")
    assert {row["in_force"] for row in viewer.get("/user-rules")["items"]} == {"all"}
    changed = operator.do("PUT", f"/user-rules/{made['id']}", {**wish, "enabled": False})
    assert changed["in_force"] == "off"
    for made_id in (made["id"], allowed["id"]):
        operator.do("DELETE", f"/user-rules/{made_id}", status=204)


def test_a_waiver_is_previewed_counted_and_ends_by_itself(operator, admin, viewer, agent) -> None:
    evidence = {"kind": "exec", "result": 0, "fields": {}}
    for number, exe in enumerate(("/usr/bin/nmap", "/usr/bin/nmap", "/usr/bin/masscan")):
        process = {"pid": 9, "exe": exe, "name": exe[9:], "args": [exe, "-sS"], "uid": 0}
        container = {"id": "d" * 64, "name": "scan", "image": "ops/scan:1", "image_digest": DIGEST}
        agent.send(alert(f"waive-{number}", rule="coin_miner", process=process, container=container, evidence=evidence))
    wish = {"rules": ["coin_miner"], "fields": {"proc.exepath": "/usr/bin/nmap", "container.image": "ops/scan:1"}}
    found = viewer.do("POST", "/waivers/preview", wish)
    assert (found["count"], found["by_rule"], found["unknown"]) == (2, {"coin_miner": 2}, [])
    assert {row["process"]["exe"] for row in found["alerts"]} == {"/usr/bin/nmap"} and found["oldest"]
    assert viewer.do("POST", "/waivers/preview", {"rules": ["coin_miner"]})["count"] == 3
    either = {"condition": "proc.exename in (nmap, masscan) and not proc.args contains -sX"}
    assert viewer.do("POST", "/waivers/preview", either)["count"] == 3
    viewer.do("POST", "/waivers/preview", {}, 422)
    viewer.do("POST", "/waivers/preview", {"condition": "proc.nonsense = 1"}, 422)

    soon = format_time(time.time() + 3600)
    viewer.do("POST", "/waivers", {**wish, "reason": "ours", "expires_at": soon}, 403)
    operator.do("POST", "/waivers", {**wish, "expires_at": soon}, 422)
    operator.do("POST", "/waivers", {**wish, "reason": "ours", "expires_at": "2020-01-01T00:00:00Z"}, 422)
    operator.do("POST", "/waivers", {**wish, "reason": "ours"}, 403)
    made = operator.do("POST", "/waivers", {**wish, "reason": "ours", "expires_at": soon}, 201)
    assert (made["state"], made["owner"], made["created_by"]) == (
        "active",
        "token:test-operator",
        "token:test-operator",
    )
    operator.settled()
    (waiver,) = config(agent)["plan"]["waivers"]
    assert (waiver["id"], waiver["rules"]) == (made["id"], ["coin_miner"]) and waiver["expires"] > time.time()
    Engine(plan.decode(config(agent)["plan"]), boot=0.0)

    capable(agent, ORDERS, silenced={made["id"]: 4, "unknown": 3, "bad": "much"})
    row = viewer.get(f"/waivers/{made['id']}")
    assert row["silenced"] == 4 and row["last_silenced"]
    assert viewer.get("/rules?id=coin_miner")["items"][0]["silenced"] == 4

    forever = admin.do("PATCH", f"/waivers/{made['id']}", {"expires_at": None})
    assert forever["expires_at"] is None and forever["updated_by"] == "token:test-admin"
    short = format_time(time.time() + 1.5)
    operator.do("PATCH", f"/waivers/{made['id']}", {"expires_at": short})
    operator.served.until(lambda: viewer.get("/waivers?state=expired")["total"] == 1, 20)
    operator.served.until(lambda: config(agent)["plan"]["waivers"] == [], 20)
    operator.do("DELETE", f"/waivers/{made['id']}", status=204)
    acts = [row["act"] for row in viewer.get(f"/runtime/audit?thing={made['id']}")["items"]]
    assert acts == ["waivers/remove", "waivers/change", "waivers/change", "waivers/add"]


def test_a_profile_is_learned_promoted_and_falls_back(operator, viewer, agent) -> None:
    now = format_time(time.time())

    def seen(*paths: str) -> tuple[str, dict[str, Any]]:
        programs = [
            {"path": path, "parent": "/sbin/init", "count": 2, "first_seen": now, "last_seen": now} for path in paths
        ]
        return "profile", {"image_digest": DIGEST, "image": "shop/web:1", "programs": programs}

    agent.send(seen("/bin/evil"))
    assert viewer.get("/profiles")["total"] == 0, "a node teaches only of images that it has"
    box = {"id": "e" * 64, "name": "web", "state": "exited", "image": "shop/web:1", "image_id": "i"}
    agent.send(("snapshot", whole("containers", [{**box, "image_digest": DIGEST}])))
    assert agent.send(seen("/bin/sh", "/usr/bin/php"), seen("/bin/sh"))["rejected"] == 0
    assert agent.send(("profile", {"image_digest": DIGEST, "programs": [{"path": "sh"}]}))["rejected"] == 1
    (row,) = viewer.get("/profiles")["items"]
    assert (row["mode"], row["programs"], row["ready"], row["containers"]) == ("discover", 2, False, 0)
    detail = viewer.get(f"/profiles/{row['id']}")
    assert {one["path"]: one["count"] for one in detail["programs"]} == {"/bin/sh": 4, "/usr/bin/php": 2}
    assert config(agent)["plan"]["profiles"] == {"*": {"mode": "discover", "programs": []}}

    viewer.do("POST", f"/profiles/{row['id']}/promote", status=403)
    assert operator.do("POST", f"/profiles/{row['id']}/promote")["mode"] == "monitor"
    edited = operator.do("PUT", f"/profiles/{row['id']}/programs", {"add": ["/usr/bin/curl"], "remove": ["/bin/sh"]})
    assert edited["programs"] == 2
    operator.do("PUT", f"/profiles/{row['id']}/programs", {"add": ["curl"]}, 422)
    assert operator.do("POST", f"/profiles/{row['id']}/promote")["mode"] == "protect"
    operator.do("POST", f"/profiles/{row['id']}/promote", status=409)
    agent.send(seen("/tmp/late"))
    operator.settled()
    kept = config(agent)["plan"]["profiles"][DIGEST]
    assert kept == {"mode": "protect", "programs": ["/usr/bin/curl", "/usr/bin/php"]}

    container = {"id": "e" * 64, "name": "web", "image": "shop/web:1", "image_digest": DIGEST}
    stopped = {"rule": "profile_violation", "action": "block", "result": "blocked", "container": container}
    agent.send(*(alert("same", **stopped) for _ in range(20)))
    assert viewer.get(f"/profiles/{row['id']}")["mode"] == "protect"
    agent.send(alert("same", **stopped))
    after = viewer.get(f"/profiles/{row['id']}")
    assert after["mode"] == "monitor" and "21 programs" in after["fallback"]["reason"]
    assert after["violations_7d"] == 21
    (told,) = viewer.get("/alerts?category=self&rule=seawall-profile-fallback")["items"]
    assert told["image_digest"] == DIGEST
    operator.settled()
    assert config(agent)["plan"]["profiles"][DIGEST]["mode"] == "monitor"
    operator.do("DELETE", f"/profiles/{row['id']}", status=204)


def test_alerts_have_surroundings_and_counts(viewer, agent) -> None:
    at = time.time()

    def moment(seconds: float) -> dict[str, str]:
        text = format_time(at - seconds)
        return {"time": text, "first_seen": text, "last_seen": text}

    box = {"id": "9" * 64, "name": "box", "image": "box:1"}
    for name, ago in (("before", 900), ("near", 500), ("middle", 300), ("after", 100)):
        agent.send(alert(f"line-{name}", container=box, means="fanotify", **moment(ago)))
    agent.send(alert("line-elsewhere", container={"id": "8" * 64, "name": "other"}, **moment(300)))
    rows = {row["key"]: row for row in viewer.get(f"/alerts?container_id={box['id']}&means=fanotify")["items"]}
    found = viewer.get(f"/alerts/{rows['line-middle']['id']}/timeline?before=300&after=300")
    assert [row["key"] for row in found["items"]] == ["line-near", "line-middle", "line-after"]
    assert found["truncated"] is False
    viewer.do("GET", "/alerts/none/timeline", status=404)
    counts = viewer.get("/alerts/counts")
    assert counts["reverse_shell"]["critical"] >= 5 and counts["k8s_audit"]["low"] == 0


def test_settings_reach_the_agents_and_outlive_a_restart(served, admin, operator, viewer, agent) -> None:
    assert viewer.get("/runtime/settings")["enforce"] is False
    operator.do("PATCH", "/runtime/settings", {"enforce": True}, 403)
    admin.do("PATCH", "/runtime/settings", {"enforce": "yes"}, 422)
    admin.do("PATCH", "/runtime/settings", {"colour": 1}, 422)
    wish = {"enforce": True, "quarantine_malware": True, "samples": False, "new_images": "off"}
    assert admin.do("PATCH", "/runtime/settings", wish)["learning_hours"] == 24
    operator.settled()
    found = config(agent)
    assert found["enforce"] is True
    assert found["plan"]["filters"]["samples"] is False and "*" not in found["plan"]["profiles"]
    served.stop()
    served.start()
    assert config(agent)["version"] == found["version"]
    assert viewer.get("/runtime/settings")["enforce"] is True


def test_protection_is_told_of_each_agent(viewer, agent) -> None:
    protection = {"level": 2, "means": {"exec": "fanotify"}, "reasons": {"network": "no cgroup2"}, "enforce": True}
    capable(agent, ORDERS, protection=protection)
    assert viewer.get(f"/agents/{agent.id}")["protection"] == protection
