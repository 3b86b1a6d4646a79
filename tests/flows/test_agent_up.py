"""`seawall up` and `down` as a user runs them, and the agent's life with a real server: killed, away, doubled."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from conftest import docker_cli
from seawall.agent import local, resident
from seawall.node import procfs
from seawall.node.daemon import Daemon

pytestmark = [pytest.mark.docker, pytest.mark.timeout(240)]


def run(state, *words, expect=(0,)):
    command = [sys.executable, "-m", "seawall", *words, "--state", str(state)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode in expect, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return done


def until(what, seconds=30.0):
    """What the call answers as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"waited {seconds} s"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def state(tmp_path_factory, dockerd):
    folder = tmp_path_factory.mktemp("state")
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], two.getsockname()[1]
    (folder / "server.toml").write_text("port = {}\ngateway_port = {}\n".format(*ports))
    yield folder
    run(folder, "down")


@pytest.fixture
def up(state):
    """The state of a running server and agent, and how to ask the server."""
    run(state, "up")
    return state, local.load(state)


def test_up_brings_everything_and_prints_how_to_get_in(state):
    done = run(state, "up")
    assert "Console   https://localhost:" in done.stdout
    assert (state / "first-password").read_text().strip() in done.stdout
    assert (state / "local.json").stat().st_mode & 0o777 == 0o600
    server = local.load(state)
    assert server.call("GET", "/healthz")["status"] == "ok"
    [agent] = server.call("GET", "/api/v1/agents")["items"]
    assert agent["state"] == "online"


def test_up_again_starts_only_what_is_dead(up):
    state, _ = up
    agent, server = Daemon("agent", state), Daemon("server", state)
    before = agent.pid(), server.pid()
    run(state, "up")
    assert (agent.pid(), server.pid()) == before
    os.kill(before[0], signal.SIGKILL)
    until(lambda: agent.pid() is None)
    run(state, "up")
    assert server.pid() == before[1]
    assert agent.pid() not in (None, before[0])
    assert len(local.load(state).call("GET", "/api/v1/agents")["items"]) == 1


def test_the_agent_tells_what_it_is(up):
    state, server = up
    said = json.loads(run(state, "agent", "status", "--format", "json").stdout)
    [agent] = server.call("GET", "/api/v1/agents")["items"]
    assert said["running"]
    assert said["agent_id"] == agent["id"]
    assert said["rss"] < 30 << 20
    refused = run(state, "agent", "run", expect=(2,))
    assert "runs on" in refused.stderr


def test_doctor_finds_both(up):
    state, _ = up
    done = run(state, "doctor", "--format", "json", expect=(0, 1))
    found = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["server"]["state"] == "ok"
    assert found["docker"]["state"] == "ok"
    assert found["agent"]["state"] in ("ok", "degraded")


def test_a_container_appears_through_events_long_before_the_next_survey(up, bash_image):
    _, server = up
    name = "sw-agent-appears"
    docker_cli("run", "-d", "--rm", "--name", name, bash_image, "sleep", "60")
    try:
        until(lambda: listed(server, name), 10)  # surveys are a minute apart
    finally:
        docker_cli("rm", "-f", name)
    until(lambda: not any(row["state"] == "running" for row in listed(server, name)), 10)


def test_the_server_is_killed_and_comes_back(up, bash_image):
    """What happened meanwhile is told when it is back."""
    state, server = up
    agent = Daemon("agent", state).pid()
    os.kill(Daemon("server", state).pid(), signal.SIGKILL)
    name = "sw-agent-meanwhile"
    docker_cli("run", "-d", "--rm", "--name", name, bash_image, "sleep", "120")
    try:
        time.sleep(3)
        run(state, "up")
        assert Daemon("agent", state).pid() == agent
        until(lambda: listed(server, name), 90)
    finally:
        docker_cli("rm", "-f", name)


def test_two_agents_with_one_identity_are_both_heard_and_named(up, tmp_path):
    """A copied disk: nobody is disconnected, and the server says so."""
    state, server = up
    (tmp_path / "agent").mkdir()
    for name in ("identity.json", "agent.pem", "ca.crt", "config.json"):
        if (state / "agent" / name).exists():
            shutil.copy(state / "agent" / name, tmp_path / "agent" / name)
    command, environment = resident.command(tmp_path), resident.environment(tmp_path)
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as twin:
        try:
            alert = until(lambda: server.call("GET", "/api/v1/alerts?category=self")["items"], 90)[0]
        finally:
            twin.terminate()
            twin.wait(20)
    assert alert["rule"] == "seawall-agent-conflict"
    [agent] = server.call("GET", "/api/v1/agents")["items"]
    assert agent["state"] == "online"
    assert agent["conflicts"] >= 1


def test_down_stops_both_and_only_them(up):
    state, _ = up
    pids = [Daemon(name, state).pid() for name in ("agent", "server")]
    done = run(state, "down")
    assert "the agent is stopped" in done.stderr
    assert not [pid for pid in pids if (found := procfs.stat(pid)) and found[1][0] != "Z"]
    assert "was not running" in run(state, "down").stderr
    assert (state / "seawall.db").exists()


def listed(server, name):
    return server.call("GET", f"/api/v1/containers?q={name}")["items"]
