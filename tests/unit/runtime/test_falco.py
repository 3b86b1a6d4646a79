"""Falco's rule files as they are, and what its language means where ports of it go wrong."""

from pathlib import Path

import pytest

from conftest import DATA
from seawall.runtime import load, plan
from seawall.runtime.detect import pattern
from seawall.runtime.detect.condition import compile_condition
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.detect.judges import Judges
from seawall.runtime.load import compile_paths, examples
from seawall.runtime.model import Kind

FILES = {"falco_rules.yaml": (25, 25), "falco-incubating_rules.yaml": (31, 31), "falco-sandbox_rules.yaml": (37, 25)}
RULES = DATA / "rules"
DATA_HERE = Path(__file__).parents[2] / "data" / "falco"
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


@there
def test_the_rules_fire_on_what_they_describe():
    paths = [*(RULES / name for name in FILES), DATA_HERE]
    compiled = compile_paths(paths)
    assert compiled.errors == ()
    assert list(examples.failures(compiled, paths)) == []
    assert examples.counted(compiled, paths) >= 89


@there
def test_judging_quickly_is_judging_the_same():
    """The sorted, simplified and shared rules say what the written conditions say, of all events of all examples."""
    paths = [*(RULES / name for name in FILES), DATA_HERE]
    compiled = compile_paths(paths, load.system())
    plain = [(rule, compile_condition(rule.when, compiled.plan.lists)) for rule in compiled.plan.rules if rule.enabled]
    judges = Judges(compiled.plan.rules, compiled.plan.lists)
    events = [event for _, given in examples.given(compiled) for one in given for event in build(one)]
    events += [event for _, given in examples.given(compiled, [DATA_HERE]) for one in given for event in build(one)]
    assert len(events) > 500
    for event in events:
        expected = [rule.id for rule, check in plain if event.kind in rule.kinds and check(event)]
        assert [judge.rule.id for judge in judges.holding(event)] == expected


MEANINGS = [
    # (1) a check on an absent field is false, its not is true
    ("fd.name != /x", {}, False),
    ("not fd.name = /x", {}, True),
    ("not proc.pname exists", {}, True),
    # (2) lists are text
    ("proc.name in (puma)", {"process": process("x", comm="puma reactor")}, True),
    ("proc.name in (none, sh, none)", {"process": process("sh")}, True),
    ("proc.name in (none)", {"process": process("sh")}, False),
    ("proc.cmdline = 'x one y'", {"process": process("x", "1", "y")}, True),
    ("proc.name = one", {"process": process("1")}, True),
    ("proc.name in (nested)", {"process": process("bash")}, True),
    # (5) regex matches the whole, glob, pmatch, intersects
    ("proc.name regex 'ba.h'", {"process": process("bash")}, True),
    ("proc.name regex 'ba'", {"process": process("bash")}, False),
    ("proc.name regex '(?i)^B.*H$'", {"process": process("bash")}, True),
    ("proc.cmdline regex '([a-z]+ ?){3}'", {"process": process("a", "b", "c")}, True),
    ("proc.exe glob '*/b?[ns]/*'", {"process": process("x")}, False),
    ("proc.exepath glob '*/b?n/*'", {"process": process("x")}, True),
    ("proc.exepath pmatch (/usr)", {"process": process("x")}, True),
    ("proc.exepath pmatch (/us)", {"process": process("x")}, False),
    ("proc.name intersects (a, bash)", {"process": process("bash")}, True),
    # (7) networks, both ends
    ("fd.net = 10.0.0.0/8", {"kind": "connect", "peer": "10.1.2.3:80"}, True),
    ("fd.ip = 10.9.9.9", {"kind": "connect", "peer": "1.2.3.4:80", "local": "10.9.9.9:5"}, True),
    ("fd.ip != 10.9.9.9", {"kind": "connect", "peer": "1.2.3.4:80", "local": "10.9.9.9:5"}, False),
    ("fd.snet in (nets)", {"kind": "connect", "peer": "192.168.3.4:80"}, True),
    ("fd.snet in (nets)", {"kind": "connect", "peer": "[2001:db8::1]:80"}, False),
    ("fd.cip = 10.9.9.9", {"kind": "connect", "peer": "1.2.3.4:80", "local": "10.9.9.9:5"}, True),
    ("fd.sip = 10.9.9.9", {"kind": "call", "syscall": "accept4", "peer": "1.2.3.4:80", "local": "10.9.9.9:5"}, True),
    # (8) the return value decides
    ("evt.rawres < 0 and evt.res = ENOENT", {"result": -2}, True),
    ("evt.type in (execve, execveat)", {"result": -2, "syscall": "execve"}, True),
    # (10) container, (11) fifteen characters
    ("container.id != host", {}, False),
    ("container.id = c0ffee000000", {"container": True}, True),
    ("proc.name = httpd-foregroun", {"process": {"exe": "/usr/local/bin/httpd-foreground"}}, True),
    # (12) words of flags
    ("fd.typechar = 4 and fd.type = ipv4", {"kind": "connect", "peer": "1.2.3.4:80"}, True),
    ("fd.typechar = u", {"kind": "connect", "peer": "/run/x"}, True),
    ("fd.typechar = d", {"kind": "read", "file": {"path": "/etc", "mode": 0o40755}}, True),
    ("evt.arg.flags contains O_TRUNC", {"kind": "open", "file": "/x", "flags": "O_WRONLY|O_TRUNC"}, True),
    ("evt.arg.mode contains S_ISUID", {"kind": "call", "syscall": "chmod", "args": [1, 0o4755]}, True),
    ("thread.cap_effective contains CAP_SYS_ADMIN", {"process": process("x", caps=1 << 21)}, True),
    # (13) names that addresses were asked for by
    ("fd.sip.name = a.b", {"kind": "connect", "peer": "1.2.3.4:80", "facts": {"names": {"1.2.3.4": ["a.b"]}}}, True),
    # (14) a mount that is not there
    ("container.mount.dest[/etc] = N/A", {"container": True}, True),
    (
        "container.mount.dest[/et*] = /x",
        {"container": {"mounts": [{"source": "/etc", "target": "/x"}]}},
        True,
    ),
    ("not container.mount.dest[/etc] exists", {}, True),
    # the rest of the grammar
    ("not(proc.name = a)", {"process": process("b")}, True),
    ("not not proc.name = a", {"process": process("a")}, True),
    ("proc.name = a or(proc.name = b and(proc.args = 1))", {"process": process("b", "1")}, True),
    ("proc.name == a", {"process": process("a")}, True),
    ("proc.args = ''", {"process": process("a")}, True),
    ("tolower(proc.name) = bash", {"process": process("BaSh")}, True),
    ("toupper(tolower(proc.name)) = BASH", {"process": process("BaSh")}, True),
    ("b64(proc.args) = hello", {"process": process("a", "aGVsbG8=")}, True),
    ("not b64(proc.args) exists", {"process": process("a", "!!")}, True),
    ("basename(proc.exepath) = bash", {"process": process("bash")}, True),
    ("len(proc.name) > 3 and len(proc.aname) = 1", {"process": process("bash"), "parents": [process("a")]}, True),
    ('concat(proc.name, "-", proc.args) = "a-b"', {"process": process("a", "b")}, True),
    ('join(",", (proc.name, proc.args)) = "a,b"', {"process": process("a", "b")}, True),
    ('getopt(proc.args, "nt:") intersects (t)', {"process": process("a", "-n", "-t", "5")}, True),
    ('getopt(proc.args, "nt:") = n', {"process": process("a", "-t", "n")}, False),
    ("proc.name = val(proc.pname)", {"process": process("a"), "parents": [process("a")]}, True),
    ("proc.name != val(proc.pname)", {"process": process("a")}, False),
    ("proc.name = tolower(proc.args)", {"process": process("a", "A")}, True),
    ("proc.args contains anyof (-e, -c)", {"process": process("a", "-c")}, True),
    ("proc.args contains allof (-e, -c)", {"process": process("a", "-c")}, False),
    ("proc.args startswith oneof (x, -c)", {"process": process("a", "-c")}, True),
    ("proc.args contains anyof shells", {"process": process("a", "run bash")}, True),
    ("evt.buffer bcontains cafebabe", {"kind": "send", "data": "00cafebabe"}, True),
    ("evt.buffer bstartswith cafe", {"kind": "send", "data": "00cafebabe"}, False),
    ("proc.args bstartswith c3a9", {"process": process("a", "é")}, True),
    ("user.uid >= 0x10", {"process": process("a", uid=16)}, True),
    ("proc.env[LD_PRELOAD] = /x", {"process": process("a", env=["A=1", "LD_PRELOAD=/x"])}, True),
    ('proc.args endswith "\\ "', {"process": process("a", "x\\")}, True),
    ('proc.args = "a\\"b"', {"process": process("x", 'a"b')}, True),
]
LISTS = """\
- list: none
  items: []
- list: one
  items: [1]
- list: puma
  items: ['"puma reactor"', thin]
- list: nets
  items: ['"10.0.0.0/8"', '"192.168.0.0/16"']
- list: base
  items: [bash]
- list: nested
  items: [zsh, base]
"""


@pytest.mark.parametrize(("condition", "event", "expected"), MEANINGS)
def test_what_a_condition_means(write, condition, event, expected):
    text = f"{HEAD}{LISTS}{RULE}".replace("spawned and shell", f"|\n    {condition}")
    compiled = compile_paths([write(text)])
    assert compiled.errors == ()
    rule = compiled.plan.rules[0]
    (made,) = build({"event": {"kind": "exec", **event}})
    assert compile_condition(rule.when, compiled.plan.lists)(made) is expected
    named = [judge.rule.id for judge in Judges(compiled.plan.rules, compiled.plan.lists).of(made) if judge.check(made)]
    assert named == (["Shell"] if expected and made.kind in rule.kinds else [])


def test_a_later_item_of_a_name_takes_its_place_and_keeps_it(write):
    second = HEAD.replace("[sh, bash]", "[fish]") + RULE.replace("WARNING", "ERROR")
    compiled = compile_paths([write(HEAD + RULE, "1.yaml"), write(second, "2.yaml")])
    (rule,) = compiled.plan.rules
    assert rule.severity == "high"
    assert fires(compiled, process=process("fish")) == ["Shell"]
    assert fires(compiled, process=process("bash")) == []


def test_macros_see_those_above_and_rules_see_all(write):
    below = RULE + HEAD.replace("- macro: shell\n  condition: proc.name in (shells)\n", "")
    early = below.replace("(evt.type in (execve, execveat))", "later and evt.type = execve")
    later = "- macro: later\n  condition: proc.name = x\n- macro: shell\n  condition: proc.name in (shells)\n"
    compiled = compile_paths([write(early + later)])
    assert "there is no macro later" in compiled.errors[0].message
    assert compile_paths([write(below + later)]).errors == ()
    circle = "- macro: a\n  condition: proc.name = x\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n"
    assert any("uses itself" in error.message for error in compile_paths([write(circle + RULE)]).errors)


@pytest.mark.parametrize(
    ("change", "name", "expected"),
    [
        ("- list: shells\n  append: true\n  items: [fish]\n", "fish", True),
        ("- list: shells\n  override: {items: append}\n  items: [fish]\n", "bash", True),
        ("- list: shells\n  override: {items: replace}\n  items: [fish]\n", "bash", False),
        ("- macro: shell\n  append: true\n  condition: or proc.name = xsh\n", "xsh", True),
        ("- macro: shell\n  override: {condition: replace}\n  condition: proc.name = xsh\n", "bash", False),
        ("- rule: Shell\n  append: true\n  condition: and proc.name != bash\n", "bash", False),
        ("- rule: Shell\n  override: {condition: append}\n  condition: or proc.name = xsh\n", "xsh", True),
        ("- rule: Shell\n  override: {condition: replace}\n  condition: evt.type=execve\n", "any", True),
        ("- rule: Shell\n  enabled: false\n", "bash", False),
        ("- rule: Shell\n  override: {enabled: replace}\n  enabled: false\n", "bash", False),
    ],
)
def test_append_and_override(write, change, name, expected):
    compiled = compile_paths([write(HEAD + RULE, "1.yaml"), write(change, "2.yaml")])
    assert compiled.errors == ()
    assert bool(fires(compiled, process=process(name))) is expected


EXCEPTIONS = """\
  exceptions:
    - name: parents
      fields: proc.pname
      values: [sshd, "cron d"]
    - name: pairs
      fields: [proc.name, proc.args]
      comps: [=, startswith]
      values:
        - [bash, -c]
        - [sh, "-x y"]
    - name: lists
      fields: [proc.name, user.uid]
      comps: [in, "="]
      values:
        - [[dash, sh], 7]
    - name: empty
      fields: [proc.name]
"""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"process": process("bash")}, True),
        ({"process": process("bash"), "parents": [process("sshd")]}, False),
        ({"process": process("bash"), "parents": [process("x", comm="cron d")]}, False),
        ({"process": process("bash", "-c", "x")}, False),
        ({"process": process("sh", "-c", "x")}, True),
        ({"process": process("sh", "-x", "y")}, False),
        ({"process": process("sh", uid=7)}, False),
        ({"process": process("sh"), "parents": [process("more")]}, False),
    ],
)
def test_exceptions(write, event, expected):
    more = "- rule: Shell\n  append: true\n  exceptions:\n    - {name: parents, values: [more]}\n"
    compiled = compile_paths([write(HEAD + RULE + EXCEPTIONS, "1.yaml"), write(more, "2.yaml")])
    assert compiled.errors == ()
    assert bool(fires(compiled, **event)) is expected


@pytest.mark.parametrize(
    ("text", "line", "rule", "message"),
    [
        (RULE.replace("spawned", "spawnd"), 9, "Shell", "did you mean spawned?"),
        (RULE.replace("  priority: WARNING\n", ""), 7, "Shell", "priority is missing"),
        (RULE.replace("WARNING", "BAD"), 7, "Shell", "EMERGENCY"),
        (RULE.replace("spawned and shell", "proc.nam = x"), 9, "Shell", "did you mean proc.name?"),
        (RULE.replace("spawned and shell", "proc.name regex '('"), 9, "Shell", "not a regular expression"),
        (RULE.replace("spawned and shell", "proc.name regex 'a(?=b)'"), 9, "Shell", "not supported"),
        (RULE.replace("spawned and shell", "proc.name = shells"), 9, "Shell", "list of 2 items"),
        (RULE.replace("spawned and shell", "proc.pid = val(proc.name)"), 9, "Shell", "cannot be compared"),
        ("- rule: No\n  append: true\n  condition: and shell\n", 7, "No", "no rule of this name"),
        ("- list: shells\n  override: {items: prepend}\n  items: [a]\n", 7, "shells", "not possible"),
        ("- macro: m\n  override: {condition: append}\n  condition: or a\n", 7, "m", "no macro of this name"),
        ("- list: shells\n  items: 5\n", 7, "shells", "items is not a list"),
        (RULE + "  exceptions: [{fields: a}]\n", 7, "Shell", "named exceptions"),
    ],
)
def test_errors_name_line_rule_and_mend(write, text, line, rule, message):
    compiled = compile_paths([write(HEAD + text)])
    (error,) = compiled.errors
    assert (error.line, error.rule) == (line, rule)
    assert message in error.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- required_engine_version: 0.99.0\n", "asks for engine 0.99.0"),
        ("- required_plugin_versions: [{name: k8saudit, version: 0.1.0}]\n", "asks for the plugin k8saudit"),
        (RULE.replace("WARNING", "WARNING\n  colour: red"), "no key 'colour'"),
        (RULE.replace("spawned and shell", "proc.name = x"), "no evt.type bounds it"),
        (RULE.replace("%user.name", "%no.field"), "there is no field no.field"),
        (RULE.replace("WARNING", "WARNING\n  source: k8s_audit"), "left out: its events come from k8s_audit"),
    ],
)
def test_what_is_taken_with_a_word(write, text, message):
    compiled = compile_paths([write(HEAD + text)])
    assert compiled.errors == ()
    assert any(message in warning.message for warning in compiled.warnings)


def test_old_and_known_versions_pass_without_a_word(write):
    text = "- required_engine_version: 26\n- required_plugin_versions: [{name: container, version: 0.4.0}]\n"
    assert compile_paths([write(text + HEAD + RULE)]).warnings == ()


def test_rules_of_other_sources_and_unknown_fields_are_counted(write):
    other = RULE.replace("Shell", "Audit").replace("WARNING", "WARNING\n  source: k8s_audit")
    odd = RULE.replace("Shell", "Odd").replace("spawned and shell", "ka.verb = create")
    compiled = compile_paths([write(HEAD + RULE + other + odd + "  skip-if-unknown-filter: true\n")])
    assert compiled.errors == ()
    assert [rule.id for rule in compiled.plan.rules] == ["Shell"]
    assert {skipped.rule for skipped in compiled.skipped} == {"Audit", "Odd"}


def test_both_forms_stand_side_by_side(write):
    own = (
        "- rule: mine\n  title: Mine\n  category: escape\n  severity: low\n  kinds: [exec]\n"
        "  condition: container.id != host and proc.name in (shells)\n"
    )
    compiled = compile_paths([write(own, "own.yaml"), write(HEAD + RULE, "falco.yaml")], load.system())
    assert compiled.errors == ()
    assert fires(compiled, container=True, process=process("sh"))[-2:] == ["mine", "Shell"]


def test_no_expression_takes_long():
    """What hangs a backtracking matcher runs through in linear time here."""
    match = pattern.fullmatch("(a+)+(a*)*b")
    assert match("a" * 3000) is False
    assert match("a" * 3000 + "b") is True
    with pytest.raises(ValueError, match="states"):
        pattern.fullmatch("(((a{50}){50}){50})")
