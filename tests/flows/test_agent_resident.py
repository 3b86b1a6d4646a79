"""The resident process against a server that speaks the wire: orders, configuration, renewal, and a quiet end."""

import json
import os
import signal
import subprocess
import time

import pytest

from conftest import docker_cli
from peer import Peer
from seawall.agent import enrol, resident
from seawall.agent.identity import Home
from seawall.core.clock import format_time
from seawall.runtime import plan as plans

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]


@pytest.fixture
def peer(tmp_path):
    made = Peer(tmp_path / "server")
    yield made
    made.close()


@pytest.fixture
def home(tmp_path, peer):
    made = Home(tmp_path / "node")
    enrol.enrol(made, peer.url, "good-token", peer.authority.fingerprint, "host")
    return made


@pytest.fixture
def start(home, tmp_path, dockerd):
    """Starts the agent; it is stopped after the test and must end in order."""
    running = []

    def begin():
        state = home.folder.parent
        log = (tmp_path / "agent.log").open("wb")
        running.append((subprocess.Popen(resident.command(state), env=resident.environment(state), stderr=log), log))
        return running[-1][0]

    yield begin
    for process, log in running:
        process.terminate()
        code = process.wait(20)
        log.close()
        assert code in (0, -signal.SIGKILL), (tmp_path / "agent.log").read_text()


def test_it_says_what_it_is_and_what_runs_here(start, peer):
    start()
    peer.wait(lambda: {snapshot["kind"] for snapshot in peer.of("snapshot")} >= {"hosts", "containers", "processes"})
    beat = peer.wait(lambda: peer.of("heartbeat"))[0]
    assert beat["host"]["name"] == os.uname().nodename
    assert beat["rss"] < 30 << 20
    assert beat["sensor"]["state"] in ("on", "degraded", "off")
    assert beat["sensor"]["state"] == "on" or beat["sensor"]["reason"]
    assert any(runtime["name"] == "docker" and runtime["reachable"] for runtime in beat["runtimes"])


def test_a_container_is_told_at_once_and_only_what_changed(start, peer, bash_image):
    start()
    peer.wait(lambda: [snapshot for snapshot in peer.of("snapshot") if snapshot["kind"] == "containers"])
    time.sleep(2)
    began = time.time()
    container = docker_cli("run", "-d", "--rm", "--name", "sw-agent-told", bash_image, "sleep", "60")
    try:
        told = peer.wait(lambda: [s for s in peer.of("snapshot") if container in json.dumps(s["upsert"])])
        assert time.time() - began < 3
        assert told[0]["base"] is not None
        assert [row["id"] for row in told[0]["upsert"]] == [container]
    finally:
        docker_cli("rm", "-f", "sw-agent-told")
    peer.wait(lambda: [s for s in peer.of("snapshot") if container in s["remove"]])


def test_a_server_that_lost_its_base_gets_the_whole(start, peer):
    start()
    peer.wait(lambda: [snapshot for snapshot in peer.of("snapshot") if snapshot["kind"] == "hosts"])
    peer.reply["resync"] = ["hosts"]
    peer.wait(lambda: len([s for s in peer.of("snapshot") if s["kind"] == "hosts" and s["base"] is None]) >= 2, 40)
    peer.reply["resync"] = []


def test_orders_are_carried_out_and_reported(start, peer):
    start()
    peer.wait(lambda: peer.of("heartbeat"))
    peer.orders = [
        {"id": "o1", "kind": "assets.refresh", "args": {"kinds": ["images"]}, "deadline": ""},
        {"id": "o2", "kind": "make.coffee", "args": {}, "deadline": ""},
        {
            "id": "o3",
            "kind": "image.inventory",
            "args": {"image_id": "sha256:" + "0" * 64, "name": "x"},
            "deadline": "",
        },
    ]
    peer.wait(lambda: {report["id"] for report in peer.of("order") if report["state"] == "done"} >= {"o1"})
    failed = peer.wait(lambda: [r for r in peer.of("order") if r["id"] == "o3" and r["state"] == "failed"], 30)[0]
    assert failed["error"]
    refused = next(report for report in peer.of("order") if report["id"] == "o2")
    assert refused["error"].startswith("this agent knows no order")


def test_a_bad_configuration_is_refused_and_the_good_one_stays(start, peer, home):
    packaged = plans.encode(plans.read())
    intervals = {"heartbeat": 5, "containers": 60, "images": 300, "processes": 30, "ports": 30}
    peer.config = {"version": "good", "plan": packaged, "intervals": intervals, "enforce": False}
    start()
    peer.wait(lambda: any(beat["config_version"] == "good" for beat in peer.of("heartbeat")), 20)
    peer.config = {"version": "bad", "plan": {"form": 1, "rules": "none"}, "intervals": {}, "enforce": False}
    beat = peer.wait(lambda: [b for b in peer.of("heartbeat") if "refused" in str(b["errors"])], 20)[-1]
    assert beat["config_version"] == "good"
    assert json.loads(home.config.read_bytes())["version"] == "good"


def test_it_renews_its_certificate_in_time(start, peer, home):
    said = json.loads((home.folder / "identity.json").read_bytes())
    said["issued_at"] = format_time(time.time() - 60 * 86400)
    (home.folder / "identity.json").write_text(json.dumps(said))
    old = home.pem.read_bytes()
    start()
    peer.wait(lambda: home.pem.read_bytes() != old, 20)
    peer.wait(lambda: home.identity().renew_at() > time.time())
    count = len(peer.of("heartbeat"))
    peer.wait(lambda: len(peer.of("heartbeat")) > count, 40)


def test_a_second_agent_on_the_same_folder_is_refused(start, peer, home):
    start()
    peer.wait(lambda: peer.of("heartbeat"))
    state = home.folder.parent
    second = subprocess.run(
        resident.command(state),
        env=resident.environment(state),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert second.returncode == 2
    assert "runs on" in second.stderr


def test_killed_it_starts_again_where_it_was(start, peer):
    first = start()
    peer.wait(lambda: peer.of("heartbeat"))
    first.kill()
    first.wait(5)
    count = len(peer.of("heartbeat"))
    start()
    peer.wait(lambda: len(peer.of("heartbeat")) > count)
    assert len({batch.instance for batch in peer.batches}) == 2
