"""`seawall baseline` without a daemon that answers: exit codes, and loud words where nothing was checked."""

import json

import pytest

from seawall import cli
from seawall.baseline.load import packaged
from seawall.baseline.model import Asset, Outcome, Result
from seawall.cli import baseline as command

DOCKER = packaged()["docker"]
ASSET = Asset("container", "c1", "web", "h")


def results(**outcomes):
    """docker_5_5="fail" and so on."""
    return [
        Result(name.replace("docker_", "docker-").replace("_", "."), ASSET, Outcome(o)) for name, o in outcomes.items()
    ]


@pytest.mark.parametrize(
    ("found", "fail_on", "code"),
    [
        ({"docker_5_5": "fail"}, None, 0),
        ({"docker_5_5": "fail"}, "critical", 1),
        ({"docker_5_11": "fail"}, "critical", 0),
        ({"docker_5_11": "fail"}, "low", 1),
        ({"docker_5_5": "not_checked"}, "high", 2),
        ({"docker_5_5": "not_checked", "docker_5_4": "fail"}, "high", 1),
        ({"docker_5_11": "not_checked"}, "high", 0),
        ({"docker_5_5": "waived", "docker_5_4": "manual", "docker_5_6": "not_applicable"}, "info", 0),
    ],
)
def test_what_a_gate_answers(found, fail_on, code):
    assert command._code(DOCKER, results(**found), fail_on) == code


def test_help_has_examples(capsys):
    for words in (["baseline", "--help"], ["baseline", "run", "--help"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0
        assert "seawall baseline run --fail-on high" in capsys.readouterr().out


def test_a_severity_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["run", "--fail-on", "hgih"])
    assert ended.value.code == 2
    assert "critical" in capsys.readouterr().err


def test_no_daemon_is_not_clean(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert cli.main(["baseline", "run", "--format", "json"]) == 2
    said = capsys.readouterr()
    assert "cannot reach Docker" in said.err
    assert said.out == ""


@pytest.mark.parametrize("words", [["--format", "pdf"], ["--benchmark", "toaster"]])
def test_what_there_is_not_is_named(words, capsys):
    assert cli.main(["baseline", "run", *words]) == 2
    assert "use one of" in capsys.readouterr().err


def test_every_check_is_listed(capsys):
    assert cli.main(["baseline", "list"]) == 0
    said = capsys.readouterr().out
    assert all(check.id in said for check in DOCKER.checks)
    assert json.dumps(len(DOCKER.checks)) in said
