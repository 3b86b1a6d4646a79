"""From what people decided to one plan: groups, files, scopes, forms, waivers, profiles; what is bad costs itself."""

import json

import pytest
import yaml

from seawall.core.errors import SeawallError
from seawall.runtime import compose, forms, load, plan, scope
from seawall.runtime.compose import Policy, RuleFile, Silence
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.forms import Form
from seawall.runtime.model import Profile
from seawall.runtime.scope import Scope

RULE = """
- rule: {id}
  title: A scanner
  category: abnormal_process
  severity: high
  action: {action}
  kinds: [exec]
  condition: container.id != host and proc.exename = {program}
"""


def rule(id: str = "scanner", program: str = "nmap", action: str = "alert") -> str:
    return RULE.format(id=id, program=program, action=action)


def fired(composed: compose.Composed, **process) -> set[str]:
    container = process.pop("container", True)
    kind = process.pop("kind", "exec")
    more = {name: process.pop(name) for name in ("file", "flags", "parents") if name in process}
    event = {"kind": kind, "container": container, "process": process, **more}
    decoded = plan.decode(json.loads(json.dumps(plan.encode(composed.plan))))
    return {alert.rule for alert in Engine(decoded, boot=0.0).judge(build({"event": event})[-1])}


def test_nothing_decided_is_the_packaged_plan():
    composed = compose.compose(Policy())
    assert {found.id for found in composed.plan.rules} == {found.id for found in load.system_plan().rules}
    assert composed.problems == ()
    assert all(found.group for found in composed.rules)
    assert compose.compose(Policy()).plan.version == composed.plan.version
    assert compose.compose(Policy(samples=True)).plan.version != composed.plan.version


def test_a_group_that_is_off_is_out_of_the_plan_and_shown_as_off():
    everything = compose.compose(Policy())
    files = {found.id for found in everything.rules if found.group == "files"}
    composed = compose.compose(Policy(groups_off=frozenset({"files"})))
    assert files and not files & {found.id for found in composed.plan.rules}
    assert {found.id for found in composed.rules if not found.enabled} >= files
    assert len(composed.rules) == len(everything.rules)
    off = compose.compose(Policy(groups_off=frozenset({"user"}), files=(RuleFile("a", "a.yaml", rule()),)))
    assert "scanner" not in {found.id for found in off.rules}


def test_a_file_is_in_force_and_may_use_what_is_packaged():
    text = rule() + "- rule: shell\n  title: x\n  category: escape\n  severity: low\n  kinds: [exec]\n"
    text += "  condition: proc.exename in (shells)\n"
    composed = compose.compose(Policy(files=(RuleFile("a", "a.yaml", text),)))
    assert composed.problems == ()
    assert composed.files["a"] == compose.FileState(2, (), "all")
    mine = {found.id: found for found in composed.rules if found.group == "user"}
    assert {found.source for found in mine.values()} == {"user"}
    assert "scanner" in fired(composed, exe="/usr/bin/nmap")


def test_one_bad_item_costs_itself_and_a_last_good_text_stays():
    bad = rule("second", "nc") + "- rule: broken\n  condition: what\n"
    part = compose.compose(Policy(files=(RuleFile("a", "a.yaml", bad), RuleFile("b", "b.yaml", rule()))))
    assert part.files["a"].in_force == "part" and part.files["b"].in_force == "all"
    assert {problem.file for problem in part.problems} == {"a.yaml"}
    assert {"second", "scanner"} <= {found.id for found in part.plan.rules}

    kept = compose.compose(Policy(files=(RuleFile("a", "a.yaml", bad, good=rule("first")),)))
    assert kept.files["a"].in_force == "last_good" and kept.files["a"].errors
    assert "first" in {found.id for found in kept.plan.rules}
    assert "second" not in {found.id for found in kept.plan.rules}
    gone = compose.compose(Policy(files=(RuleFile("a", "a.yaml", "- rule: ["),)))
    assert gone.files["a"].in_force == "none"


def test_a_scope_bounds_the_rules_of_its_file():
    here = Scope(images=("shop/*",), namespaces=("prod",), labels={"app.kubernetes.io/name": "web"})
    composed = compose.compose(Policy(files=(RuleFile("a", "a.yaml", rule(), scope=here),)))
    assert composed.problems == ()
    box = {"image": "shop/web:1.4", "namespace": "prod", "labels": {"app.kubernetes.io/name": "web"}}
    assert "scanner" in fired(composed, exe="/usr/bin/nmap", container=box)
    for other in ({"image": "db:1"}, {"namespace": "test"}, {"labels": {}}):
        assert "scanner" not in fired(composed, exe="/usr/bin/nmap", container={**box, **other})
    digest = compose.compose(Policy(files=(RuleFile("a", "a.yaml", rule(), scope=Scope(digests=("sha256:1",))),)))
    assert "scanner" in fired(digest, exe="/usr/bin/nmap", container={"image_digest": "sha256:1"})
    assert "scanner" not in fired(digest, exe="/usr/bin/nmap", container={"image_digest": "sha256:2"})


def test_a_scope_that_cannot_be_judged_takes_its_rules_out():
    bad = Scope(labels={"": "x"})
    composed = compose.compose(Policy(files=(RuleFile("a", "a.yaml", rule(), scope=bad),)))
    assert "scanner" not in {found.id for found in composed.plan.rules}
    assert "scope" in composed.problems[0].message


def test_waivers_and_profiles_travel_in_the_plan():
    silence = Silence("w", ("scanner",), "container.image.repository = ops/scan", 5.0)
    wrong = Silence("x", (), "proc.nonsense = 1")
    policy = Policy(
        files=(RuleFile("a", "a.yaml", rule()),),
        silences=(silence, wrong, Silence("y", ("other",), "")),
        profiles={"sha256:1": Profile("monitor", frozenset({"/bin/sh"}))},
    )
    composed = compose.compose(policy)
    assert [found.id for found in composed.plan.waivers] == ["w", "y"]
    assert composed.plan.waivers[0].expires == 5.0
    assert composed.plan.profiles["sha256:1"].mode == "monitor"
    assert [problem.file for problem in composed.problems] == ["x"]
    assert compose.compose(Policy(silences=(Silence("w", ("scanner",), "evt.kind = exec"),))).plan.waivers


def test_profiles_that_do_not_fit_are_told(monkeypatch):
    monkeypatch.setattr(compose, "MAX_PLAN_PROGRAMS", 3)
    two = Profile("protect", frozenset({"/a", "/b"}))
    composed = compose.compose(Policy(profiles={"sha256:1": two, "sha256:2": two}))
    assert list(composed.plan.profiles) == ["sha256:1"]
    assert "sha256:2" in composed.problems[0].message


@pytest.mark.parametrize(
    ("form", "process", "fires"),
    [
        (Form(process=("nc",)), {"exe": "/usr/bin/nc"}, True),
        (Form(process=("nc",)), {"exe": "/usr/bin/ncdu"}, False),
        (Form(process=("/opt/*",)), {"exe": "/opt/tool/x"}, True),
        (Form(process=("nc",), arguments=("-e",)), {"exe": "/usr/bin/nc", "args": ["nc", "-e", "sh"]}, True),
        (Form(process=("nc",), arguments=("-e",)), {"exe": "/usr/bin/nc", "args": ["nc", "-l"]}, False),
        (Form(arguments=("*pool*:3333*",)), {"exe": "/x", "args": ["x", "--url", "pool.example:3333"]}, True),
        (Form(process=("sh",), parent=("nginx",)), {"exe": "/bin/sh", "parents": [{"exe": "/usr/sbin/nginx"}]}, True),
        (Form(process=("sh",), parent=("nginx",)), {"exe": "/bin/sh", "parents": [{"exe": "/usr/bin/x"}]}, False),
        (Form(process=("nc",), where="host"), {"exe": "/usr/bin/nc"}, False),
        (Form(process=("nc",), where="host"), {"exe": "/usr/bin/nc", "container": None}, True),
        (Form(file=("/srv/www/",)), {"kind": "open", "file": "/srv/www/x.php", "exe": "/bin/sh"}, True),
        (Form(file=("/srv/www/",)), {"kind": "open", "file": "/srv/other", "exe": "/bin/sh"}, False),
        (Form(file=("id_rsa", "/etc/app/*.key")), {"kind": "open", "file": "/root/id_rsa", "exe": "/bin/sh"}, True),
    ],
)
def test_a_form_becomes_a_rule_that_means_it(form, process, fires):
    text = forms.native("mine", 'Its "title"', "alert", "high", form)
    (item,) = yaml.safe_load(text)
    assert item["title"] == 'Its "title"'
    composed = compose.compose(Policy(files=(RuleFile("mine", "mine", text),)))
    assert composed.problems == ()
    assert ("mine" in fired(composed, **process)) is fires


def test_a_form_of_a_system_call_asks_for_its_event():
    both = forms.native("mine", "x", "alert", "low", Form(syscall=("ptrace", "bpf")))
    (item,) = yaml.safe_load(both)
    assert item["kinds"] == ["ptrace", "call"] and item["category"] == "risky_syscall"
    assert compose.compiled_texts([("mine", both)], load.system()).errors == ()
    for bad in (Form(), Form(syscall=("execve",)), Form(syscall=("write",))):
        with pytest.raises(SeawallError):
            forms.native("mine", "x", "alert", "low", bad)


def test_an_allowing_rule_silences_its_category():
    allowed = forms.native("mine", "x", "allow", "low", Form(process=("nmap",)))
    composed = compose.compose(Policy(files=(RuleFile("a", "a", rule()), RuleFile("mine", "mine", allowed))))
    assert "scanner" not in fired(composed, exe="/usr/bin/nmap")


@pytest.mark.parametrize(
    "text", ["plain", "two words", 'quote"d', "back\\slash", "a,b", "(x)", "and", "", "*.php", "中文"]
)
def test_values_come_through_as_they_are(text):
    from seawall.runtime.detect.parse import parse

    assert parse(f"proc.exepath = {scope.quoted(text)}", {}, {}) == ["=", "proc.exepath", text]
    assert parse(scope.equalities({"proc.exepath": [text, "x"]}), {}, {})[2] == [text, "x"]


def test_equalities_are_joined():
    assert scope.equalities({"proc.name": "sh", "user.uid": 0, "fd.is_loopback": True}) == (
        "proc.name = sh and user.uid = 0 and fd.is_loopback = true"
    )
    assert scope.condition(Scope()) == "" and Scope().empty
