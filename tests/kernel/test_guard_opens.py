"""The guard of opens on real containers: what a rule forbids is not read, written or interpreted; the rest is."""

import hashlib
import os
import signal
import subprocess
import time

import pytest

from conftest import docker_cli
from seawall.core.severity import Severity
from seawall.node import rootfs
from seawall.runtime.model import Category, Container, Kind, Plan, Profile, Rule, Waiver
from seawall.runtime.respond.guard import Guard

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.geteuid() != 0, reason="fanotify needs root"),
]
NAME = "respond-opens"
IMAGE = "respond-opens-image"
TOOLS = ("cat", "cp", "ln", "mv", "mkdir", "chmod", "id", "touch", "busybox")
SH = ("/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/usr/bin/dash", "/bin/dash")
PROGRAMS = frozenset((*SH, *(f"{way}/{name}" for way in ("/bin", "/usr/bin") for name in TOOLS)))
IDS = {"img": Profile("protect", PROGRAMS)}


@pytest.fixture(scope="module")
def image(dockerd):
    dockerd.import_image(IMAGE, rootfs.build(tuple(sorted({*rootfs.PROGRAMS, *TOOLS}))))
    yield IMAGE
    docker_cli("rmi", IMAGE)


@pytest.fixture
def container(image):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, "-v", "/data", image, "sleep", "600")
    inside("mkdir -p /srv; echo secret >/srv/key; echo plain >/srv/other; echo deep >/data/key")
    yield Container(docker_cli("inspect", "-f", "{{.Id}}", NAME), NAME, "img", "img", complete=True)
    docker_cli("rm", "-f", "-v", NAME)


@pytest.fixture
def guard():
    made = Guard()
    yield made
    made.stop()


def begin(guard, plan, container):
    guard.apply(plan, enforce=True)
    guard.guard(container, int(docker_cli("inspect", "-f", "{{.State.Pid}}", NAME)))
    settled(guard)


def settled(guard):
    guard.counts = {}
    guard.ask_counts()
    deadline = time.monotonic() + 20
    while not guard.counts:
        guard.work()
        assert time.monotonic() < deadline, guard.reason
        time.sleep(0.02)


def inside(script):
    command = ["docker", "exec", NAME, "/bin/bash", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def refused(guard, seconds=10):
    deadline = time.monotonic() + seconds
    found = guard.work()
    while not found and time.monotonic() < deadline:
        time.sleep(0.02)
        found = guard.work()
    return found


def rule(name, *when, kinds=(Kind.OPEN, Kind.READ)):
    whole = ["and", ["!=", "container.id", "host"], *when]
    return Rule(name, name, Category.FILE_TAMPERING, Severity.HIGH, kinds, whole, action="block")


READS = rule("key", ["in", "fd.name", ["/srv/key", "/data/key"]], ["=", "evt.is_open_read", True])
WRITES = rule("config", ["startswith", "fd.name", "/srv/"], ["=", "evt.is_open_write", True])


@pytest.mark.parametrize(
    "way",
    [
        "cat /srv/key",
        "cd /srv && cat ./key",
        "ln -s /srv/key /tmp/k; cat /tmp/k",
        "ln /srv/key /tmp/k; cat /tmp/k",
        "cat /proc/self/root/srv/key",
        "cat /data/key",
        "read -r line </srv/key; echo $line",
        "cp /srv/key /tmp/k; cat /tmp/k",
    ],
    ids=["plain", "relative", "symlink", "hard-link", "proc-root", "volume", "shell", "copied"],
)
def test_a_file_that_must_not_be_read_is_not_read(guard, container, way):
    begin(guard, Plan("p", (READS,)), container)
    _, said = inside(way)
    assert "secret" not in said, said
    assert "deep" not in said, said
    [found, *_] = refused(guard)
    assert (found["why"], found["container"]) == ("rule:key", container.id)
    assert found["path"] in ("/srv/key", "/data/key", "/key")
    assert inside("cat /srv/other") == (0, "plain\n")


def test_a_file_that_must_not_be_written_keeps_what_it_holds(guard, container):
    begin(guard, Plan("p", (WRITES,)), container)
    code, _ = inside("echo mine >>/srv/key")
    assert (code, refused(guard)[0]["why"]) == (1, "rule:config")
    assert inside("echo mine >/srv/key")[0] == 1, "nor is it cut"
    assert inside("cat /srv/key") == (0, "secret\n")
    assert inside("echo mine >/srv/new")[0] == 1
    assert [said for said in refused(guard) if said["created"]], "the empty file is told of"
    assert inside("echo fine >/tmp/new && cat /tmp/new") == (0, "fine\n")


def test_who_asks_counts(guard, container):
    only = rule("by-cat", ["=", "fd.name", "/srv/key"], ["=", "proc.name", "cat"], ["!=", "proc.pname", "nobody"])
    waiver = Waiver("w", ("by-cat",), ["=", "user.uid", 12])
    begin(guard, Plan("p", (only,), waivers=(waiver,)), container)
    assert "secret" not in inside("cat /srv/key")[1]
    assert refused(guard)[0]["asker"]["comm"] == "cat"
    assert inside("read -r line </srv/key; echo $line") == (0, "secret\n")
    done = subprocess.run(
        ["docker", "exec", "-u", "12", NAME, "/bin/cat", "/srv/key"], capture_output=True, check=False
    )
    assert done.stdout == b"secret\n", "waived"
    pid = docker_cli("inspect", "-f", "{{.State.Pid}}", NAME)
    with open(f"/proc/{pid}/root/srv/key") as file:
        assert file.read() == "secret\n", "nobody outside the container is refused"


def test_a_script_is_forbidden_like_a_program(guard, container):
    inside("printf 'echo it-ran\\n' >/tmp/s; cp /tmp/s /srv/s; ln -s /tmp/s /srv/l")
    path = rule("script", ["startswith", "proc.exepath", "/tmp/"], kinds=(Kind.EXEC,))
    begin(guard, Plan("p", (path,)), container)
    for way in ("sh /tmp/s", "bash -x /tmp/s", "cd /tmp; sh s", "sh /srv/l", "busybox sh /tmp/s"):
        assert "it-ran" not in inside(way)[1], way
        assert refused(guard)[0]["why"] == "rule:script", way
    assert inside("cat /tmp/s") == (0, "echo it-ran\n"), "to read it is not to run it"
    assert inside("sh /srv/s") == (0, "it-ran\n")


def test_a_protected_image_interprets_nothing_that_was_dropped(guard, container):
    inside("printf 'echo it-ran\\n' >/tmp/s")
    begin(guard, Plan("p", (), profiles=IDS), container)
    assert "it-ran" not in inside("sh /tmp/s")[1]
    found = refused(guard)[0]
    assert (found["why"], found["script"], found["path"]) == ("drift", True, "/tmp/s")


def test_quarantined_content_is_not_opened_again(guard, container):
    inside("printf 'echo it-ran\\n' >/tmp/s")
    content = b"echo it-ran\n"
    guard.quarantined([(len(content), hashlib.sha256(content).hexdigest())])
    begin(guard, Plan("p", ()), container)
    assert "it-ran" not in inside("source /tmp/s")[1]
    assert refused(guard)[0]["why"] == "quarantined"


def test_the_images_own_files_are_asked_about_once(guard, container):
    begin(guard, Plan("p", (READS, rule("x", ["=", "proc.exename", "nc"], kinds=(Kind.EXEC,)))), container)
    inside("cat /etc/passwd")
    settled(guard)
    before = guard.counts["opens"]
    inside("for i in 1 2 3 4 5 6 7 8 9 10; do cat /etc/passwd; done")
    settled(guard)
    assert guard.counts["opens"] - before < 40, "libraries and the file itself are passed over"


def test_only_where_a_rule_asks_are_opens_asked_about(guard, container):
    named = rule("x", ["=", "container.name", "another"], kinds=(Kind.CONNECT,))
    guard.apply(Plan("p", (named,)), enforce=True)
    guard.guard(container, int(docker_cli("inspect", "-f", "{{.State.Pid}}", NAME)))
    assert not guard.on
    guard.apply(Plan("q", (READS,)), enforce=True)
    settled(guard)
    assert "secret" not in inside("cat /srv/key")[1]
    guard.apply(Plan("r", ()), enforce=True)
    settled(guard)
    assert inside("cat /srv/key") == (0, "secret\n"), "what is no longer forbidden is read"


def test_a_gate_that_stands_still_lets_files_be_opened(guard, container):
    begin(guard, Plan("p", (READS,)), container)
    os.kill(guard.pid, signal.SIGSTOP)
    waiting = subprocess.Popen(["docker", "exec", NAME, "/bin/cat", "/srv/key"], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while waiting.poll() is None and time.monotonic() < deadline:
        guard.work()
        time.sleep(0.02)
    assert waiting.communicate(timeout=5)[0] == b"secret\n"
    assert "did not answer" in guard.reason
