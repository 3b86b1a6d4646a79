"""Responses and protection through the resident agent: an order takes effect, holds over a restart, and is undone; a
protected image refuses what is not its own."""

import subprocess
import time
from pathlib import Path

import pytest

from conftest import docker_cli
from peer import Peer
from seawall.agent import enrol, resident
from seawall.agent.identity import Home
from seawall.core.ids import new_id
from seawall.runtime import plan as plans
from seawall.runtime.model import Profile

pytestmark = [pytest.mark.docker, pytest.mark.kernel, pytest.mark.timeout(180)]
NAME = "respond-agent"


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
def agent(home, tmp_path, dockerd):
    state = home.folder.parent
    with (tmp_path / "agent.log").open("wb") as log:
        process = subprocess.Popen(resident.command(state), env=resident.environment(state), stderr=log)
        yield process
        if process.poll() is None:
            process.terminate()
            assert process.wait(20) == 0, (tmp_path / "agent.log").read_text()


@pytest.fixture
def container(bash_image):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, bash_image, "sleep", "600")
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    docker_cli("rm", "-f", NAME)


def order(peer, kind, **args):
    """Give an order; its last report."""
    name = new_id("order")
    peer.orders.append({"id": name, "kind": kind, "args": args, "deadline": ""})
    return peer.wait(lambda: [item for item in peer.of("order") if item["id"] == name and ended(item)], 30)[0]


def ended(item):
    return item["state"] in ("done", "failed")


def cut_off(name=NAME):
    pid = docker_cli("inspect", "-f", "{{.State.Pid}}", name)
    command = ["nsenter", "-t", pid, "-n", "nft", "list", "table", "inet", "seawall_isolation"]
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0


def test_an_order_is_carried_out_holds_over_a_restart_and_is_undone(agent, peer, container, home):
    peer.wait(lambda: peer.of("heartbeat"))
    done = order(peer, "response.container", action="isolate", container=container)
    assert (done["state"], done["result"]["result"], done["result"]["means"]) == ("done", "done", "nftables")
    assert done["result"]["undo"] == {"action": "release", "container": container}
    assert cut_off()
    docker_cli("restart", "-t", "0", NAME)
    peer.wait(cut_off, 30)
    assert order(peer, "response.container", **done["result"]["undo"])["state"] == "done"
    assert not cut_off()
    failed = order(peer, "response.container", action="pause", container="f" * 64)
    assert (failed["state"], failed["result"]["reason"]) == ("failed", "container_gone")
    assert failed["error"]
    assert list((home.folder / "isolated").iterdir()) == []


def configure(peer, plan):
    settings = {"version": plan.version, "plan": plans.encode(plan), "intervals": {"heartbeat": 5}, "enforce": True}
    peer.config = settings
    peer.wait(lambda: [beat for beat in peer.of("heartbeat") if beat["config_version"] == plan.version], 40)


def best(peer):
    return [beat for beat in peer.of("heartbeat") if beat["protection"]["means"]["exec"] == "fanotify"]


def test_a_protected_image_refuses_what_is_not_its_own_and_tells_once(agent, peer, container):
    peer.wait(lambda: peer.of("heartbeat"))
    image = docker_cli("inspect", "-f", "{{.Image}}", NAME)
    packaged = plans.read()
    programs = frozenset(f"{way}/{name}" for way in ("/bin", "/usr/bin") for name in ("bash", "cp", "id", "sleep"))
    plan = plans.seal(
        packaged.rules, packaged.lists, packaged.filters, profiles={image: Profile("protect", programs | {"/tmp/x"})}
    )
    configure(peer, plan)
    beat = peer.wait(lambda: best(peer), 40)[-1]
    assert beat["protection"]["enforce"] is True
    assert beat["protection"]["level"] == 3
    assert (beat["protection"]["means"]["container"], beat["protection"]["means"]["quarantine"]) == ("docker", True)
    assert beat["protection"]["means"]["network"] == "cgroup"
    assert "fanotify" not in beat["protection"]["reasons"]
    for _ in range(3):
        done = subprocess.run(
            ["docker", "exec", NAME, "bash", "-c", "cp /bin/id /tmp/x; /tmp/x > /tmp/ran; code=$?; exit $code"],
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 126, done.stderr
    assert docker_cli("exec", NAME, "bash", "-c", 'echo "<$(< /tmp/ran)>"') == "<>"
    [alert] = peer.wait(lambda: [a for a in peer.of("alert") if a["rule"] == "protect_drift"], 20)
    outcome = alert["action"], alert["result"], alert["means"], alert["when"]
    assert outcome == ("block", "blocked", "fanotify", "before")
    assert (alert["process"]["exe"], alert["container"]["name"]) == ("/tmp/x", NAME)
    assert alert["evidence"]["caller"]["name"] == "bash"
    refused = subprocess.run(
        ["docker", "exec", NAME, "/bin/touch", "/tmp/made"], capture_output=True, timeout=30, check=False
    )
    assert refused.returncode == 126 or b"not permitted" in refused.stderr
    [alert] = peer.wait(lambda: [a for a in peer.of("alert") if a["rule"] == "profile_violation"], 20)
    assert (alert["action"], alert["result"], alert["means"]) == ("block", "blocked", "fanotify")
    assert peer.of("heartbeat")[-1]["rss"] < 30 << 20


def test_when_the_agent_dies_everything_runs(agent, peer, container, home):
    peer.wait(lambda: peer.of("heartbeat"))
    image = docker_cli("inspect", "-f", "{{.Image}}", NAME)
    configure(peer, plans.seal((), {}, plans.read().filters, profiles={image: Profile("protect", frozenset())}))

    def refused():
        command = ["docker", "exec", NAME, "/bin/id"]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode != 0

    peer.wait(refused, 20)
    children = Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()
    agent.kill()
    agent.wait(10)
    deadline = time.monotonic() + 20
    while refused() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not refused()
    assert not [child for child in children if Path(f"/proc/{child}/cmdline").exists() and _gate(child)]


def _gate(pid):
    return b"respond.gate" in Path(f"/proc/{pid}/cmdline").read_bytes()
