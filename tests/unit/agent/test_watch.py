"""The sensor's side with the real engine and the real answer: what is judged is told, what is lost is an alert, and a
sensor that cannot be is a reason and no crash."""

import json
import sys
import types
from pathlib import Path
from typing import ClassVar

import jsonschema
import pytest

from seawall.agent.problems import Problems
from seawall.agent.settings import Settings
from seawall.agent.watch import LOSS_GAP, Watch
from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.runtime import plan as plans
from seawall.runtime.model import Category, Container, Event, Kind, Process, Profile, Rule, Waiver

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "schemas" / "alert.json").read_text())
RULE = Rule("proc-mount", "Proc mounted", Category.ESCAPE, Severity.HIGH, (Kind.MOUNT,), ["=", "evt.type", "mount"])


class Scripted:
    """A sensor whose events the test says. The real one needs a kernel: tests/flows has it."""

    events: ClassVar[list] = []
    dropped: ClassVar[int] = 0
    broken: ClassVar[str] = ""

    def __init__(self, plan, enforce=False, recorder=None):
        self.plan, self.known, self.updates = plan, {}, []

    def start(self):
        if self.broken:
            raise SeawallError(self.broken, "make build")

    def fileno(self):
        return 0

    def read(self, limit=2000):
        while self.events:
            event = self.events.pop(0)
            if isinstance(event, Exception):
                raise event
            yield event

    def counters(self):
        return {"state": "on", "dropped": {"critical": self.dropped, "bulk": 0}}

    def update(self, plan, enforce):
        self.updates.append((plan, enforce))

    def know(self, container):
        self.known[container.id] = container

    def process(self, pid):
        return None

    def maps(self):
        return {}

    def forget(self, id):
        self.known.pop(id, None)

    def stop(self):
        self.stopped = True


@pytest.fixture
def sensor(monkeypatch):
    Scripted.events, Scripted.dropped, Scripted.broken = [], 0, ""
    module = types.ModuleType("seawall.runtime.collect.sensor")
    module.Sensor = Scripted
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return Scripted


@pytest.fixture
def watch():
    problems, alerts = Problems(), []
    made = Watch(alerts.append, problems)
    made.alerts, made.problems = alerts, problems
    return made


def settings(*rules, enforce=False):
    return Settings("c", plans.seal(rules or (RULE,), {}, {"kinds": ["mount"], "open_prefixes": ["/etc/"]}), enforce)


def mount(pid=4711):
    process = Process(pid, 5, exe="/bin/mount", container=Container("c" * 64, complete=True))
    return Event(Kind.MOUNT, 1.0, process, text="proc")


def test_an_event_becomes_an_alert_of_the_schema(watch, sensor):
    watch.start(settings())
    sensor.events = [mount()]
    assert watch.handle() == 1
    [alert] = watch.alerts
    jsonschema.validate(alert, SCHEMA)
    assert (alert["rule"], alert["result"]) == ("proc-mount", "none")


def test_one_event_that_breaks_the_judge_does_not_cost_the_next(watch, sensor):
    watch.start(settings())
    sensor.events = [Event(Kind.MOUNT, 1.0, None), mount()]
    assert watch.handle() == 2
    assert len(watch.alerts) == 1
    assert "could not be judged" in watch.problems.texts()[0]


def test_a_sensor_that_breaks_while_it_is_read_is_said(watch, sensor):
    watch.start(settings())
    sensor.events = [mount(), OSError("ring torn")]
    watch.handle()
    assert len(watch.alerts) == 1
    assert "ring torn" in watch.problems.texts()[0]


def test_a_sensor_that_cannot_be_is_a_reason(watch, sensor):
    sensor.broken = "no BTF"
    watch.start(settings())
    assert not watch.on
    assert watch.fileno() == -1
    assert watch.handle() == 0
    assert watch.counters()["state"] == "off"
    assert watch.counters()["reason"] == "no BTF (make build)"
    assert watch.problems.texts() == ["sensor: no BTF (make build)"]


def test_it_comes_up_with_the_next_configuration(watch, sensor):
    sensor.broken = "not yet"
    watch.know(Container("c" * 64, name="web", complete=True))
    watch.start(settings())
    sensor.broken = ""
    watch.apply(settings(enforce=True), 0)
    assert watch.on
    assert watch._sensor.known["c" * 64].name == "web"
    assert watch.problems.texts() == []


def test_a_step_of_the_ladder_narrows_the_sensor(watch, sensor):
    chosen = settings()
    watch.start(chosen)
    watch.apply(chosen, 3)
    watch.apply(chosen, 3)
    [(plan, _)] = watch._sensor.updates
    assert plan.filters["open_prefixes"] == []


def test_losses_are_an_alert_and_not_a_flood_of_them(watch, sensor):
    watch.start(settings())
    watch.tick(1000.0)
    assert watch.alerts == []
    sensor.dropped = 5
    watch.tick(1001.0)
    sensor.dropped = 9
    watch.tick(1002.0)
    watch.tick(1002.0 + LOSS_GAP)
    assert [alert["evidence"]["lost"] for alert in watch.alerts] == [5, 4]
    for alert in watch.alerts:
        jsonschema.validate(alert, SCHEMA)
        assert alert["category"] == "self"


def test_stop_hands_out_what_was_held_back(watch, sensor):
    watch.start(settings())
    sensor.events = [mount(), mount(), mount()]
    watch.handle()
    assert len(watch.alerts) == 1
    watch.stop()
    assert sum(alert["count"] for alert in watch.alerts) == 3
    assert not watch.on


def test_what_waivers_hold_back_and_what_images_run_is_told_once(watch, sensor):
    waiver = Waiver("w1", ("proc-mount",), ["=", "proc.exepath", "/bin/mount"])
    learning = {"*": Profile("discover", frozenset())}
    plan = plans.seal((RULE,), {}, {"kinds": ["mount"], "open_prefixes": []}, (waiver,), learning)
    assert (watch.silenced(), watch.learned()) == ({}, [])
    watch.start(Settings("c", plan))
    container = Container("c" * 64, image="shop/web:1", image_digest="sha256:1", complete=True)
    started = Process(9, 7, exe="/usr/bin/php", container=container)
    sensor.events = [mount(), mount(), Event(Kind.EXEC, 2.0, started), Event(Kind.EXEC, 3.0, started)]
    watch.handle()
    assert watch.alerts == []
    assert (watch.silenced(), watch.silenced()) == ({"w1": 2}, {})
    [item] = watch.learned()
    assert (item["image_digest"], item["image"]) == ("sha256:1", "shop/web:1")
    assert [(program["path"], program["count"]) for program in item["programs"]] == [("/usr/bin/php", 2)]
    assert watch.learned() == []
