"""An image that a policy denies does not run on a node: its first process is stopped, and the alert says how."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import docker_cli
from seawall.agent import enrol, resident
from seawall.agent.identity import Home
from seawall.intel.store import import_files
from seawall.node.host import host_id
from serving import Served

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root"),
]
PATIENCE = 60.0
FEED = """{"id": "PYSEC-1", "modified": "2024-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI",
"name": "x"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    state = tmp_path_factory.mktemp("state")
    (state / "server.toml").write_text("[intervals]\nheartbeat = 5\ncontainers = 5\nimages = 5\n")
    feed = state / "osv.json"
    feed.write_text(FEED)
    import_files(state / "intel.db", [feed])
    server = Served(state).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def admin(served: Served) -> str:
    return served.command("token", "create", "test-admin", "--role", "admin")


@pytest.fixture(scope="module")
def node(served: Served, admin: str, bash_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("node")
    fingerprint = json.loads((served.state / "server.json").read_text())["ca_fingerprint"]
    enrol.enrol(Home(folder), f"https://127.0.0.1:{served.port}", served.enrolment_token(admin), fingerprint, host_id())
    process = subprocess.Popen(resident.command(folder), env=resident.environment(folder))
    found = served.until(
        lambda: [row for row in served.get("/agents", admin)["items"] if row["sensor"]["state"] == "on"], PATIENCE
    )
    yield found[0]["id"]
    process.terminate()
    process.wait(20)


def do(served: Served, token: str, method: str, path: str, body: Any = None) -> Any:
    status, value, _ = served.call(method, f"/api/v1{path}", body, token)
    assert status in (200, 201, 202, 204), (status, value)
    return value


def ran(image: str, folder: Path, name: str) -> bool:
    """Start a container that works for a while; whether it came to the end of its work."""
    subprocess.run(
        ["docker", "run", "--rm", "-v", f"{folder}:/out", image, "bash", "-c", f"sleep 3; echo done > /out/{name}"],
        capture_output=True, timeout=90, check=False,
    )  # fmt: skip
    return (folder / name).exists()


def test_a_denied_image_does_not_run(served: Served, admin: str, node: str, bash_image: str, tmp_path: Path) -> None:
    image = docker_cli("inspect", "-f", "{{.Id}}", bash_image)
    served.until(lambda: served.get(f"/images?id={image}", admin)["items"], PATIENCE)
    do(served, admin, "POST", f"/images/{image}/scan")
    served.until(lambda: (served.get(f"/images/{image}", admin)["scan"] or {}).get("judged"), PATIENCE)
    assert ran(bash_image, tmp_path, "before"), "nothing is denied yet"
    do(served, admin, "PATCH", "/runtime/settings", {"enforce": True})
    policy = do(
        served, admin, "POST", "/image-policies", {"name": "no root", "mode": "enforce", "rules": {"root": True}}
    )

    def in_force() -> bool:
        state = served.get("/rules/state", admin)
        decided = served.get(f"/image-decisions?image_id={image}", admin)["items"][0]["decision"]
        working = served.get(f"/agents/{node}", admin)["plan_version"] == state["version"]
        return decided == "denied" and not state["pending"] and working

    served.until(in_force, PATIENCE)
    time.sleep(1)
    assert not ran(bash_image, tmp_path, "denied")
    alerts = served.until(lambda: served.get("/alerts?rule=image_policy_denied", admin)["items"], PATIENCE)
    assert alerts[0]["action"] == "block"
    assert alerts[0]["result"] in ("blocked", "killed_after_effect")
    assert alerts[0]["title_zh"]

    do(served, admin, "DELETE", f"/image-policies/{policy['id']}")
    served.until(
        lambda: served.get(f"/image-decisions?image_id={image}", admin)["items"][0]["decision"] == "allowed", PATIENCE
    )
    served.until(
        lambda: (
            served.get("/rules/state", admin)["version"] == served.get(f"/agents/{node}", admin)["plan_version"]
            and not served.get("/rules/state", admin)["pending"]
        ),
        PATIENCE,
    )
    time.sleep(1)
    assert ran(bash_image, tmp_path, "after")
