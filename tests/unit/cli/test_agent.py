"""`seawall agent`, `up`, `down` and `doctor` without a server: help with examples, clear words, right exit codes."""

import json

import pytest

from seawall import cli
from seawall.cli import agent, doctor
from seawall.core.errors import SeawallError


@pytest.mark.parametrize("command", ["agent", "up", "down", "doctor"])
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert "examples:" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["run", "status", "install"])
def test_a_node_that_is_not_enrolled_is_told_how(word, tmp_path, capsys):
    assert cli.main(["agent", word, "--state", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "no agent is enrolled" in said.err
    assert "enroll" in said.err
    assert said.out == ""


def test_a_damaged_identity_is_said(tmp_path, capsys):
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "identity.json").write_text("{")
    assert cli.main(["agent", "status", "--state", str(tmp_path)]) == 2
    assert "enrol this agent again" in capsys.readouterr().err


def test_enrolling_at_nothing_says_so(tmp_path, capsys):
    words = ["--server", "https://127.0.0.1:1", "--token", "t", "--ca-fingerprint", "f", "--state", str(tmp_path)]
    assert cli.main(["agent", "enroll", *words]) == 2
    assert "cannot reach the server at 127.0.0.1:1" in capsys.readouterr().err


def test_the_unit_names_the_command_and_leaves_no_gap(tmp_path):
    text = agent.unit("/usr/bin/python3 -m seawall agent run", tmp_path, tmp_path / "state")
    assert "ExecStart=/usr/bin/python3 -m seawall agent run" in text
    assert f"ReadWritePaths={tmp_path / 'state'}" in text
    assert "@" not in text


def test_doctor_on_an_empty_state(tmp_path, capsys):
    assert cli.main(["doctor", "--state", str(tmp_path), "--format", "json"]) == 1
    findings = {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert {"kernel", "btf", "capabilities", "docker", "openssl", "server", "agent", "sensor", "advisories"} <= set(
        findings
    )
    assert findings["server"]["state"] == "missing"
    assert findings["agent"]["mend"]
    assert all(finding["mend"] for finding in findings.values() if finding["state"] == "missing")


def test_a_check_that_breaks_is_a_finding(tmp_path, monkeypatch, capsys):
    def broken():
        raise RuntimeError("who would have thought")

    monkeypatch.setattr(doctor, "_docker", broken)
    found = {finding.name: finding for finding in doctor.look(tmp_path)}
    assert found["docker"].state == "missing"
    assert "who would have thought" in found["docker"].detail


def test_doctor_reads_what_the_agent_reported(tmp_path):
    from seawall.agent.identity import Home, Identity

    home = Home(tmp_path)
    home.keep(Identity("agent_1", "https://h:1", "https://h:2", "", ""), "cert", "key", "ca")
    status = {
        "pid": 1,
        "rss": 25 << 20,
        "cpu": 0.01,
        "degrade": 2,
        "degrade_reason": "longer intervals: 9.0% of a core used",
        "sensor": {"state": "on", "programs": ["a"], "events": 5, "dropped": {"critical": 0, "bulk": 7}},
        "errors": [],
    }
    home.status.write_text(json.dumps(status))
    found = {finding.name: finding for finding in doctor.look(tmp_path)}
    assert (found["agent"].state, "longer intervals" in found["agent"].detail) == ("degraded", True)
    assert (found["sensor"].state, "7 events lost" in found["sensor"].detail) == ("degraded", True)


def test_down_where_nothing_runs(tmp_path, capsys):
    assert cli.main(["down", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().err.count("was not running") == 2


def test_local_commands_without_a_server_are_told_how(tmp_path):
    from seawall.agent import local

    with pytest.raises(SeawallError, match="no server was started") as caught:
        local.load(tmp_path)
    assert caught.value.hint == "seawall up"
    (tmp_path / "local.json").write_text("[]")
    with pytest.raises(SeawallError, match="cannot read"):
        local.load(tmp_path)
