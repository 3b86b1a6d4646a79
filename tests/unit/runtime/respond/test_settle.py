"""One attack, one answer."""

from dataclasses import replace

from seawall.core.severity import Severity
from seawall.runtime.detect import alerts
from seawall.runtime.model import Category, Event, Kind, Process, Rule
from seawall.runtime.respond.settle import HOLD, REMEMBER, Settle

RULE = Rule(
    "shell",
    "Shell",
    Category.REVERSE_SHELL,
    Severity.CRITICAL,
    (Kind.EXEC, Kind.DUP),
    ["exists", "proc.exe"],
    action="block",
)


def answered(kind, result, pid=7, time=1.0, rule=RULE):
    event = Event(kind, time, Process(pid, 5, exe="/bin/sh"), blocked=result == "blocked")
    return replace(alerts.make(rule, event, 0.0), result=result), event


def said(settle, alert_and_event, now):
    return [alert.result for alert in settle.put(*alert_and_event, now)]


def test_what_the_kernel_did_is_told_and_not_that_it_was_too_late_for_more():
    settle = Settle()
    assert said(settle, answered(Kind.DUP, "failed"), 0.0) == []
    assert said(settle, answered(Kind.DUP, "failed"), 0.001) == []
    [alert] = settle.put(*answered(Kind.EXEC, "blocked", time=2.0), 0.002)
    assert (alert.result, alert.first_seen) == ("blocked", "1970-01-01T00:00:01.000Z")
    assert list(settle.due(float("inf"))) == []


def test_an_answer_nothing_better_came_for_is_told_soon_and_once():
    settle = Settle()
    assert said(settle, answered(Kind.DUP, "killed_after_effect"), 0.0) == []
    assert list(settle.due(HOLD / 2)) == []
    assert [alert.result for alert in settle.due(HOLD)] == ["killed_after_effect"]
    assert said(settle, answered(Kind.DUP, "failed"), HOLD + 0.1) == []
    assert said(settle, answered(Kind.DUP, "failed"), HOLD + REMEMBER + 0.1) == []
    assert [alert.result for alert in settle.due(float("inf"))] == ["failed"]


def test_other_processes_and_other_rules_are_told_on_their_own():
    settle = Settle()
    assert said(settle, answered(Kind.EXEC, "blocked"), 0.0) == ["blocked"]
    assert said(settle, answered(Kind.EXEC, "blocked", pid=8), 0.0) == ["blocked"]
    assert said(settle, answered(Kind.EXEC, "killed_after_effect", rule=replace(RULE, id="other")), 0.0) == [
        "killed_after_effect"
    ]


def test_what_only_tells_waits_for_nothing():
    settle = Settle()
    for _ in range(2):
        assert said(settle, answered(Kind.DUP, "none"), 0.0) == ["none"]
    assert said(settle, answered(Kind.DUP, "failed", rule=replace(RULE, action="alert")), 0.0) == ["failed"]


def test_the_tables_are_bounded():
    settle = Settle()
    told = sum(len(said(settle, answered(Kind.DUP, "failed", pid=pid), 0.0)) for pid in range(5000))
    assert told + len(list(settle.due(1.0))) == 5000
