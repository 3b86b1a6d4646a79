"""Credentials that nothing explains are told; what people do every day explains itself.

No kernel is broken into here: what the sensor remembers of a task is changed instead, so that the task is suddenly
more than it was. To the sensor that is the same thing.
"""

import ctypes
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from conftest import docker_cli
from kernel.acting import NAME, child, container, done, probe, seen, sensor
from seawall.runtime.collect import libbpf
from seawall.runtime.collect.sensor import Sensor
from seawall.runtime.model import Kind

__all__ = ["container", "sensor"]
pytestmark = [
    pytest.mark.kernel,
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("gcc"), reason="needs root and a C compiler"),
]
STATE = struct.Struct("<4IQII3Q")
"""struct task_state of bpf/maps.h."""


def remember(sensor: Sensor, pid: int, uid: int) -> None:
    """Let the sensor believe that a task had this user and no capability."""
    assert sensor._loaded is not None
    space = Path(f"/proc/{pid}/ns/user").stat().st_ino
    state = STATE.pack(uid, uid, uid, space, 0, uid, 1, 0, 0, 0)
    key = ctypes.c_int(os.pidfd_open(pid))
    lib = libbpf.library()
    assert lib.bpf_map_update_elem(sensor._loaded.maps["tasks"], ctypes.byref(key), state, ctypes.c_uint64(0)) == 0
    os.close(key.value)


@pytest.mark.parametrize(
    ("command", "name", "where"),
    [
        (("/bin/probe", "wait"), "probe", "umount2"),
        (("/bin/bash", "-c", "read line; exec /bin/true"), "bash", "exec"),
        (("/bin/bash", "-c", "read line; /bin/true; exit 0"), "bash", "fork"),
    ],
)
def test_who_became_root_by_nothing_is_told(sensor, command, name, where):
    first = int(docker_cli("inspect", "-f", "{{.State.Pid}}", NAME))
    with subprocess.Popen(["docker", "exec", "-i", NAME, *command], stdin=subprocess.PIPE) as shell:
        remember(sensor, child(first, name), 1000)
        shell.communicate(b"go\n", timeout=20)
    (event,) = seen(sensor, lambda events: events.of(Kind.CRED)).of(Kind.CRED)
    assert event.syscall == where
    assert event.before is not None
    assert (event.before.uid, event.before.caps) == (1000, 0)
    assert event.process.uid == 0
    assert event.process.caps != 0


def test_what_explains_itself_is_not_told(sensor):
    docker_cli("exec", NAME, "bash", "-c", "cp /bin/probe /bin/suid; chmod 4755 /bin/suid; cp /bin/probe /bin/capable")
    probe("setcap", "/bin/capable")
    probe("become", "/bin/suid", "guarded")
    probe("become", "/bin/capable", "guarded")
    probe("become", "/bin/suid", "become", "/bin/true")
    probe("userns")
    probe("namespace")
    subprocess.run(["docker", "exec", "-u", "1000", NAME, "/bin/suid", "guarded"], check=True, timeout=30)
    subprocess.run(["docker", "exec", "-u", "1000", NAME, "/bin/capable", "guarded"], check=True, timeout=30)
    subprocess.run(
        ["docker", "run", "--rm", "-u", "1000", "sensor-calls", "/bin/probe", "done"], timeout=60, check=True
    )
    events = done(sensor, "userns")
    assert not events.of(Kind.CRED), [(e.syscall, e.before, e.process.exe) for e in events.of(Kind.CRED)]
    ran = {event.process.exe: event for event in reversed(events.of(Kind.EXEC))}
    assert ran["/bin/suid"].before is not None
    assert (ran["/bin/suid"].before.euid, ran["/bin/suid"].process.euid) == (1000, 0)
    assert ran["/bin/capable"].before is not None
    assert ran["/bin/capable"].before.caps == 0
    assert ran["/bin/capable"].process.caps != 0
