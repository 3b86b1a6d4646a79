"""The guard of executions on real containers: what it refuses has never run, what it allows has, and a gate that stalls
or dies holds nobody up."""

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
NAME = "respond-guard"
IMAGE = "respond-guard-image"
PROGRAMS = frozenset(f"{way}/{name}" for way in ("/bin", "/usr/bin") for name in ("bash", "cp", "mkdir", "id", "chmod"))
PROTECT = Plan("p", (), profiles={"img": Profile("protect", PROGRAMS | {"/tmp/id", "/data/id"})})


UNCONFINED = ["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"]
MORE = frozenset(
    f"{way}/{name}" for way in ("/bin", "/usr/bin") for name in ("ln", "mv", "rm", "unshare", "mount", "true")
)


@pytest.fixture(scope="module")
def image(dockerd):
    """With programs that move files about."""
    dockerd.import_image(IMAGE, rootfs.build((*rootfs.PROGRAMS, "ln", "mv", "unshare", "mount")))
    yield IMAGE
    docker_cli("rmi", IMAGE)


@pytest.fixture
def container(image):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, "-v", "/data", image, "sleep", "600")
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
    """The gate has carried out what it was told."""
    guard.counts = {}
    guard.ask_counts()
    deadline = time.monotonic() + 20
    while not guard.counts:
        assert guard.work() == []
        assert time.monotonic() < deadline, guard.reason
        time.sleep(0.02)


def inside(script, *options):
    """The script's exit code and output; bash itself is one of the image's programs."""
    command = ["docker", "exec", *options, NAME, "/bin/bash", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def refused(guard, seconds=10):
    deadline = time.monotonic() + seconds
    found = guard.work()
    while not found and time.monotonic() < deadline:
        time.sleep(0.02)
        found = guard.work()
    return found


@pytest.mark.parametrize(
    "attack",
    [
        "cp /bin/id /tmp/id; /tmp/id > /tmp/ran",
        "ln /bin/id /tmp/id; /tmp/id > /tmp/ran",
        "ln -s /tmp/other /tmp/id; cp /bin/id /tmp/other; /tmp/id > /tmp/ran",
        "cp /bin/id /tmp/x; mv /tmp/x /tmp/id; cd /tmp; ./id > /tmp/ran",
        "cp /bin/id /tmp/x; cp --remove-destination /tmp/x /bin/id; printf x >> /bin/id; /bin/id > /tmp/ran",
        "printf '#!/bin/bash\\nid\\n' > /tmp/s; chmod 755 /tmp/s; /tmp/s > /tmp/ran",
        "cp /bin/id /tmp/id; exec 5< /tmp/id; rm /tmp/id; /proc/self/fd/5 > /tmp/ran",
        "cp /bin/id /tmp/id; /proc/self/root/tmp/id > /tmp/ran",
        "cp /bin/id /dev/shm/id; /dev/shm/id > /tmp/ran",
    ],
    ids=["dropped", "hard-link", "symlink", "renamed", "changed", "script", "deleted", "proc-root", "shm"],
)
def test_a_file_that_is_not_the_images_never_runs(guard, image, attack):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, "--tmpfs", "/dev/shm:exec", image, "sleep", "600")
    try:
        container = Container(docker_cli("inspect", "-f", "{{.Id}}", NAME), NAME, "img", "img", complete=True)
        plan = Plan("p", (), profiles={"img": Profile("protect", PROTECT.profiles["img"].programs | MORE)})
        begin(guard, plan, container)
        code, said = inside(f"{{ {attack}; }} 2>&1; code=$?; echo ran=$(< /tmp/ran); exit $code")
        found = refused(guard)
        assert code == 126, said
        assert "uid=" not in said
        assert [denied["container"] for denied in found] == [container.id]
        assert found[0]["why"] in ("drift", "profile")
        assert found[0]["asker"]["comm"] == "bash"
    finally:
        docker_cli("rm", "-f", NAME)


def test_who_changes_the_file_between_question_and_start_gains_nothing(guard, container):
    """A name that points to the image's program and to a dropped one in turns, started all the while."""
    begin(
        guard, Plan("p", (), profiles={"img": Profile("protect", PROTECT.profiles["img"].programs | MORE)}), container
    )
    script = """
        cp /bin/id /tmp/bad
        (while [ ! -e /tmp/end ]; do ln -sfn /bin/true /tmp/p; ln -sfn /tmp/bad /tmp/p; done) &
        (while [ ! -e /tmp/end ]; do cp /bin/true /tmp/q; mv /tmp/q /tmp/r; cp /bin/id /tmp/q; mv /tmp/q /tmp/r; done) &
        for ((i = 0; i < 150; i++)); do /tmp/p >> /tmp/ran; /tmp/r >> /tmp/ran; done 2> /dev/null
        : > /tmp/end; wait
        [ -s /tmp/ran ] && echo "it ran: $(< /tmp/ran)"; echo over
    """
    code, said = inside(script)
    assert (code, said.strip()) == (0, "over")
    assert refused(guard)


def test_another_mount_namespace_is_no_way_out(guard, image):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", *UNCONFINED, "--name", NAME, image, "sleep", "600")
    try:
        container = Container(docker_cli("inspect", "-f", "{{.Id}}", NAME), NAME, "img", "img", complete=True)
        programs = PROTECT.profiles["img"].programs | MORE
        begin(guard, Plan("p", (), profiles={"img": Profile("protect", programs | {"/opt/id"})}), container)
        code, said = inside("cp /bin/id /tmp/id; unshare -m /bin/bash -c '/tmp/id'")
        assert (code, "uid=" in said) == (126, False), said
        code, said = inside("mkdir /opt; unshare -m /bin/bash -c 'mount --bind /tmp /opt && /opt/id'")
        assert (code, "uid=" in said) == (126, False), said
        assert {denied["why"] for denied in refused(guard)} <= {"profile", "drift"}
    finally:
        docker_cli("rm", "-f", NAME)


def test_the_images_own_programs_run_and_what_its_profile_lacks_does_not(guard, container):
    begin(guard, PROTECT, container)
    assert inside("/bin/id")[0] == 0
    code, said = inside("/bin/touch /tmp/made")
    [found] = refused(guard)
    assert (code, found["why"], found["path"].rpartition("/")[2]) == (126, "profile", "touch"), said
    assert inside("[ -e /tmp/made ]")[0] == 1


def test_a_program_whose_mode_was_changed_is_still_the_images(guard, container):
    begin(guard, PROTECT, container)
    assert inside("chmod 700 /bin/id && /bin/id")[0] == 0


def test_a_volume_is_guarded_too(guard, container):
    begin(guard, PROTECT, container)
    assert inside("cp /bin/id /data/id && /data/id")[0] == 0, (
        "the profile names it, and it is not of the image's layers"
    )
    code, said = inside("cp /bin/id /data/other; /data/other")
    assert code == 126, said
    assert [denied["path"] for denied in refused(guard)] == ["/data/other"]


def test_rules_that_block_are_carried_out_by_name_path_and_layer(guard, container):
    def rule(name, *when):
        whole = ["and", ["!=", "container.id", "host"], *when]
        return Rule(name, name, Category.ABNORMAL_PROCESS, Severity.HIGH, (Kind.EXEC,), whole, action="block")

    rules = (
        rule("no-id", ["in", "proc.name", "forbidden"]),
        rule("written", ["=", "proc.is_exe_upper_layer", True], ["startswith", "proc.exepath", "/tmp/"]),
        rule("not-ours", ["=", "proc.pname", "bash"]),
        rule("elsewhere", ["=", "container.name", "another"]),
    )
    waiver = Waiver("w", ("written",), ["=", "proc.exepath", "/tmp/waived"])
    begin(guard, Plan("p", rules, lists={"forbidden": ("id", "nc")}, waivers=(waiver,)), container)
    assert inside("/bin/id")[0] == 126
    assert refused(guard)[0]["why"] == "rule:no-id"
    assert inside("cp /bin/touch /tmp/x; /tmp/x /tmp/ran")[0] == 126
    assert refused(guard)[0]["why"] == "rule:written"
    assert inside("cp /bin/touch /tmp/waived; /tmp/waived /tmp/ran && [ -e /tmp/ran ]")[0] == 0
    guard.apply(Plan("q", ()), enforce=True)
    settled(guard)
    assert inside("/bin/id")[0] == 0, "what is no longer forbidden runs"


def test_what_is_in_quarantine_does_not_come_back(guard, container):
    code, said = inside("cp /bin/id /tmp/bad; printf x >> /tmp/bad")
    assert code == 0, said
    import hashlib

    pid = docker_cli("inspect", "-f", "{{.State.Pid}}", NAME)
    with open(f"/proc/{pid}/root/tmp/bad", "rb") as file:
        content = file.read()
    guard.quarantined([(len(content), hashlib.sha256(content).hexdigest())])
    begin(guard, Plan("p", ()), container)
    assert inside("/tmp/bad > /tmp/ran; code=$?; [ -s /tmp/ran ] && exit 0; exit $code")[0] == 126
    assert refused(guard)[0]["why"] == "quarantined"


def allowed_while_watched(guard):
    """A program that would be refused runs, though nobody answers: the guard's own loop sees to it."""
    waiting = subprocess.Popen(["docker", "exec", NAME, "/bin/touch", "/tmp/made"])
    deadline = time.monotonic() + 30
    while waiting.poll() is None and time.monotonic() < deadline:
        guard.work()
        time.sleep(0.02)
    assert waiting.wait(1) == 0, "the kernel allowed it"


def test_a_gate_that_stands_still_holds_nobody_up(guard, container):
    begin(guard, PROTECT, container)
    os.kill(guard.pid, signal.SIGSTOP)
    stopped = guard.pid
    allowed_while_watched(guard)
    assert not guard.on
    assert "did not answer" in guard.reason
    assert not os.path.exists(f"/proc/{stopped}")
    deadline = time.monotonic() + 30
    while not guard.on and time.monotonic() < deadline:
        guard.work()
        time.sleep(0.05)
    settled(guard)
    assert inside("/bin/touch /tmp/again")[0] == 126, "and guards again"


def test_a_gate_that_dies_lets_everything_run(guard, container):
    begin(guard, PROTECT, container)
    os.kill(guard.pid, signal.SIGKILL)
    allowed_while_watched(guard)
    assert "ended" in guard.reason


def test_nothing_stays_when_it_ends(guard, container):
    begin(guard, PROTECT, container)
    assert inside("/bin/touch /tmp/made")[0] == 126
    guard.stop()
    assert inside("/bin/touch /tmp/made")[0] == 0


def test_the_hosts_own_files_are_never_asked_about(guard, container):
    shared = Container("f" * 64, "host", "img", "img", complete=True)
    guard.apply(PROTECT, enforce=True)
    guard.guard(shared, os.getpid())
    settled(guard)
    asked = guard.counts["asked"]
    subprocess.run(["/bin/true"], check=True)
    settled(guard)
    assert guard.counts == {"asked": asked, "late": 0, "failed": 0, "opens": 0, "containers": 0}
    assert "shares the host's mounts" in guard.reason


def test_only_an_enforcing_plan_guards(guard, container):
    guard.apply(PROTECT, enforce=False)
    guard.guard(container, 1)
    assert not guard.on
    monitor = Plan("m", (), profiles={"img": Profile("monitor", frozenset())})
    guard.apply(monitor, enforce=True)
    assert not guard.on
    assert guard.reason == ""
