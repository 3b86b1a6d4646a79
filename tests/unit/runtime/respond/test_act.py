"""Response: real processes, honest words, and never the wrong process."""

import os
import subprocess

import pytest

from seawall.node import procfs
from seawall.runtime import load
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.respond.act import TICK, act

SOCKETS = ["inet 203.0.113.7:4444 out", "inet 203.0.113.7:4444 out", "null"]


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait(5)


def fired(pid, start, **more):
    described = {
        "kind": "exec",
        "container": True,
        "process": {"exe": "/bin/sh", "pid": pid, "start": start, "stdio": SOCKETS},
    }
    (event,) = build({"event": described | more})
    (alert,) = Engine(load.system_plan()).judge(event)
    return alert, event


def test_a_block_kills_the_process_that_was_meant(sleeper):
    alert, event = fired(sleeper.pid, procfs.start_ticks(sleeper.pid) * TICK)
    assert act(alert, event, True).result == "killed_after_effect"
    assert sleeper.wait(5) == -9


def test_without_enforcing_nothing_is_done(sleeper):
    alert, event = fired(sleeper.pid, procfs.start_ticks(sleeper.pid) * TICK)
    assert act(alert, event, False).result == "none"
    assert sleeper.poll() is None


def test_a_process_that_got_the_number_later_is_spared(sleeper):
    alert, event = fired(sleeper.pid, (procfs.start_ticks(sleeper.pid) - 500) * TICK)
    done = act(alert, event, True)
    assert (done.result, done.evidence["reason"]) == ("failed", "the process had already ended")
    assert sleeper.poll() is None


def test_one_that_is_gone_cannot_be_killed(sleeper):
    start = procfs.start_ticks(sleeper.pid) * TICK
    sleeper.kill()
    sleeper.wait(5)
    alert, event = fired(sleeper.pid, start)
    assert act(alert, event, True).result == "failed"


@pytest.mark.parametrize("pid", [0, 1, os.getpid()])
def test_some_are_never_killed(pid):
    alert, event = fired(pid, 10**9)
    assert act(alert, event, True).result == "failed"


def test_what_the_kernel_side_has_done_is_told_as_it_is(sleeper):
    alert, event = fired(sleeper.pid, 1, blocked=True)
    assert act(alert, event, True).result == "blocked"
    assert act(alert, event, False).result == "blocked", "also when enforcing has just been switched off"
