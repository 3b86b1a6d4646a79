"""Responses on real containers: what each does, that its undo gives back exactly what was, and why one cannot be."""

import json
import os
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import docker_cli
from seawall.node import procfs
from seawall.runtime.respond.errand import carry_out

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are entered as root"),
]
NAME = "respond-one"


@pytest.fixture
def container(bash_image):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, "--stop-signal", "KILL", bash_image, "sleep", "600")
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    docker_cli("rm", "-f", "-v", NAME)


@pytest.fixture
def listener():
    """Counts who has reached it."""

    class Heard:
        def __init__(self):
            self.server = socket.create_server(("0.0.0.0", 0))
            self.port = self.server.getsockname()[1]
            self.calls = 0
            threading.Thread(target=self.serve, daemon=True).start()

        def serve(self):
            while True:
                try:
                    peer, _ = self.server.accept()
                except OSError:
                    return
                self.calls += 1
                peer.close()

    made = Heard()
    yield made
    made.server.shutdown(socket.SHUT_RDWR)
    made.server.close()


def state(what="Status"):
    return docker_cli("inspect", "-f", f"{{{{.State.{what}}}}}", NAME)


def container_order(home, action, container, **more):
    return carry_out("response.container", {"action": action, "container": container, **more}, home)


def file_order(home, action, container, **more):
    return carry_out("response.file", {"action": action, "container": container, **more}, home)


def inside(script, name=NAME):
    command = ["docker", "exec", name, "bash", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def reaches(port, name=NAME):
    """Whether a program in the container can talk to the host."""
    gateway = docker_cli("inspect", "-f", "{{.NetworkSettings.Gateway}}", name)
    return inside(f"exec 3<>/dev/tcp/{gateway}/{port} & sleep 1.5; kill $! 2>/dev/null; wait $!", name).returncode == 0


def test_pause_and_its_undo(container, tmp_path):
    dry = container_order(tmp_path, "pause", container, dry_run=True)
    assert (dry["result"], dry["undo"], state()) == ("would", {}, "running")
    done = container_order(tmp_path, "pause", container)
    assert (done["result"], done["means"], done["target"], state()) == ("done", "docker", NAME, "paused")
    assert container_order(tmp_path, "pause", container)["result"] == "already"
    assert done["undo"] == {"action": "unpause", "container": container}
    assert carry_out("response.container", done["undo"], tmp_path)["result"] == "done"
    assert state() == "running"


@pytest.mark.parametrize("paused", [False, True])
def test_kill_ends_all_processes_also_of_one_that_stands_still(container, tmp_path, paused):
    if paused:
        docker_cli("pause", NAME)
    assert container_order(tmp_path, "kill", container, dry_run=True)["result"] == "would"
    assert container_order(tmp_path, "kill", container)["result"] == "done"
    deadline = time.monotonic() + 15
    while state() != "exited" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (state(), state("ExitCode")) == ("exited", "137")
    again = container_order(tmp_path, "kill", container)
    assert (again["result"], again["reason"]) == ("failed", "container_gone")


def test_stop(container, tmp_path):
    assert container_order(tmp_path, "stop", container)["result"] == "done"
    assert state() == "exited"


def test_isolation_cuts_off_and_its_undo_gives_back(container, listener, tmp_path):
    assert reaches(listener.port)
    assert container_order(tmp_path, "isolate", container, dry_run=True)["result"] == "would"
    assert reaches(listener.port)
    before = listener.calls
    done = container_order(tmp_path, "isolate", container)
    assert (done["result"], done["means"]) == ("done", "nftables"), done
    assert "table netdev seawall_isolation" in rules(container), "raw sockets pass the IP stack's rules"
    assert not reaches(listener.port)
    time.sleep(0.5)
    assert listener.calls == before, "the connection never arrived"
    assert inside("exec 3<>/dev/tcp/127.0.0.1/1").stderr.count("refused"), "loopback answers"
    assert container_order(tmp_path, "isolate", container)["result"] == "done", "again changes nothing"
    assert carry_out("response.container", done["undo"], tmp_path)["result"] == "done"
    assert reaches(listener.port)
    assert rules(container) == ""
    assert container_order(tmp_path, "release", container)["result"] == "already"


def rules(container):
    pid = docker_cli("inspect", "-f", "{{.State.Pid}}", container)
    listed = subprocess.run(
        ["nsenter", "-t", pid, "-n", "nft", "list", "ruleset"], capture_output=True, text=True, check=True
    )
    return listed.stdout.strip()


def test_isolation_holds_again_after_a_restart(container, listener, tmp_path):
    done = container_order(tmp_path, "isolate", container)
    assert [path.stem for path in (tmp_path / "isolated").iterdir()] == [container]
    docker_cli("restart", "-t", "0", NAME)
    assert carry_out("response.container", {"action": "isolate", "container": container}, tmp_path)["result"] == "done"
    assert not reaches(listener.port)
    docker_cli("stop", "-t", "0", NAME)
    assert carry_out("response.container", done["undo"], tmp_path)["result"] == "done", "also while it does not run"
    assert list((tmp_path / "isolated").iterdir()) == []


def test_one_that_uses_the_hosts_network_or_anothers_is_left_alone(container, bash_image, tmp_path):
    names = ["respond-host", "respond-guest"]
    subprocess.run(["docker", "rm", "-f", *names], capture_output=True, timeout=30, check=False)
    try:
        host = docker_cli("run", "-d", "--name", names[0], "--network", "host", bash_image, "sleep", "600")
        guest = docker_cli("run", "-d", "--name", names[1], "--network", f"container:{NAME}", bash_image, "sleep", "60")
        assert container_order(tmp_path, "isolate", host)["reason"] == "shared_host"
        assert container_order(tmp_path, "isolate", guest)["reason"] == "shared_with"
        assert container_order(tmp_path, "isolate", container, dry_run=True)["affects"] == ["respond-guest"]
        assert not (tmp_path / "isolated").exists()
    finally:
        docker_cli("rm", "-f", *names)


@pytest.mark.parametrize("action", ["pause", "stop", "kill", "isolate", "release"])
def test_one_that_is_not_there(dockerd, tmp_path, action):
    found = container_order(tmp_path, action, "f" * 64)
    assert (found["result"], found["reason"]) == ("failed", "container_gone")


def test_what_is_no_action_or_no_id_is_refused(tmp_path):
    assert container_order(tmp_path, "explode", "f" * 64)["reason"] == "not_supported"
    assert container_order(tmp_path, "pause", "../etc")["reason"] == "refused"


def test_a_file_goes_into_quarantine_and_comes_back_as_it_was(container, tmp_path):
    inside(
        "mkdir /opt; printf 'bad %.0s' {1..3000} > /opt/bad; chmod 4751 /opt/bad; touch -d @1000000000 /opt/bad || :"
    )
    root = f"/proc/{docker_cli('inspect', '-f', '{{.State.Pid}}', NAME)}/root"
    os.setxattr(f"{root}/opt/bad", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
    os.chown(f"{root}/opt/bad", 65534, 65534)
    os.chmod(f"{root}/opt/bad", 0o4751)
    before, content = os.stat(f"{root}/opt/bad"), Path(f"{root}/opt/bad").read_bytes()
    dry = file_order(tmp_path, "quarantine", container, path="/opt/bad", dry_run=True)
    assert (dry["result"], dry["size"], dry["of_image"]) == ("would", before.st_size, False)
    assert os.path.exists(f"{root}/opt/bad")
    done = file_order(tmp_path, "quarantine", container, path="/opt/bad")
    assert done["result"] == "done", done
    assert not os.path.exists(f"{root}/opt/bad")
    kept = tmp_path / "quarantine" / f"{done['id']}.bin"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert b"bad" not in kept.read_bytes()
    about = json.loads(kept.with_suffix(".json").read_bytes())
    assert (about["path"], about["container"], about["sha256"]) == ("/opt/bad", container, done["sha256"])
    inside("echo other > /opt/bad")
    assert carry_out("response.file", done["undo"], tmp_path)["reason"] == "occupied"
    inside("rm /opt/bad")
    assert carry_out("response.file", {**done["undo"], "dry_run": True}, tmp_path)["result"] == "would"
    assert carry_out("response.file", done["undo"], tmp_path)["result"] == "done"
    after = os.stat(f"{root}/opt/bad")
    for name in ("st_mode", "st_uid", "st_gid", "st_size", "st_mtime_ns"):
        assert getattr(after, name) == getattr(before, name), name
    assert Path(f"{root}/opt/bad").read_bytes() == content
    if os.listxattr(f"{root}/opt/bad"):
        assert os.listxattr(f"{root}/opt/bad") == ["security.capability"]
    assert list((tmp_path / "quarantine").iterdir()) == []
    assert carry_out("response.file", done["undo"], tmp_path)["reason"] == "file_gone"


def test_a_file_of_the_image_is_said_to_come_back_with_a_new_container(container, tmp_path):
    path = inside("type -P touch").stdout.strip()
    done = file_order(tmp_path, "quarantine", container, path=path)
    assert done["of_image"] is True
    assert "new container has it again" in done["message"]
    assert inside(f"[ -e {path} ]").returncode == 1
    assert carry_out("response.file", {"action": "restore", "container": container, "path": path}, tmp_path)[
        "result"
    ] == ("done")
    assert inside(f"[ -x {path} ]").returncode == 0


def test_no_path_leads_out_of_the_container(container, tmp_path):
    outside = tmp_path / "host-file"
    outside.write_text("the host's")
    inside("mkdir -p /a; mkfifo /a/pipe")
    root = f"/proc/{docker_cli('inspect', '-f', '{{.State.Pid}}', NAME)}/root"
    for name, target in (("out", tmp_path), ("link", outside), ("up", "../../../..")):
        os.symlink(target, f"{root}/a/{name}")
    cases = {
        "/a/out/host-file": "file_gone",
        f"/a/up/{tmp_path}/host-file": "file_gone",
        "/a/../../../../../../etc/hostname-of-nobody": "file_gone",
        "/a/link": "refused",
        "/a/pipe": "refused",
        "/a": "refused",
        "/dev/null": "refused",
        "/proc/1/root/bin/bash": "refused",
        "/a/": "refused",
        "relative": "refused",
        "/nowhere/x": "file_gone",
    }
    for path, reason in cases.items():
        found = file_order(tmp_path, "quarantine", container, path=path)
        assert (found["result"], found["reason"]) == ("failed", reason), (path, found)
    assert outside.read_text() == "the host's"


def test_the_quarantine_is_bounded(container, tmp_path):
    folder = tmp_path / "quarantine"
    folder.mkdir()
    with (folder / "big.bin").open("wb") as file:
        file.truncate(256 << 20)
    inside("echo x > /tmp/x")
    assert file_order(tmp_path, "quarantine", container, path="/tmp/x")["reason"] == "full"
    assert inside("[ -e /tmp/x ]").returncode == 0
    inside("/bin/bash -c 'ulimit -f unlimited'; truncate -s 70M /tmp/big 2>/dev/null || cp /bin/bash /tmp/big")
    pid = docker_cli("inspect", "-f", "{{.State.Pid}}", NAME)
    os.truncate(f"/proc/{pid}/root/tmp/big", 65 << 20)
    assert file_order(tmp_path, "quarantine", container, path="/tmp/big")["reason"] == "refused"


def test_a_process_is_killed_by_number_and_start(container, tmp_path):
    command = ["docker", "exec", "-d", NAME, "sleep", "987"]
    subprocess.run(command, check=True, timeout=30)

    def victim():
        return next((pid for pid in procfs.pids() if procfs.cmdline(pid)[-2:] == ["sleep", "987"]), None)

    deadline = time.monotonic() + 10
    while (pid := victim()) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    start = procfs.start_ticks(pid) * 10_000_000
    order = {"action": "kill", "pid": pid, "start": start}
    assert carry_out("response.process", {**order, "start": start + 10**10}, tmp_path)["reason"] == "process_gone"
    assert carry_out("response.process", {**order, "dry_run": True}, tmp_path)["result"] == "would"
    assert victim() == pid
    assert carry_out("response.process", order, tmp_path)["result"] == "done"
    while victim() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert victim() is None
    assert carry_out("response.process", order, tmp_path)["reason"] == "process_gone"


def test_the_runtime_and_the_first_process_are_not_killed(dockerd, tmp_path):
    daemon = next(pid for pid in procfs.pids() if (procfs.stat(pid) or ("",))[0] == "dockerd")
    for pid in (1, daemon, os.getpid()):
        order = {"action": "kill", "pid": pid, "start": procfs.start_ticks(pid) * 10_000_000, "dry_run": True}
        assert carry_out("response.process", order, tmp_path)["reason"] == "refused", pid
