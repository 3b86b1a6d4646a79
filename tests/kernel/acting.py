"""A container with a program that does one thing at a time, and the sensor that looks at it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import docker_cli
from seawall.node import rootfs
from seawall.runtime import plan as plans
from seawall.runtime.collect.sensor import Sensor
from seawall.runtime.model import Container, Event, Kind

NAME = IMAGE = "sensor-calls"
END = "/root/.ssh/id"
CALLS = (
    *("rename", "renameat2", "symlink", "linkat", "chmod", "fchmod", "fchown", "mkdirat", "unlink", "unlinkat"),
    *("truncate", "setxattr", "mknodat", "execve", "execveat", "memfd_create", "listen", "accept", "socket"),
    *("clone", "clone3", "umount2"),
)
ALL = {
    "kinds": [kind.value for kind in Kind if kind is not Kind.SCAN],
    "open_paths": ["/etc/passwd", "/proc/sys/kernel/core_pattern"],
    "open_names": ["old-call", "release_agent"],
    "open_prefixes": ["/etc/cron.d/"],
    "read_paths": ["/etc/shadow", "/proc/kcore"],
    "read_prefixes": ["/root/.ssh/"],
    "open_scope": "container",
    "syscalls": CALLS,
}


@pytest.fixture(scope="module")
def container(tmp_path_factory) -> Iterator[str]:
    program = tmp_path_factory.mktemp("probe") / "probe"
    source = Path(__file__).parent / "probe.c"
    subprocess.run(["gcc", "-w", "-O2", "-static", "-pthread", "-o", program, source], check=True, timeout=120)
    files = {
        "/bin/probe": program.read_bytes(),
        "/etc/shadow": b"x\n",
        END: b"x\n",
        "/etc/cron.d/x": b"x\n",
    }
    tar = rootfs.build((*rootfs.PROGRAMS, "mount", "umount"), files)
    docker_cli("import", "-", IMAGE, input=tar)
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli(
        *("run", "-d", "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"),
        *("--name", NAME, IMAGE, "sleep", "900"),
    )
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    docker_cli("rm", "-f", NAME)
    docker_cli("rmi", "-f", IMAGE)


@pytest.fixture
def sensor(container) -> Iterator[Sensor]:
    made = Sensor(plans.seal((), {}, ALL))
    made.start()
    made.know(Container(container, name=NAME, complete=True))
    yield made
    made.stop()


class Seen(list[Event]):
    """Events of our container."""

    def calls(self, name: str) -> list[Event]:
        return [event for event in self if event.kind is Kind.CALL and event.syscall == name]

    def of(self, kind: Kind) -> list[Event]:
        return [event for event in self if event.kind is kind]


def seen(sensor: Sensor, until: Callable[[Seen], object], seconds: float = 20, events: Seen | None = None) -> Seen:
    """What our container did, until that is true."""
    events = Seen() if events is None else events
    end = time.monotonic() + seconds
    while not until(events):
        assert time.monotonic() < end, "\n".join(f"{e.kind} {e.syscall} {e.paths} {e.file}" for e in events[-30:])
        events += mine(sensor)
        time.sleep(0.02)
    return events


def mine(sensor: Sensor) -> list[Event]:
    """Events that wait, of our container."""
    return [e for e in sensor.read() if e.process.container is not None and e.process.container.name == NAME]


def probe(*arguments: str) -> None:
    subprocess.run(["docker", "exec", NAME, "/bin/probe", *arguments], timeout=60, check=False, capture_output=True)


def done(sensor: Sensor, *arguments: str) -> Seen:
    """Everything until that probe has ended: a second one marks the end. Read all the while: rings are short."""
    events = Seen()
    for command in (arguments, ("read", END)):
        with subprocess.Popen(["docker", "exec", NAME, "/bin/probe", *command], stderr=subprocess.PIPE) as running:
            while running.poll() is None:
                events += mine(sensor)
                time.sleep(0.01)
    return seen(sensor, lambda events: any(e.file and e.file.path == END for e in events.of(Kind.READ)), events=events)


def child(first: int, name: str) -> int:
    """The newest process of that name in the pid namespace of `first`."""
    space = os.readlink(f"/proc/{first}/ns/pid")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for entry in sorted((int(one) for one in os.listdir("/proc") if one.isdigit()), reverse=True):
            try:
                named = Path(f"/proc/{entry}/comm").read_text().strip() == name
                if named and os.readlink(f"/proc/{entry}/ns/pid") == space:
                    return entry
            except OSError:
                continue
        time.sleep(0.1)
    raise AssertionError(f"no {name} came")
