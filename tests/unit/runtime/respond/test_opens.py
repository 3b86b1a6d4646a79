"""Which block rules on opens go to the gate, and how it judges them: by path first, and by who asks."""

import os

import pytest

from seawall.core.severity import Severity
from seawall.runtime.model import Category, Kind, Plan, Rule, Waiver
from seawall.runtime.respond import deny
from seawall.runtime.respond.opens import Opens

CONTAINER = {"id": "c" * 64, "name": "web", "image": "web:1", "complete": True}
INSIDE = ["!=", "container.id", "host"]


def rule(*when, name="r", kinds=(Kind.OPEN, Kind.READ), action="block"):
    whole = ["and", INSIDE, *when]
    return Rule(name, name, Category.FILE_TAMPERING, Severity.HIGH, kinds, whole, action=action)


def test_a_rule_that_names_a_path_goes_to_the_gate():
    plan = Plan("p", (rule(["in", "fd.name", "keys"], ["=", "proc.name", "cat"]),), lists={"keys": ("/a", "/b")})
    [found] = deny.opens_of(plan)
    assert (found["paths"], found["prefixes"], found["names"]) == (["/a", "/b"], [], [])
    assert found["kinds"] == ["open", "read"]
    assert deny.lists_of([found], plan.lists) == {"keys": ["/a", "/b"]}


@pytest.mark.parametrize(
    "left",
    [
        rule(["=", "proc.name", "cat"]),
        rule(["=", "fd.name", "/a"], ["=", "proc.origin", "dropped"]),
        rule(["=", "fd.name", "/a"], action="alert"),
        rule(["=", "fd.name", "/a"], kinds=(Kind.CALL,)),
    ],
    ids=["no-path", "needs-a-look", "only-tells", "no-open"],
)
def test_what_the_gate_cannot_judge_is_left_to_others(left):
    assert deny.opens_of(Plan("p", (left,))) == []


def test_a_waiver_that_needs_more_takes_the_rule_away():
    plan = Plan("p", (rule(["=", "fd.name", "/a"]),), waivers=(Waiver("w", (), ["=", "proc.origin", "dropped"]),))
    assert deny.opens_of(plan) == []


def test_the_path_alone_passes_most_files(tmp_path):
    plan = Plan("p", (rule(["startswith", "fd.name", "/srv/"]), rule(["endswith", "fd.name", "/.key"])))
    opens = Opens(deny.opens_of(plan), {}, CONTAINER)
    found = os.stat(tmp_path)
    assert opens.named("/srv/x", found) == "/srv/x"
    assert opens.named("/home/.key", found) == "/home/.key"
    assert opens.named("/etc/passwd", found) == ""


def test_another_link_is_the_same_file(tmp_path):
    opens = Opens(deny.opens_of(Plan("p", (rule(["=", "fd.name", "/key"]),))), {}, CONTAINER)
    (tmp_path / "key").write_text("x")
    os.link(tmp_path / "key", tmp_path / "other")
    root = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    opens.learn(root)
    os.close(root)
    assert opens.named("/other", os.stat(tmp_path / "other")) == "/key"


def test_who_asks_is_read_from_proc(tmp_path):
    """This process stands in a read, not in an open: its flags are not known, so it counts as every kind."""
    mine = rule(["=", "fd.name", "/key"], ["=", "proc.pid", os.getpid()], ["=", "evt.is_open_write", True])
    opens = Opens(deny.opens_of(Plan("p", (mine,))), {}, CONTAINER)
    found = os.stat(tmp_path)
    assert opens.check("/key", found, False, os.getpid())[0] == "r"
    assert opens.check("/key", found, False, os.getppid())[0] == ""
