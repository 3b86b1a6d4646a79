"""System calls, datagrams, io_uring, marks: what real programs in a real container do is what the sensor tells."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import docker_cli
from kernel.acting import NAME, child, container, done, probe, seen, sensor
from seawall.runtime.model import Kind

__all__ = ["container", "sensor"]
pytestmark = [
    pytest.mark.kernel,
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("gcc"), reason="needs root and a C compiler"),
]


def test_names_of_files_are_made_absolute(sensor):
    events = done(sensor, "files")
    (first,) = events.calls("rename")
    assert first.paths == ("/tmp/d/a", "/tmp/d/b")
    assert (first.result, first.process.exe) == (0, "/bin/probe")
    assert events.calls("renameat2")[0].paths == ("/tmp/d/b", "/tmp/d/c")
    assert events.calls("symlink")[0].paths == ("/etc/shadow", "/tmp/d/s")
    assert events.calls("linkat")[0].paths == ("/tmp/d/c", "/tmp/d/l")
    assert events.calls("mkdirat")[0].paths == ("/tmp/d/m",)
    assert [(e.paths, e.args[2]) for e in events.calls("unlinkat")] == [(("/tmp/d/m",), 0x200)]
    assert events.calls("setxattr")[0].paths == ("/tmp/d/c", "security.capability")
    assert [(e.paths, e.args[1]) for e in events.calls("chmod")] == [(("/tmp/d/c",), 0o4755)]
    (made,) = events.calls("mknodat")
    assert (made.paths, made.args[2:4]) == (("/tmp/d/n",), (0o20600, 0x103))
    assert [e.paths for e in events.calls("truncate")] == [("/tmp/d/c",)]


def test_links_on_the_way_are_followed(sensor):
    events = done(sensor, "linked")
    (renamed,) = events.calls("rename")
    assert renamed.paths == ("/tmp/new", "/etc/new-name")
    assert renamed.raw["named"] == ("/tmp/new", "/tmp/way/new-name")
    assert [e.paths for e in events.calls("unlink")] == [("/etc/new-name",)]
    (mounted,) = [e for e in events.of(Kind.MOUNT) if e.text == "ext4"]
    assert mounted.source is not None
    assert (mounted.source.mode & 0o170000, mounted.source.rdev) == (0o20000, 0x103)


def test_a_descriptor_is_told_by_its_file(sensor):
    events = done(sensor, "files")
    for name in ("fchmod", "fchown"):
        (event,) = events.calls(name)
        assert event.file is not None
        assert (event.file.path, event.file.upper) == ("/tmp/d/c", True)


def test_threads_and_executions_that_fail(sensor):
    assert done(sensor, "thread").calls("unlink")[0].paths == ("/tmp/by-thread",)
    (failed,) = done(sensor, "exec-fails").calls("execve")
    assert (failed.paths, failed.result) == (("/nowhere",), -2)
    replaced = [e for e in done(sensor, "thread-exec", "/bin/true").of(Kind.EXEC) if e.process.exe == "/bin/true"]
    assert replaced[0].process.args == ("/bin/true", "seawall-thread-exec")


def test_a_program_from_memory(sensor):
    events = done(sensor, "memory", "/bin/true")
    (event,) = [e for e in events.of(Kind.EXEC) if e.process.args[:1] == ("seawall-memfd",)]
    assert event.file is not None
    assert event.file.memfd
    assert event.file.deleted
    assert event.process.args == ("seawall-memfd", "", "\x01\udcff odd")
    assert events.calls("memfd_create")[0].paths == ("hidden",)


def test_questions_to_name_servers(sensor):
    events = done(sensor, "datagrams").of(Kind.SEND)
    assert [event.syscall for event in events] == ["sendto", "write", "sendmmsg", "sendmmsg"]
    for event in events:
        assert event.peer is not None
        assert (event.peer.host, event.peer.port) == ("127.0.0.1", 53)
        assert event.protocol == "udp"
        assert b"\x07seawall\x04test" in event.data


def test_servers_and_repeated_connections(sensor):
    events = done(sensor, "server")
    (listening,) = events.calls("listen")
    assert listening.local is not None
    assert (listening.local.host, listening.local.port, listening.protocol) == ("127.0.0.1", 7878, "tcp")
    assert len(events.calls("accept")) == 3
    taken = events.calls("accept")[0]
    assert taken.peer is not None
    assert taken.peer.host == "127.0.0.1"
    assert taken.descriptor == taken.result
    (connected,) = events.of(Kind.CONNECT)
    assert connected.local is not None
    assert (connected.local.host, connected.local.port) == ("127.0.0.1", taken.peer.port)
    assert [(e.args[0], e.args[1]) for e in events.calls("socket")] == [(2, 1), (17, 3)]


def test_what_goes_through_a_ring(sensor):
    events = done(sensor, "ring").of(Kind.URING)
    assert [(e.syscall, e.paths) for e in events[:3]] == [
        ("openat", ("/tmp/ringed",)),
        ("renameat", ("/tmp/ringed", "/tmp/ringed2")),
        ("unlinkat", ("/tmp/ringed2",)),
    ]
    assert events[0].args[2] & os.O_CREAT
    assert events[3].peer is not None
    assert (events[3].peer.host, events[3].peer.port) == ("127.0.0.1", 9)


def test_calls_of_32_bits_are_no_way_around(sensor):
    events = done(sensor, "old")
    assert [e.file.path for e in events.of(Kind.OPEN) if e.file and not e.sample] == ["/etc/old-call"]
    assert events.calls("unlink")[0].paths == ("/etc/old-call",)


def test_reads_are_told_only_of_what_is_asked_for(sensor):
    probe("read", "/etc/group")
    probe("read", "/proc/self/root/etc/shadow")
    events = done(sensor, "read", "/etc/passwd")
    assert [e.file.path for e in events.of(Kind.READ) if e.file] == ["/etc/shadow", "/root/.ssh/id"]


def test_procfs_is_known_wherever_it_is_mounted(sensor):
    docker_cli("exec", NAME, "/bin/bash", "-c", "mkdir -p /mnt/p; mount -t proc proc /mnt/p || exit 7")
    try:
        events = done(sensor, "write", "/mnt/p/sys/kernel/core_pattern")
    finally:
        docker_cli("exec", NAME, "umount", "/mnt/p")
    (file,) = [e.file for e in events.of(Kind.OPEN) if e.file and not e.sample]
    assert (file.path, file.inner_path) == ("/mnt/p/sys/kernel/core_pattern", "/sys/kernel/core_pattern")
    assert file.fs_magic == 0x9FA0
    (mounted, *_) = events.of(Kind.MOUNT)
    assert (mounted.text, mounted.paths) == ("proc", ("proc", "/mnt/p"))


def test_who_writes_a_running_program(sensor):
    (event,) = [e for e in done(sensor, "busy-text").of(Kind.OPEN) if e.result < 0]
    assert event.result == -26
    assert event.file is not None
    assert event.file.path == "/proc/self/exe"


def test_new_namespaces_and_mounts_by_relative_names(sensor):
    assert done(sensor, "namespace").calls("clone")[0].args[0] & 0x10000000
    (event,) = [e for e in done(sensor, "mount").of(Kind.MOUNT) if e.text == "ext4"]
    assert event.paths == ("/dev/mapped", "/box")
    assert event.result < 0


def test_a_working_directory_that_leads_out(sensor, container):
    """A descriptor of the host's, kept across the entry into the container, as CVE-2024-21626 leaves one."""
    pid = int(docker_cli("inspect", "-f", "{{.State.Pid}}", NAME))
    groups = [line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    child = os.fork()
    if child == 0:
        try:
            outside = os.open("/usr", os.O_DIRECTORY)
            for _, controllers, path in groups:
                folder = Path("/sys/fs/cgroup") / controllers.removeprefix("name=") / path.lstrip("/")
                if (folder / "cgroup.procs").exists():
                    (folder / "cgroup.procs").write_text("0")
            space = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
            ctypes.CDLL(None).setns(space, 0x00020000)
            os.fchdir(outside)
            os.execv("/bin/true", ["/bin/true", "seawall-outside"])
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    events = seen(sensor, lambda events: any("seawall-outside" in e.process.args for e in events))
    (event,) = [e for e in events.of(Kind.EXEC) if "seawall-outside" in e.process.args]
    assert event.process.foreign_cwd
    assert not [e for e in done(sensor, "read", "/root/.ssh/id") if e.process.foreign_cwd]


def test_who_leaves_its_cgroup_stays_who_it_was(sensor, container):
    pid = int(docker_cli("inspect", "-f", "{{.State.Pid}}", NAME))
    script = "exec 3</dev/null; read line; /bin/true seawall-left; exit 0"
    with subprocess.Popen(["docker", "exec", "-i", NAME, "bash", "-c", script], stdin=subprocess.PIPE) as shell:
        inside = child(pid, "bash")
        for folder in Path("/sys/fs/cgroup").iterdir():
            if (folder / "cgroup.procs").exists():
                (folder / "cgroup.procs").write_text(str(inside))
        assert container not in Path(f"/proc/{inside}/cgroup").read_text()
        list(sensor.read(100_000))
        shell.communicate(b"go\n", timeout=20)
    assert seen(sensor, lambda events: any("seawall-left" in e.process.args for e in events)), sensor.counters()
