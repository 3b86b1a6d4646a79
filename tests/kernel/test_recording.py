"""What the sensor saw is recorded, and rules that were written later find it there."""

import os
import subprocess
import time

import pytest

from conftest import docker_cli
from seawall.agent import replay
from seawall.core.errors import Hostile
from seawall.runtime import load
from seawall.runtime.collect import recorder
from seawall.runtime.collect.recorder import Recorder
from seawall.runtime.collect.sensor import Sensor
from seawall.runtime.model import Container, Kind

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root"),
]
NAME = "sw-recording"
RULES = """
- rule: later_rule
  title: Later
  category: abnormal_process
  severity: high
  kinds: [exec]
  condition: container.image.repository = recorded and proc.args contains seawall-recorded and proc.pname = bash
- rule: other_rule
  title: Other
  category: abnormal_process
  severity: high
  kinds: [exec]
  condition: container.image.repository = another and proc.args contains seawall-recorded
- rule: unseen_rule
  title: Unseen
  category: file_tampering
  severity: high
  kinds: [open]
  condition: fd.name = /opt/nobody/asked
"""


@pytest.fixture(scope="module")
def folder(bash_image, tmp_path_factory):
    """A recording of a container that was there before, and of what it did then."""
    place = tmp_path_factory.mktemp("recording")
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, bash_image, "sleep", "600")
    identity = docker_cli("inspect", "-f", "{{.Id}}", NAME)
    kept = Recorder(place)
    sensor = Sensor(load.system_plan(), False, kept)
    sensor.start()
    try:
        sensor.know(Container(identity, name=NAME, image="recorded:1", complete=True))
        kept.due(time.time(), finish=True)
        docker_cli("exec", NAME, "bash", "-c", "/bin/bash --version seawall-recorded >/dev/null; true")
        end = time.monotonic() + 30
        found = False
        while not found:
            assert time.monotonic() < end, "the program was not seen"
            for event in sensor.read():
                found |= event.kind is Kind.EXEC and "seawall-recorded" in event.process.args
            kept.due(time.time())
            time.sleep(0.05)
    finally:
        sensor.stop()
        kept.due(time.time(), finish=True)
        kept.close()
        docker_cli("rm", "-f", NAME)
    return place


@pytest.fixture(scope="module")
def result(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(RULES)
    compiled = load.compile_paths([path])
    assert not compiled.errors, compiled.errors
    *_, (share, found) = replay.replay(folder, compiled.plan, 0.0)
    assert share == 1.0
    return found


def test_a_rule_that_was_written_later_finds_what_happened(result):
    rules = [alert["rule"] for alert in result.alerts]
    assert rules == ["later_rule"]
    assert result.hits == 1
    assert result.alerts[0]["container"]["name"] == NAME


def test_how_much_was_looked_at_is_told(result):
    assert result.events > 2
    assert 0 < result.begin <= result.end <= time.time()


def test_what_was_not_recorded_is_told(result):
    assert any("/opt/nobody/asked" in note for note in result.notes)


def test_a_recording_of_another_version_is_told_and_not_guessed_at(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "FORM", recorder.FORM + 1)
    *_, (_, found) = replay.replay(folder, load.system_plan(), 0.0)
    assert found.events == 0
    assert any("version" in note for note in found.notes)


def test_the_child_itself_answers_with_an_item(folder, tmp_path):
    import json
    import shutil
    import sys

    from seawall.runtime import plan

    shutil.copytree(folder, tmp_path / recorder.FOLDER)
    asked = json.dumps({"plan": plan.encode(load.system_plan()), "hours": 24, "test": "t1"})
    command = [sys.executable, "-m", "seawall.agent.replay", str(tmp_path)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120, check=True)
    *progress, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(0 <= line["progress"] <= 1 for line in progress)
    assert last["item"]["test"] == "t1"
    assert last["item"]["events"] > 0


def test_a_torn_segment_costs_its_rest_only(folder, tmp_path):
    (whole,) = folder.glob("*.rec")
    (tmp_path / whole.name).write_bytes(whole.read_bytes()[:-40])
    (tmp_path / "000000000000009.rec").write_bytes(b"rubbish")
    *_, (_, found) = replay.replay(tmp_path, load.system_plan(), 0.0)
    assert found.events > 0
    assert any("no recording" in note for note in found.notes)
    with pytest.raises(Hostile):
        list(recorder.read(tmp_path / "000000000000009.rec"))
