"""What runs here, told at once: a new container in the server's list through the daemon's events; and by command."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import docker_cli
from seawall.agent import enrol, resident, tls
from seawall.agent.identity import Home
from seawall.node.host import host_id
from serving import Served

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]
NAME = "sw-assets-live"


@pytest.fixture(scope="module")
def server(dockerd: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A server with this host's agent, and a token that reads."""
    served = Served(tmp_path_factory.mktemp("server")).start()
    token = served.command("token", "create", "tests", "--role", "admin").split()[-1]
    state = tmp_path_factory.mktemp("node")
    fingerprint = tls.fingerprint((served.state / "ca" / "ca.crt").read_text())
    url, buys = f"https://127.0.0.1:{served.port}", served.enrolment_token(token)
    enrol.enrol(Home(state), url, buys, fingerprint, host_id())
    agent = subprocess.Popen(resident.command(state), env=resident.environment(state), stderr=subprocess.DEVNULL)
    try:
        served.until(lambda: served.get("/hosts", token)["items"], 30)
        yield served, token
    finally:
        agent.terminate()
        agent.wait(20)
        served.stop()


@pytest.fixture
def away() -> Iterator[None]:
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    yield
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)


def listed(server: tuple[Served, str]) -> list[dict[str, Any]]:
    served, token = server
    items: list[dict[str, Any]] = served.get(f"/containers?q={NAME}", token)["items"]
    return items


def test_a_container_comes_changes_and_goes(server: tuple[Served, str], bash_image: str, away: None) -> None:
    served, _ = server
    made = docker_cli(
        *("run", "-d", "--name", NAME, "--user", "1000:1000", "--read-only", "--cap-drop", "ALL", "--cap-add", "CHOWN"),
        *("--memory", "64m", "--pids-limit", "50", "--restart", "no", "-e", "PASSWORD=secret", "--label", "team=blue"),
        *("-v", "/tmp:/data:ro", bash_image, "sleep", "600"),
    )
    (row,) = served.until(lambda: [row for row in listed(server) if row["state"] == "running"], 10)
    inspected = json.loads(docker_cli("inspect", NAME))[0]
    assert row["id"] == made
    assert row["image"] == bash_image
    assert row["user"] == "1000:1000"
    assert row["readonly_root"] is True
    assert row["memory_limit"] == inspected["HostConfig"]["Memory"] == 64 << 20
    assert row["pids_limit"] == 50
    assert "PASSWORD" in row["env_names"]
    assert "secret" not in json.dumps(row)
    assert row["labels"]["team"] == "blue"
    assert [(m["source"], m["destination"], m["rw"]) for m in row["mounts"]] == [("/tmp", "/data", False)]
    pid = inspected["State"]["Pid"]
    assert row["namespaces"]["pid"] == os.stat(f"/proc/{pid}/ns/pid").st_ino
    docker_cli("pause", NAME)
    served.until(lambda: [row for row in listed(server) if row["state"] == "paused"], 10)
    docker_cli("unpause", NAME)
    docker_cli("kill", NAME)
    served.until(lambda: [row for row in listed(server) if row["state"] == "exited"], 10)
    docker_cli("rm", NAME)
    served.until(lambda: not [row for row in listed(server) if row["state"] == "exited"], 10)


def assets(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall", "assets", *words]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_needs_no_server(bash_image: str, away: None) -> None:
    made = docker_cli("run", "-d", "--name", NAME, bash_image, "sleep", "600")
    done = assets("containers", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = {row["id"]: row for row in json.loads(done.stdout)["containers"]}
    assert set(docker_cli("ps", "-aq", "--no-trunc").split()) >= {made}
    assert found[made]["name"] == NAME
    assert found[made]["process_count"] == 1
    for kind in ("hosts", "containers", "images", "processes", "ports"):
        table = assets(kind)
        assert table.returncode == 0, table.stderr
        assert len(table.stdout.splitlines()) > 1
    assert NAME in assets("containers").stdout


@pytest.mark.parametrize("kind", ["containers", "images"])
def test_a_dead_socket_is_said_and_is_not_an_empty_list(kind: str, dockerd: object, tmp_path: Path) -> None:
    done = assets(kind, "--format", "json", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 2
    assert kind in json.loads(done.stdout)["problems"]
    assert "none.sock" in done.stderr


def test_without_docker_the_host_is_still_shown(dockerd: object, tmp_path: Path) -> None:
    done = assets("hosts", "--format", "json", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    (host,) = json.loads(done.stdout)["hosts"]
    assert host["name"]
    assert host["kernel"]
