"""`seawall runtime`: what it prints, what it answers, what it refuses. The sensor has its tests in tests/flows."""

import json

import pytest

from seawall.cli import main, runtime
from seawall.core.errors import SeawallError
from seawall.runtime import load, plan
from seawall.runtime.detect import alerts
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build

GOOD = """\
- rule: mine
  title: Mine
  category: abnormal_process
  severity: low
  kinds: [exec]
  condition: container and proc.exename in (shells)
  examples:
    - {name: a shell, fires: true, event: {kind: exec, container: true, process: {exe: /bin/sh}}}
"""


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "mine.yaml").write_text(GOOD)
    return tmp_path


def test_check_answers_what_there_is(rules, capsys):
    assert main(["runtime", "rules", "check", "--output", "json", str(rules)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"rules", "macros", "lists", "errors", "warnings", "skipped"}
    assert [rule["id"] for rule in found["rules"]] == ["mine"]
    assert (found["rules"][0]["line"], found["errors"]) == (1, [])


def test_check_of_the_packaged_rules(capsys):
    assert main(["runtime", "rules", "check", "--output", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rules"]) == len(load.system_plan().rules)


def test_errors_name_file_and_line(rules, capsys):
    (rules / "bad.yaml").write_text(GOOD.replace("mine", "bad").replace("exename", "exenam"))
    assert main(["runtime", "rules", "check", str(rules)]) == 2
    said = capsys.readouterr().err
    assert f"{rules}/bad.yaml:6: bad: there is no field proc.exenam" in said
    assert "did you mean proc.exename?" in said
    assert main(["runtime", "rules", "check", str(rules), "--output", "json"]) == 2
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert set(error) == {"file", "line", "rule", "message"}


def test_examples_that_do_not_hold_are_findings(rules, capsys):
    assert main(["runtime", "rules", "test", str(rules)]) == 0
    (rules / "mine.yaml").write_text(GOOD.replace("fires: true", "fires: false") + "    - {name: odd, fires: true}\n")
    assert main(["runtime", "rules", "test", str(rules)]) == 1
    said = capsys.readouterr().out
    assert "fires on its example “a shell”" in said
    assert "an example cannot be read" in said


def test_compile_prints_a_plan(rules, capsys):
    assert main(["runtime", "rules", "compile", str(rules)]) == 0
    compiled = plan.decode(json.loads(capsys.readouterr().out))
    assert compiled.rules[-1].id == "mine"


def test_simulations_are_listed_and_unknown_ones_refused(capsys):
    assert main(["runtime", "simulate", "--list"]) == 0
    assert "reverse-shell-bash" in capsys.readouterr().out
    assert main(["runtime", "simulate", "nope"]) == 2
    assert "--list" in capsys.readouterr().err


def test_watch_refuses_rules_that_do_not_compile(rules):
    (rules / "bad.yaml").write_text("- rule: x")
    with pytest.raises(SeawallError, match="errors in the rules"):
        runtime.main(["watch", "--rules", str(rules)])


def test_help_opens_with_examples(capsys):
    with pytest.raises(SystemExit):
        main(["runtime", "--help"])
    assert "seawall runtime watch --enforce" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(load.system().rules))
def test_every_alert_is_one_line_of_text(name):
    example = next(one for one in load.system().rules[name].value["examples"] if one["fires"])
    engine = Engine(load.system_plan())
    for event in build(example):
        event.process.args = (*event.process.args, "evil\x1b[2J\nline")
        found = engine.judge(event)
    for alert in found:
        line = runtime._line(alerts.record(alert))
        assert alert.rule in line
        assert "\n" not in line
        assert "\x1b" not in line
