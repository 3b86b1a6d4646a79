"""The scanner's child as the agent keeps it: started when needed, asked again when it dies, put down when told."""

import os
import time

import pytest

from seawall.agent import scanning
from seawall.agent.problems import Problems
from seawall.agent.scanning import Scanning
from seawall.node import procfs
from seawall.runtime import load
from seawall.runtime.detect.examples import build

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture
def desk(tmp_path):
    made = Scanning(Problems(), tmp_path / "rules")
    made.begin(load.system_plan(), 0)
    yield made
    made.stop()


def written(path):
    me = os.getpid()
    process = {"pid": me, "start": procfs.start_ticks(me) * 10_000_000}
    event = build({"event": {"kind": "open", "container": True, "process": process, "file": str(path)}})[0]
    event.time = time.time() - 2
    return event


def until(desk, met, seconds=30):
    end, events = time.monotonic() + seconds, []
    while not met(events):
        assert time.monotonic() < end, desk.status()
        events += desk.turn(time.time())
        time.sleep(0.02)
    return events


def test_a_file_becomes_a_verdict(desk, tmp_path):
    (tmp_path / "e").write_bytes(EICAR)
    time.sleep(0.6)
    desk.observe(written(tmp_path / "e"))
    event = until(desk, lambda events: events)[0]
    assert event.raw["sample"]["rule"] == "eicar_test_file"
    assert event.file.path == str(tmp_path / "e")
    status = desk.status()
    assert (status["scanned"], status["found"], status["scanner"]["version"] != "") == (1, 1, True)


def test_a_scanner_that_dies_is_started_again_and_asked_again(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(scanning, "PAUSE_AFTER_DEATH", 0.1)
    (tmp_path / "e").write_bytes(EICAR)
    time.sleep(0.6)
    desk.observe(written(tmp_path / "e"))
    desk.turn(time.time())
    until(desk, lambda _: desk._child > 0)
    desk._kill()
    events = until(desk, lambda events: events)
    assert events[0].raw["sample"]["rule"] == "eicar_test_file"


def test_nothing_is_asked_while_the_agent_saves_the_nodes_resources(desk, tmp_path):
    (tmp_path / "e").write_bytes(EICAR)
    desk.begin(load.system_plan(), scanning.PAUSED)
    desk.observe(written(tmp_path / "e"))
    assert desk.turn(time.time()) == []
    assert (desk.status()["waiting"], desk._thread) == (1, None)
    desk.begin(load.compile_paths([]).plan, 0)
    desk.observe(written(tmp_path / "f"))
    assert desk.status()["waiting"] == 1, "no rule asks for verdicts"
