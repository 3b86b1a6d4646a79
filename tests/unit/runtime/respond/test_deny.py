"""Which rules the gate may decide: those that look at nothing it does not know, and that nothing such lifts."""

import pytest

from seawall.core.severity import Severity
from seawall.runtime.model import Category, Kind, Plan, Rule, Waiver
from seawall.runtime.respond import deny

CONTAINER = {"id": "c" * 64, "name": "web", "image": "web:1", "image_id": "i", "image_digest": "d", "complete": True}
INSIDE = ["!=", "container.id", "host"]


def rule(*when, name="r", action="block", kinds=(Kind.EXEC,), enabled=True):
    return Rule(
        name,
        name,
        Category.ABNORMAL_PROCESS,
        Severity.HIGH,
        kinds,
        ["and", INSIDE, *when],
        action=action,
        enabled=enabled,
    )


def denied(plan, path, upper=False):
    rules = deny.rules_of(plan)
    return deny.checker(rules, deny.lists_of(rules, plan.lists), CONTAINER)(path, upper)


def test_paths_names_layers_and_containers():
    plan = Plan(
        "p",
        (
            rule(["=", "proc.exepath", "/usr/bin/nc"], name="path"),
            rule(["in", "proc.name", "tools"], name="name"),
            rule(["=", "proc.is_exe_upper_layer", True], ["=", "container.image.repository", "web"], name="written"),
            rule(["=", "container.name", "other"], ["=", "proc.exename", "sh"], name="elsewhere"),
        ),
        lists={"tools": ("nmap", "socat"), "unused": ("x",)},
    )
    assert set(deny.lists_of(deny.rules_of(plan), plan.lists)) == {"tools"}
    cases = {"/usr/bin/nc": "path", "/opt/socat": "name", "/usr/bin/sh": "", "/usr/bin/id": ""}
    assert {path: denied(plan, path) for path in cases} == cases
    assert denied(plan, "/tmp/x", upper=True) == "written"


@pytest.mark.parametrize(
    "left",
    [
        rule(["=", "proc.pname", "bash"]),
        rule(["contains", "proc.cmdline", "-e"]),
        rule(["=", "proc.exename", "nc"], action="alert"),
        rule(["=", "proc.exename", "nc"], enabled=False),
        rule(["=", "proc.exename", "nc"], kinds=(Kind.OPEN,)),
        rule(["=", "proc.exename", "nc"], ["not", ["=", "proc.name", "busybox"]]),
        rule(["contains", "proc.name", "nc"]),
    ],
)
def test_what_needs_more_is_left_to_others(left):
    assert deny.rules_of(Plan("p", (left,))) == []


def test_a_waiver_lifts_or_takes_the_rule_away():
    nc = rule(["=", "proc.exename", "nc"])
    here = Plan("p", (nc,), waivers=(Waiver("w", ("r",), ["=", "container.name", "web"]),))
    assert denied(here, "/bin/nc") == ""
    for unknowable in (["=", "proc.pname", "ansible"], ["=", "proc.name", "nc"]):
        plan = Plan("p", (nc,), waivers=(Waiver("w", (), unknowable),))
        assert deny.rules_of(plan) == [], "somebody wants to allow what cannot be told apart here"
    other = Plan("p", (nc,), waivers=(Waiver("w", ("other",), ["=", "container.name", "web"]),))
    assert denied(other, "/bin/nc") == "r"


def test_an_allowing_rule_lifts_those_of_its_category():
    plan = Plan("p", (rule(["=", "proc.exename", "nc"]), rule(["=", "proc.exepath", "/bin/nc"], action="allow")))
    assert denied(plan, "/bin/nc") == ""
    assert denied(plan, "/tmp/nc") == "r"


def test_waivers_on_a_protected_image():
    plan = Plan("p", (), waivers=(Waiver("w", ("profile_violation",), ["=", "proc.exepath", "/opt/tool"]),))
    lifts = deny.lifts_of(plan)
    check = deny.checker(lifts, {}, CONTAINER)
    assert (check("/opt/tool", False), check("/opt/other", False)) == ("profile", "")
