"""What people decide at the server, as a real node carries it out: a rule by form, a waiver, a learned profile."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import docker_cli
from seawall.agent import enrol, resident
from seawall.agent.identity import Home
from seawall.core.clock import format_time
from seawall.node.host import host_id
from serving import Served

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root"),
]
NAME = "policy-node-box"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    state = tmp_path_factory.mktemp("state")
    (state / "server.toml").write_text("[intervals]\nheartbeat = 5\ncontainers = 5\n")
    server = Served(state).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def admin(served: Served) -> str:
    return served.command("token", "create", "test-admin", "--role", "admin")


@pytest.fixture(scope="module")
def box(bash_image: str) -> Iterator[str]:
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--rm", "--label", "seawall.test.tier=back", "--name", NAME, bash_image, "sleep", "900")
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)


@pytest.fixture(scope="module")
def node(served: Served, admin: str, box: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A resident agent of this host; its id."""
    folder = tmp_path_factory.mktemp("node")
    fingerprint = json.loads((served.state / "server.json").read_text())["ca_fingerprint"]
    url = f"https://127.0.0.1:{served.port}"
    enrol.enrol(Home(folder), url, served.enrolment_token(admin), fingerprint, host_id())
    process = subprocess.Popen(resident.command(folder), env=resident.environment(folder))
    found = served.until(
        lambda: [row for row in served.get("/agents", admin)["items"] if row["sensor"]["state"] == "on"], PATIENCE
    )
    yield found[0]["id"]
    process.terminate()
    process.wait(20)


def do(served: Served, token: str, method: str, path: str, body: Any) -> Any:
    status, value, _ = served.call(method, f"/api/v1{path}", body, token)
    assert status in (200, 201, 202), (status, value)
    return value


def in_force(served: Served, admin: str, node: str) -> None:
    """Until the node works by the newest plan."""

    def same() -> bool:
        state = served.get("/rules/state", admin)
        return not state["pending"] and served.get(f"/agents/{node}", admin)["plan_version"] == state["version"]

    served.until(same, PATIENCE)


def run(*words: str) -> None:
    docker_cli("exec", NAME, *words)


def alerts(served: Served, admin: str, rule: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = served.get(f"/alerts?rule={rule}&container_name={NAME}", admin)["items"]
    return found


def test_a_rule_by_form_fires_where_its_scope_says_and_a_waiver_silences_it(
    served: Served, admin: str, node: str, box: str
) -> None:
    wish = {"title": "Somebody makes a pipe", "process": ["mkfifo"], "scope": {"labels": {"seawall.test.tier": "back"}}}
    rule = do(served, admin, "POST", "/user-rules", wish)["id"]
    elsewhere = {**wish, "scope": {"labels": {"seawall.test.tier": "front"}}}
    other = do(served, admin, "POST", "/user-rules", elsewhere)["id"]
    in_force(served, admin, node)
    run("bash", "-c", "mkfifo /tmp/$RANDOM; true")
    (alert,) = served.until(lambda: alerts(served, admin, rule), PATIENCE)
    assert alert["title"] == "Somebody makes a pipe" and alert["container_id"] == box
    assert alerts(served, admin, other) == []

    fields = {"proc.exename": "mkfifo", "container.name": NAME}
    found = do(served, admin, "POST", "/waivers/preview", {"rules": [rule], "fields": fields})
    assert found["count"] == 1 and found["unknown"] == []
    until = format_time(time.time() + 3600)
    waiver = {"rules": [rule], "fields": fields, "reason": "ours", "expires_at": until}
    made = do(served, admin, "POST", "/waivers", waiver)
    in_force(served, admin, node)
    before = alerts(served, admin, rule)[0]["count"]
    time.sleep(11)  # past the window in which repeats are counted instead of told
    run("bash", "-c", "mkfifo /tmp/$RANDOM; true")
    served.until(lambda: served.get(f"/waivers/{made['id']}", admin)["silenced"] >= 1, PATIENCE)
    assert alerts(served, admin, rule)[0]["count"] == before


def test_an_image_is_learned_and_what_is_not_in_its_profile_is_told(
    served: Served, admin: str, node: str, box: str
) -> None:
    run("bash", "-c", "cat /etc/passwd > /dev/null; true")

    def mine() -> dict[str, Any] | None:
        for row in served.get("/profiles?q=seawall-test&limit=200", admin)["items"]:
            detail = served.get(f"/profiles/{row['id']}", admin)
            if any(program["path"].endswith("/cat") for program in detail["programs"]):
                return dict(detail)
        return None

    profile = served.until(mine, PATIENCE)
    assert profile["mode"] == "discover" and profile["program_count"] == len(profile["programs"])
    row = next(
        row for row in served.get("/profiles?q=seawall-test&limit=200", admin)["items"] if row["id"] == profile["id"]
    )
    assert row["containers"] >= 1
    do(served, admin, "POST", f"/profiles/{profile['id']}/promote", None)
    in_force(served, admin, node)
    run("bash", "-c", "cat /etc/passwd > /dev/null; id; true")
    found = served.until(lambda: alerts(served, admin, "profile_violation"), PATIENCE)
    assert "/bin/id" in {alert["process"]["exe"] for alert in found}
    served.until(lambda: served.get(f"/profiles/{profile['id']}", admin)["violations_7d"] >= 1, PATIENCE)


def settled(served: Served, admin: str, id: str) -> dict[str, Any]:
    """A response that has ended."""

    def ended() -> dict[str, Any] | None:
        row: dict[str, Any] = served.get(f"/responses/{id}", admin)
        return row if row["state"] in ("done", "failed") else None

    found: dict[str, Any] = served.until(ended, PATIENCE)
    return found


def test_a_container_is_paused_and_a_file_put_away_and_both_are_undone(
    served: Served, admin: str, node: str, box: str
) -> None:
    def ask(action: str, **more: Any) -> dict[str, Any]:
        body = {"action": action, "agent_id": node, "container_id": box, **more}
        return settled(served, admin, do(served, admin, "POST", "/responses", body)["id"])

    def undo(row: dict[str, Any]) -> dict[str, Any]:
        return settled(served, admin, do(served, admin, "POST", f"/responses/{row['id']}/undo", None)["id"])

    def status() -> str:
        return docker_cli("inspect", "-f", "{{.State.Status}}", NAME)

    dry = ask("pause", dry_run=True)
    assert (dry["result"], dry["undo"], status()) == ("would", None, "running")
    paused = ask("pause")
    assert (paused["state"], paused["means"], paused["undo"], status()) == ("done", "docker", "unpause", "paused")
    assert undo(paused)["state"] == "done" and status() == "running"

    run("bash", "-c", "echo evil > /tmp/dropper")
    taken = ask("quarantine", path="/tmp/dropper")
    assert (taken["state"], taken["undo"]) == ("done", "restore"), taken
    assert run_status("test", "-e", "/tmp/dropper") != 0
    assert [row["id"] for row in served.get("/quarantine", admin)["items"]] == [taken["id"]]
    assert undo(taken)["state"] == "done"
    assert docker_cli("exec", NAME, "cat", "/tmp/dropper") == "evil"
    assert served.get("/quarantine", admin)["total"] == 0

    gone = ask("stop", container_id="0" * 64)
    assert (gone["state"], gone["reason"]) == ("failed", "container_gone")


def run_status(*words: str) -> int:
    """Of a test inside the container, by the shell's own."""
    done = subprocess.run(
        ["docker", "exec", NAME, "bash", "-c", " ".join(words)], capture_output=True, timeout=30, check=False
    )
    return done.returncode


def test_a_rule_is_tried_on_what_the_node_recorded(served: Served, admin: str, node: str, box: str) -> None:
    run("bash", "-c", "/bin/ls / tried-on-the-past >/dev/null 2>&1; true")
    text = (
        "- rule: past_rule\n  title: Past\n  category: abnormal_process\n  severity: high\n  kinds: [exec]\n"
        "  condition: container.id != host and proc.args contains tried-on-the-past and proc.exename in (ls, busybox)\n"
    )

    def found() -> Any:
        test = do(served, admin, "POST", "/rules/test", {"text": text, "format": "native", "hours": 1})["id"]
        result = served.until(lambda: _done(served, admin, test), PATIENCE)
        return result if result["hits"] else None

    result = served.until(found, PATIENCE)
    (told,) = result["nodes"]
    assert told["agent_id"] == node and told["state"] == "done" and told["events"] > 0
    assert told["from"] <= told["to"]
    assert {alert["rule"] for alert in result["alerts"]} == {"past_rule"}
    assert result["alerts"][0]["container"]["id"] == box


def _done(served: Served, admin: str, test: str) -> Any:
    result = served.get(f"/rules/tests/{test}", admin)
    return result if result["state"] != "running" else None
