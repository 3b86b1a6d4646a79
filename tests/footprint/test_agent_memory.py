"""The agent's budget on a real node: sensor on, 20 containers, VmRSS at most 30 MB. DESIGN, section 3."""

import os
import subprocess
import time

import pytest

from conftest import docker_cli
from peer import Peer
from seawall.agent import enrol, resident
from seawall.agent.identity import Home
from seawall.node import procfs

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root"),
]
LIMIT_KB = 30 * 1024
CONTAINERS = 20
SECONDS = 30


@pytest.fixture
def containers(bash_image):
    names = [f"sw-footprint-{number}" for number in range(CONTAINERS)]
    try:
        for name in names:
            docker_cli("run", "-d", "--rm", "--name", name, bash_image, "sleep", "600")
        yield names
    finally:
        subprocess.run(["docker", "rm", "-f", *names], capture_output=True, timeout=120, check=False)


@pytest.fixture
def peer(tmp_path):
    made = Peer(tmp_path / "server")
    yield made
    made.close()


@pytest.mark.timeout(240)
def test_thirty_megabytes_with_the_sensor_on_and_twenty_containers(containers, peer, tmp_path):
    home = Home(tmp_path / "node")
    enrol.enrol(home, peer.url, "good-token", peer.authority.fingerprint, "host")
    resident.warm(tmp_path / "node")
    command, environment = resident.command(tmp_path / "node"), resident.environment(tmp_path / "node")
    with subprocess.Popen(command, env=environment) as process:
        try:
            peer.wait(lambda: peer.of("heartbeat"), 20)
            sensor = peer.of("heartbeat")[0]["sensor"]
            assert sensor["state"] == "on", sensor
            peer.wait(lambda: known_containers(peer) >= CONTAINERS, 20)
            most = 0
            for second in range(SECONDS):
                # Something happens all the time: processes start in one container after the other.
                docker_cli(
                    "exec", containers[second % CONTAINERS], "bash", "-c", "for i in 1 2 3 4 5; do /bin/ls; done"
                )
                status = procfs.status(process.pid)
                most = max(most, int(status["VmRSS"].split()[0]))
                time.sleep(0.8)
        finally:
            process.terminate()
            process.wait(20)
    assert most <= LIMIT_KB, f"{most / 1024:.1f} MB"


def known_containers(peer: Peer) -> int:
    rows: dict[str, object] = {}
    for snapshot in peer.of("snapshot"):
        if snapshot["kind"] == "containers":
            rows |= {row["id"]: row for row in snapshot["upsert"]}
    return len(rows)
