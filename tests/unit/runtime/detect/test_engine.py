"""The engine: identity, set-up phase, merging, sockets, plans that change; alerts in the documented form."""

import json
from pathlib import Path

import jsonschema
import pytest

from seawall.core.severity import Severity
from seawall.runtime import load
from seawall.runtime.detect import alerts
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.detect.merging import WINDOW
from seawall.runtime.detect.parse import parse
from seawall.runtime.model import Category, Kind, Plan, Rule

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/reference/schemas/alert.json").read_text())


def plan(text="proc.name = bash", *, action="alert", merge_by=("container.id", "proc.exepath")):
    rule = Rule(
        "r", "t", Category.ABNORMAL_PROCESS, Severity.LOW, (Kind.EXEC,), parse(text, {}, {}), action, merge_by=merge_by
    )
    return Plan("v", (rule,))


def event(at=0.0, **more):
    found = build({"event": {"kind": "exec", "container": True, "process": {"exe": "/bin/bash"}, **more}})[0]
    found.time += at
    return found


def test_the_runtimes_own_set_up_is_not_judged():
    assert Engine(plan()).judge(event(process={"exe": "/bin/bash", "started": False})) == []


def test_rules_about_identity_wait_for_it():
    engine = Engine(plan("container.name != web and proc.name = bash"))
    unknown = event(container={"complete": False, "name": "", "image": ""})
    assert engine.judge(unknown) == []
    assert engine.unjudged == 1
    assert engine.judge(event(container={"name": "db"})), "judged as soon as it is known"
    assert Engine(plan()).judge(unknown), "a rule that does not ask who it is judges at once"


def test_repeats_are_held_back_counted_and_handed_out():
    engine = Engine(plan())
    first = engine.judge(event())
    assert [alert.count for alert in first] == [1]
    assert [engine.judge(event(at)) for at in (1, 2, 3)] == [[], [], []]
    released = engine.judge(event(WINDOW + 1))
    assert [alert.count for alert in released] == [3, 1]
    assert released[0].key == first[0].key
    assert released[0].first_seen < released[0].last_seen
    engine.judge(event(WINDOW + 2))
    assert list(engine.due(1_000_000 + WINDOW)) == [], "its window is still open"
    assert [alert.count for alert in engine.due(float("inf"))] == [1]
    assert list(engine.due(float("inf"))) == []


def test_other_things_are_other_alerts():
    engine = Engine(plan())
    assert engine.judge(event())
    assert engine.judge(event(container={"id": "d" * 64}))
    assert engine.judge(event(process={"exe": "/usr/bin/bash"}))


def test_what_is_to_be_blocked_is_never_held_back():
    engine = Engine(plan(action="block"))
    assert [len(engine.judge(event(at))) for at in range(5)] == [1] * 5


def test_a_flood_of_different_alerts_is_bounded_and_loses_no_count():
    engine = Engine(plan(merge_by=("proc.pid",)))
    total = 0
    for number in range(5000):
        for _ in range(2):
            process = {"exe": "/bin/bash", "pid": number + 10}
            total += sum(alert.count for alert in engine.judge(event(process=process)))
    total += sum(alert.count for alert in engine.due(float("inf")))
    assert total == 10_000


def test_a_runtime_socket_is_known_by_its_inode_whatever_it_is_called():
    engine = Engine(load.system_plan(), sockets=[(5, 77)])
    hidden = {"kind": "connect", "process": {"exe": "/bin/curl"}, "peer": "/innocent", "socket_inode": 77}
    assert [a.rule for a in engine.judge(event(**hidden, socket_dev=5))] == ["runtime_socket_used"]
    assert engine.judge(event(**hidden, socket_dev=6)) == []


def test_a_condition_that_cannot_be_worked_out_costs_itself_only():
    engine = Engine(Plan("v", (*plan("proc.cwd startswith /x").rules, *plan().rules)))
    odd = event(process={"exe": "/bin/bash", "cwd": 7})
    assert len(engine.judge(odd)) == 1
    assert engine.failed == 1


def test_update_changes_the_rules_and_keeps_what_was_seen():
    engine = Engine(plan())
    engine.judge(event())
    engine.update(plan("proc.name = zsh"))
    assert engine.judge(event(1)) == []
    with pytest.raises((ValueError, KeyError)):
        engine.update(Plan("v", (Rule("r", "t", Category.SELF, Severity.LOW, (Kind.EXEC,), ["?", "x"]),)))
    engine.update(plan())
    assert engine.judge(event(2)) == [], "still within the window of the first"


@pytest.mark.parametrize("name", sorted(load.system().rules))
def test_alerts_have_the_documented_form(name):
    entry = load.system().rules[name]
    engine = Engine(load.system_plan())
    fires = [example for example in entry.value["examples"] if example["fires"]]
    for one in build(fires[0]):
        found = engine.judge(one)
    for alert in found:
        record = json.loads(json.dumps(alerts.record(alert)))
        jsonschema.validate(record, SCHEMA)
        assert record["title_zh"]
        assert record["evidence"]["fields"]


def test_the_chain_ends_at_the_containers_runtime():
    parents = [
        {"exe": "/usr/sbin/nginx"},
        {"exe": "/usr/bin/containerd-shim-runc-v2", "container": False},
        {"exe": "/sbin/init", "container": False},
    ]
    (alert,) = Engine(plan()).judge(event(parents=parents))
    assert [one["exe"] for one in alert.ancestors] == ["/usr/sbin/nginx", "/usr/bin/containerd-shim-runc-v2"]


def test_secrets_are_hidden_in_an_alert():
    parents = [{"exe": "/bin/sh", "args": ["sh", "-c", "TOKEN=S3cret run"]}]
    process = {"exe": "/bin/bash", "args": ["bash", "--password=S3cret"]}
    (alert,) = Engine(plan("proc.cmdline contains S3cret and proc.args contains S3cret")).judge(
        event(process=process, parents=parents)
    )
    assert "S3cret" not in json.dumps(alerts.record(alert))
