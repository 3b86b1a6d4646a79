"""Rule files: what is broken is told with file, line, rule and mend, and costs nothing else."""

import json

import pytest

from seawall.runtime import load, plan
from seawall.runtime.load import compile_paths

GOOD = """\
- list: tools
  items: [nmap, masscan]
- macro: tool
  condition: proc.name in (tools)
- rule: scanner
  title: Scanner
  category: abnormal_process
  severity: low
  kinds: [exec]
  condition: tool and container.id != host
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="a.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_good_file(write):
    compiled = compile_paths([write(GOOD)])
    assert compiled.errors == ()
    (rule,) = compiled.plan.rules
    assert rule.when == ["and", ["in", "proc.name", "tools"], ["!=", "container.id", "host"]]
    assert compiled.plan.lists["tools"] == ("nmap", "masscan")
    assert compiled.rules["scanner"].line == 5


RULE = {"rule": "x", "title": "X", "category": "escape", "severity": "low", "kinds": "[exec]", "condition": "tool"}


def item(**changes):
    """A rule as YAML with some keys changed, or left out (None)."""
    lines = [f"{key}: {value}" for key, value in (RULE | changes).items() if value is not None]
    return "- " + "\n  ".join(lines)


@pytest.mark.parametrize(
    ("item", "line", "rule", "message"),
    [
        (item(condition="proc.nam = a"), 16, "x", "did you mean proc.name?"),
        (item(category="nonsense"), 11, "x", "use one of: escape"),
        (item(severity="bad"), 11, "x", "critical"),
        (item(kinds="[look]"), 11, "x", "exec, exit"),
        (item(kinds=None), 11, "x", "names no kinds"),
        (item(kinds="[open]"), 11, "x", "bound the path"),
        (item(colour="red"), 11, "x", "no key 'colour'"),
        (item(action="kill"), 11, "x", "alert, block or allow"),
        (item(merge_by="[a.b]"), 11, "x", "no field a.b"),
        (item(title=None), 11, "x", "title is missing"),
        (item(condition=None), 11, "x", "condition is missing"),
        (item(output="o", priority="INFO"), 11, "x", "Falco's form"),
        ("- macro: m\n  condition: (tool", 12, "m", "add )"),
        ("- list: l\n  items: a", 11, "l", "items: [a, b]"),
        ("- list: l\n  items: [{a: b}]", 11, "l", "is not a text"),
        ("- something: else", 11, "", "no rule, macro or list"),
        ("- just text", 11, "", "no rule, macro or list"),
        ("- macro: m\n  condition: tool\n  condition: tool", 11, "", "appears twice"),
    ],
)
def test_a_broken_item_is_told_and_costs_itself_only(write, item, line, rule, message):
    compiled = compile_paths([write(GOOD + item)])
    (error,) = compiled.errors
    assert (error.line, error.rule) == (line, rule)
    assert error.file.endswith("a.yaml")
    assert message in error.message
    assert [found.id for found in compiled.plan.rules] == ["scanner"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("a: b", "not a list of items"),
        ("- &x {macro: a, condition: b}\n- *x", "aliases"),
        ("\x00\x01", "not YAML"),
        ("[" * 5000, ""),
        ("!!python/object/apply:os.system [true]", ""),
    ],
)
def test_a_broken_file_costs_itself_only(write, text, message):
    compiled = compile_paths([write(text, "bad.yaml"), write(GOOD, "good.yaml")])
    (error,) = compiled.errors
    assert "bad.yaml" in error.file
    assert message in error.message
    assert len(compiled.plan.rules) == 1


def test_what_is_not_there_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    errors = compile_paths([tmp_path / "none.yaml", tmp_path / "empty"]).errors
    assert [error.message for error in errors] == ["No such file or directory", "the folder holds no *.yaml file"]


def test_a_file_of_any_size_is_not_read(write, monkeypatch):
    monkeypatch.setattr(load.items, "MAX_FILE", 100)
    assert "larger than" in compile_paths([write(GOOD)]).errors[0].message


def test_the_later_one_of_a_name_takes_the_place_of_the_earlier(write):
    first, second = write(GOOD, "1.yaml"), write(GOOD.replace("severity: low", "severity: high"), "2.yaml")
    (rule,) = compile_paths([first, second]).plan.rules
    assert rule.severity == "high"


def test_user_files_use_the_packaged_words_and_do_not_change_the_packaged_rules(write):
    mine = (
        "- list: shells\n  items: [xsh]\n"
        "- rule: mine\n  title: X\n  category: escape\n  severity: low\n  kinds: [exec]\n"
        "  condition: container and proc.name in (shells)\n"
    )
    compiled = compile_paths([write(mine)], load.system())
    assert compiled.errors == ()
    assert compiled.plan.rules[: len(load.system_plan().rules)] == load.system_plan().rules
    assert compiled.plan.lists["shells"] == load.system_plan().lists["shells"]
    mine_rule = compiled.plan.rules[-1]
    assert compiled.plan.lists[mine_rule.when[2][2]] == ("xsh",)


def test_a_rule_too_many_for_the_kernel_is_left_out_and_told(write):
    names = ", ".join(f"f{number}" for number in range(180))
    first = item(rule="r1", kinds="[open]", condition=f"fd.filename in ({names})")
    second = item(rule="r2", kinds="[open]", condition=f"fd.filename in ({names.replace('f', 'g')})")
    compiled = compile_paths([write(f"{first}\n{second}\n")])
    assert [found.id for found in compiled.plan.rules] == ["r1"]
    assert "360 open_names" in compiled.errors[0].message


def test_the_built_plan_is_the_compiled_one(tmp_path):
    assert load.main([str(tmp_path / "plan.json")]) == 0
    assert plan.read(tmp_path / "plan.json") == load.system_plan()
    assert load.main([]) == 2


def test_plans_travel_whole_and_bad_ones_are_refused(tmp_path):
    encoded = json.loads(json.dumps(plan.encode(load.system_plan())))
    assert plan.decode(encoded) == load.system_plan()
    for wrong in (
        {},
        encoded | {"form": 99},
        encoded | {"rules": [{"id": 1}]},
        encoded | {"rules": [encoded["rules"][0] | {"action": "kill"}]},
        encoded | {"rules": [encoded["rules"][0] | {"kinds": ["x"]}]},
        encoded | {"rules": None},
        encoded | {"lists": []},
        encoded | {"rules": [0] * 6000},
    ):
        with pytest.raises(plan.Hostile):
            plan.decode(wrong)
    (tmp_path / "p.json").write_text("{")
    with pytest.raises(plan.Hostile):
        plan.read(tmp_path / "p.json")
    with pytest.raises(plan.SeawallError, match="cannot read"):
        plan.read(tmp_path / "none.json")
