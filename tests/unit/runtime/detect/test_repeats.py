"""The same start again is not judged again; whatever is different about it is."""

import json
from dataclasses import replace

import pytest

from seawall.core.severity import Severity
from seawall.runtime import load, plan
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.fields import FIELDS
from seawall.runtime.detect.repeats import MAX_KNOWN, STEADY, Repeats
from seawall.runtime.model import Category, Container, Descriptor, Event, File, Kind, Plan, Process, Rule

BOX = Container("c" * 64, complete=True)
PARENT = Process(10, 1, exe="/bin/sh", comm="sh", container=BOX)
FILE, STDIO, SPACES = File("/bin/true"), (Descriptor(0, "null"),), {"mnt": 1}
ROOT = 0xFF


def start(number=0, **changed):
    known = {"exe": "/bin/true", "comm": "true", "args": ("true",), "container": BOX, "file": FILE, "parent": PARENT}
    process = Process(100 + number, number, **{**known, "stdio": STDIO, "namespaces": SPACES, **changed})
    return Event(Kind.EXEC, 1000.0 + number, process, file=process.file, stdio=process.stdio)


def rule(when):
    return Rule("r", "r", Category.ABNORMAL_PROCESS, Severity.HIGH, (Kind.EXEC,), when)


def engine(*rules):
    return Engine(Plan("v", rules), boot=0.0)


def asked(judge, *events):
    """How many of these events were judged in full."""
    count = 0
    honest = judge._holding

    def holding(judges, event, *rest):
        nonlocal count
        count += judges is judge._judges
        return honest(judges, event, *rest)

    judge._holding = holding
    for event in events:
        judge.judge(event)
    return count


def test_a_start_that_is_told_is_told_each_time_it_may_be():
    judge = engine(rule(["=", "proc.name", "true"]))
    alerts = [alert for number in range(0, 60, 20) for alert in judge.judge(start(number))]
    assert len(alerts) >= 3


def test_the_same_start_is_judged_once():
    assert asked(engine(rule(["=", "proc.name", "evil"])), *(start(number) for number in range(20))) == 1


DIFFERENT = {
    "comm": "other",
    "args": ("true", "-x"),
    "cwd": "/tmp",
    "env": ("LD_PRELOAD=/tmp/x",),
    "tty": "pts/0",
    "vpid": 1,
    "uid": 1000,
    "euid": 0xFFFF,
    "gid": 5,
    "loginuid": 7,
    "caps": ROOT,
    "permitted": ROOT,
    "by_exec": True,
    "by_kernel": True,
    "foreign_cwd": True,
    "parent": replace(PARENT),
    "container": None,
    "file": replace(FILE),
    "stdio": (Descriptor(0, "pipe", 77),),
    "namespaces": {"mnt": 2},
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_whatever_is_different_is_judged(name):
    judge = engine(rule(["=", "proc.name", "evil"]))
    assert asked(judge, start(), start(1), start(2, **{name: DIFFERENT[name]})) == 2


def test_every_part_of_a_process_that_a_steady_field_can_see_is_compared():
    seen_elsewhere = {"exe", "container", "pid", "start", "ppid", "sid", "pgid", "vpgid", "started"}
    names = {"user", "group", "login"}  # no steady field reads them
    assert set(Process.__slots__) - seen_elsewhere - names <= set(DIFFERENT)


@pytest.mark.parametrize("kind", [Kind.CRED, Kind.DUP, Kind.SETNS, Kind.UNSHARE])
def test_what_changes_a_process_in_place_makes_it_forget(kind):
    judge = engine(rule(["=", "proc.name", "evil"]))
    assert asked(judge, start(), start(1), Event(kind, 1002.0, PARENT), start(3)) == 3  # the change itself is one


def test_a_container_that_is_introduced_makes_it_forget():
    judge = engine(rule(["=", "proc.name", "evil"]))
    assert asked(judge, start()) == 1
    judge.introduce(BOX, 1001.0)
    assert asked(judge, start(2)) == 1


def test_a_plan_that_looks_at_more_is_judged_in_full():
    judge = engine(rule(["and", ["=", "proc.name", "evil"], [">", "proc.duration", 5]]))
    assert asked(judge, start(), start(1), start(2)) == 3
    judge.update(Plan("w", (rule(["=", "proc.name", "evil"]),)))
    assert asked(judge, start(3), start(4)) == 1


def test_our_own_rules_look_at_nothing_else():
    known = Repeats()
    known.update(load.compile_paths([load.RULES]).plan.rules)
    assert known.on
    known.update(plan.decode(json.loads(json.dumps(plan.encode(load.compile_paths([load.RULES]).plan)))).rules)
    assert known.on


def test_steady_fields_exist_and_the_memory_is_bounded():
    assert set(FIELDS) >= STEADY
    judge = engine(rule(["=", "proc.name", "evil"]))
    for number in range(3 * MAX_KNOWN):
        judge.judge(start(number, args=("true", str(number))))
    assert len(judge._repeats._known) <= MAX_KNOWN
