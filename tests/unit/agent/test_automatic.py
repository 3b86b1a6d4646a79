"""Malware goes into quarantine by itself only where it is certain, in a container, and still the same file."""

import json
from pathlib import Path

import jsonschema
import pytest

from seawall.agent import automatic, settings
from seawall.core.severity import Severity
from seawall.runtime import plan as plans
from seawall.runtime.detect import alerts
from seawall.runtime.model import Category, Container, Event, File, Kind, Process, Rule

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "schemas" / "alert.json").read_text())
RULE = Rule("malware_executed", "Malware", Category.MALWARE, Severity.CRITICAL, (Kind.SCAN,), ["exists", "fd.name"])


def alert(verdict="malicious", container="c" * 64, rule=RULE):
    process = Process(7, 5, exe="/tmp/x", container=Container(container, complete=True) if container else None)
    sample = {"verdict": verdict, "sha256": "ab" * 32, "rule": "miner", "family": "miner", "class": "elf"}
    event = Event(Kind.SCAN, 1.0, process, file=File("/tmp/x"), raw={"sample": sample})
    return alerts.record(alerts.make(rule, event, 0.0))


def test_what_is_certain_is_moved():
    wanted = {"action": "quarantine", "container": "c" * 64, "path": "/tmp/x", "sha256": "ab" * 32}
    assert automatic.order_for(alert()) == wanted


@pytest.mark.parametrize("other", [{"verdict": "suspicious"}, {"verdict": "clean"}, {"container": ""}])
def test_what_is_not_is_left(other):
    assert automatic.order_for(alert(**other)) is None


@pytest.mark.parametrize("result", ["done", "failed"])
def test_what_came_of_it_is_told(result):
    said = automatic.told(alert(), {"result": result, "reason": "" if result == "done" else "container_gone"})
    jsonschema.validate(said, SCHEMA)
    assert said["rule"] == ("malware_quarantined" if result == "done" else "malware_not_quarantined")
    assert said["evidence"]["quarantine"]["result"] == result
    assert said["id"] != alert()["id"]


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        (None, False),
        ({}, False),
        ({"auto": {"quarantine_malware": True}}, True),
        ({"auto": {"quarantine_malware": 1}}, False),
    ],
)
def test_it_is_off_unless_the_server_says_so(responses, expected):
    value = {"version": "v", "plan": plans.encode(plans.seal((), {}, {})), "intervals": {}, "responses": responses}
    assert settings.decode(value).quarantine_malware is expected
