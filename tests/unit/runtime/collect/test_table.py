"""Who is in a container already, and who still sets it up."""

import ipaddress
import os
import subprocess
import time
from typing import Any

import pytest

from seawall.node import procfs
from seawall.runtime import normalise
from seawall.runtime.collect import table
from seawall.runtime.collect.table import Table
from seawall.runtime.model import File
from seawall.runtime.normalise import IN_CONTAINER, Exec, Head

HOST, OWN = {"mnt": 10, "pid": 11, "net": 12, "user": 13}, {"mnt": 20, "pid": 21, "net": 22, "user": 13}
BOX = "c" * 64


def head(pid: int, ppid: int, *, inside: bool = False, vpid: int = 0) -> Head:
    return Head(1, IN_CONTAINER if inside else 0, 0, pid, ppid, vpid or pid, 0, 0, pid, 7 if inside else 1)


def program(path: str, namespaces: dict[str, int], container: str = "") -> Exec:
    nothing = dict.fromkeys(Exec._fields, 0) | dict.fromkeys(("comm", "tty", "cwd"), "") | {"stdio": (), "args": ()}
    known: dict[str, Any] = {"namespaces": namespaces, "file": File(path), "container": container, "before": None}
    return Exec(**(nothing | known))


@pytest.mark.parametrize("known", [10, None])
def test_the_runtimes_last_step_is_not_the_containers_first(monkeypatch: pytest.MonkeyPatch, known: int | None) -> None:
    """Whether or not this host tells the namespaces of its process 1."""
    monkeypatch.setattr(procfs, "namespace", lambda _pid, _kind: known)
    table = Table()
    table.exec(head(900000001, 0), program("/usr/sbin/runc", HOST))
    table.fork(head(900000002, 900000001, inside=False))
    still = table.exec(head(900000002, 900000001, inside=True, vpid=1), program("/runc", HOST, BOX))
    assert not still.started
    first = table.exec(head(900000002, 900000001, inside=True, vpid=1), program("/bin/sh", OWN, BOX))
    assert first.started
    assert not first.by_exec


@pytest.mark.parametrize(
    ("exe", "args", "age", "sets_up"),
    [
        ("/", ("runc", "init"), 1, True),
        ("/usr/sbin/runc", ("runc", "init"), 1, True),
        ("/memfd:runc_cloned:/proc/self/exe", ("runc", "init"), 1, True),
        ("/", ("runc", "init"), 60, False),
        ("/", ("runc", "exec"), 1, False),
        ("/usr/bin/app", ("runc", "init"), 1, False),
    ],
)
def test_who_sets_a_container_up_is_known_by_what_only_the_runtime_is(exe, args, age, sets_up):
    began = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - age * 1_000_000_000
    assert table._sets_up(exe, args, began) is sets_up


def test_who_is_gone_already_is_not_kept():
    """Its end has been told: nobody would ever take it out again."""
    known = Table()
    late = known.of(head(900000003, 900000004, inside=True))
    assert late.pid == 900000003
    assert 900000003 not in known.processes
    child = subprocess.Popen(["true"], stdout=subprocess.DEVNULL)
    while (procfs.stat(child.pid) or ("", ["Z"]))[1][0] != "Z":
        time.sleep(0.01)
    assert known._learn(child.pid) is None
    child.wait()
    assert known._learn(os.getpid()) is not None


@pytest.mark.parametrize(
    "form", ["::", "::1", "fe80::1", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8", "1:0:3:4:5:6:7:8", "1::"]
)
def test_addresses_are_written_as_everybody_writes_them(form):
    assert normalise._colons(ipaddress.IPv6Address(form).packed) == form
