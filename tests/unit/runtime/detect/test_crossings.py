"""Reaching into processes of others: by pid, by descriptor, by /proc; only where pids are the host's own."""

import pytest

from seawall.runtime.detect.crossings import Crossings
from seawall.runtime.detect.examples import build
from seawall.runtime.model import Container, Process

HOST, OWN = {"mnt": 1, "pid": 2, "net": 3, "user": 4}, {"mnt": 10, "pid": 20, "net": 30, "user": 4}
PROCESSES = {
    1: Process(1, 1, exe="/sbin/init", namespaces=HOST),
    50: Process(50, 1, exe="/usr/bin/dockerd", namespaces=HOST),
    60: Process(60, 1, exe="/db", namespaces={**OWN, "pid": 21}, container=Container("d" * 64)),
}


def facts(value, namespaces=HOST):
    process = {"exe": "/tmp/x", "namespaces": namespaces, "pid": 77}
    detector = Crossings(PROCESSES.get)
    found = {}
    events = value if isinstance(value, list) else [value]
    for event in build({"events": [{"container": True, "process": process, **one} for one in events]}):
        found = detector.observe(event)
    return found


def call(name, *args):
    return {"kind": "call", "syscall": name, "args": list(args)}


@pytest.mark.parametrize(
    ("event", "crosses"),
    [
        ({"kind": "ptrace", "request": "PTRACE_ATTACH", "target": 50}, "host"),
        ({"kind": "ptrace", "request": "PTRACE_ATTACH", "target": 60}, "container"),
        (call("process_vm_writev", 60), "container"),
        ([call("pidfd_open", 50), call("pidfd_getfd", 3, 1)], "host"),
        ({"kind": "open", "file": {"path": "/proc/50/mem", "inner_path": "/50/mem", "fs": "proc"}}, "host"),
        ({"kind": "read", "file": {"path": "/x/60/environ", "inner_path": "/60/environ", "fs": "proc"}}, "container"),
    ],
)
def test_whose_process_it_is_is_told(event, crosses):
    assert facts(event)["crosses"] == crosses
    assert facts(event, OWN) == {}, "in a pid namespace of its own it cannot name others"


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "ptrace", "request": "PTRACE_ATTACH", "target": 9999},
        call("pidfd_getfd", 3, 1),
        call("getpid"),
        {"kind": "open", "file": {"path": "/data/50/mem", "inner_path": "", "fs": "overlay"}},
    ],
)
def test_what_is_not_known_is_not_guessed(event):
    assert facts(event) == {}
