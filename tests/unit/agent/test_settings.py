"""Configurations: the good one is kept, a bad one changes nothing."""

import json
from dataclasses import replace

import pytest

from seawall.agent import settings
from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.runtime import plan as plans
from seawall.runtime.model import Category, Kind, Rule

RULE = Rule("r", "A rule", Category.ESCAPE, Severity.HIGH, (Kind.MOUNT,), ["=", "evt.type", "mount"])
GOOD = {
    "version": "c1",
    "plan": plans.encode(plans.seal((RULE,), {}, {"kinds": ["mount"]})),
    "intervals": {"heartbeat": 10, "containers": 0.5, "facts": 86400},
    "enforce": True,
}


def test_a_good_configuration_is_kept_and_found_again(tmp_path):
    settings.keep(tmp_path / "config.json", json.dumps(GOOD))
    found, complaint = settings.first(tmp_path / "config.json")
    assert complaint == ""
    assert (found.version, found.enforce, found.plan.rules) == ("c1", True, (RULE,))
    assert found.intervals["heartbeat"] == 10
    assert found.intervals["containers"] == settings.LEAST
    assert found.intervals["images"] == settings.INTERVALS["images"]


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": None},
        {"plan": {}},
        {"plan": {"form": 99}},
        {"plan": {**GOOD["plan"], "rules": [{}]}},
        {"plan": {**GOOD["plan"], "rules": 7}},
        {"plan": plans.encode(plans.seal((replace(RULE, when=["=", "no.such.field", 1]),), {}, {}))},
        {"plan": plans.encode(plans.seal((replace(RULE, when=[]),), {}, {}))},
        {"plan": plans.encode(plans.seal((replace(RULE, when=["in", "evt.type", "no-list"]),), {}, {}))},
        {"intervals": []},
        {"intervals": {"heartbeat": -1}},
        {"intervals": {"heartbeat": "5"}},
        {"intervals": {"heartbeat": True}},
        {"intervals": {"heartbeat": float("nan")}},
        {"enforce": "yes"},
    ],
)
def test_a_bad_one_is_refused_by_name(changes):
    with pytest.raises(SeawallError):
        settings.decode(GOOD | changes)


@pytest.mark.parametrize("rubbish", [b"", b"\x00", b"[]", b'"x"', b"[" * 100_000, json.dumps({"plan": {}}).encode()])
def test_a_rotten_file_falls_back_to_the_packaged_plan_and_says_so(tmp_path, monkeypatch, rubbish):
    packaged = tmp_path / "plan.json"
    packaged.write_text(json.dumps(GOOD["plan"]))
    monkeypatch.setattr(plans.read, "__defaults__", (packaged,))
    (tmp_path / "config.json").write_bytes(rubbish)
    found, complaint = settings.first(tmp_path / "config.json")
    assert found.plan.rules == (RULE,)
    assert "cannot be used" in complaint


def test_without_any_plan_there_is_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(plans.read, "__defaults__", (tmp_path / "missing.json",))
    found, complaint = settings.first(tmp_path / "config.json")
    assert found is None
    assert "cannot read the runtime plan" in complaint
