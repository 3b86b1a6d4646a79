"""Falco's rule files as they are, and what its language means where ports of it go wrong."""

import pytest

from conftest import DATA
from seawall.runtime import load, plan
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.load import compile_paths
from seawall.runtime.model import Kind

FILES = {"falco_rules.yaml": (25, 25), "falco-incubating_rules.yaml": (31, 31), "falco-sandbox_rules.yaml": (37, 25)}
RULES = DATA / "rules"
there = pytest.mark.skipif(not (RULES / "falco_rules.yaml").exists(), reason="Falco's rule files are not here")

HEAD = """\
- list: shells
  items: [sh, bash]
- macro: spawned
  condition: (evt.type in (execve, execveat))
- macro: shell
  condition: proc.name in (shells)
"""
RULE = """\
- rule: Shell
  desc: A shell runs
  condition: spawned and shell
  output: A shell | user=%user.name cmd=%proc.cmdline group=%group.name parent=%proc.pname
  priority: WARNING
  tags: [mitre_execution, T1059.004, host]
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="a.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def fires(compiled, **event):
    """The rules that fire on one event, `exec` unless said otherwise."""
    (made,) = build({"event": {"kind": "exec", **event}})
    return [alert.rule for alert in Engine(compiled.plan).judge(made)]


def process(name, *args, **more):
    return {"exe": f"/usr/bin/{name}", "args": [name, *args], **more}


@there
@pytest.mark.parametrize(("name", "counts"), FILES.items())
def test_each_file_loads_unmodified(name, counts):
    compiled = compile_paths([RULES / name])
    assert compiled.errors == ()
    assert (len(compiled.plan.rules), sum(rule.enabled for rule in compiled.plan.rules)) == counts


@there
def test_all_three_files_load_together_and_travel_to_the_node():
    compiled = compile_paths([RULES / name for name in FILES], load.system())
    assert compiled.errors == ()
    rules = [rule for rule in compiled.plan.rules if rule.source == "falco"]
    assert (len(rules), sum(rule.enabled for rule in rules)) == (93, 81)
    assert len({rule.id for rule in compiled.plan.rules}) == len(compiled.plan.rules)
    assert {rule.group for rule in rules} == {name.removesuffix(".yaml") for name in FILES}
    assert plan.decode(plan.encode(compiled.plan)) == compiled.plan
    wide = {problem.rule for problem in compiled.warnings if "bound the path" in problem.message}
    assert "Directory traversal monitored file read" in wide
    assert "Read sensitive file untrusted" not in wide


@there
def test_what_the_kernel_side_is_told_of_them():
    filters = compile_paths([RULES / name for name in FILES]).plan.filters
    assert {"connect", "call", "dup", "setns", "unshare", "ptrace", "read", "send"} <= set(filters["kinds"])
    assert {"renameat2", "symlinkat", "bpf", "listen", "sendto"} <= set(filters["syscalls"])
    assert {"/etc/shadow", "/etc/sudoers"} <= set(filters["read_paths"])
    assert "/etc/" in filters["open_prefixes"]
    assert filters["environment"] is True


def test_a_rule_in_our_words(write):
    compiled = compile_paths([write(HEAD + RULE, "mine.yaml")])
    assert compiled.errors == compiled.warnings == ()
    (rule,) = compiled.plan.rules
    assert (rule.id, rule.title, rule.why) == ("Shell", "Shell", "A shell runs")
    assert (rule.severity, rule.category) == ("medium", "abnormal_process")
    assert (rule.kinds, rule.source, rule.group) == ((Kind.EXEC,), "falco", "mine")
    assert (rule.mitre, rule.tags) == (("T1059.004",), ("mitre_execution", "T1059.004", "host"))


def test_the_output_is_told_with_its_fields(write):
    compiled = compile_paths([write(HEAD + RULE)])
    (made,) = build({"event": {"kind": "exec", "process": process("bash", "-c", "id", uid=7, gid=7)}})
    (alert,) = Engine(compiled.plan).judge(made)
    assert alert.evidence["output"] == "A shell | user=<NA> cmd=bash -c id group=<NA> parent=<NA>"
    assert alert.title == "Shell"
