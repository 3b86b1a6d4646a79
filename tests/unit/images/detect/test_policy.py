"""Image policies: each rule holds and breaks, what was not checked never passes, modes and scopes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.images.detect.policy import Policy, Rules, decide, problem
from seawall.images.load.policy import read
from seawall.images.model import (
    ImageConfig,
    Inventory,
    Judgement,
    Malware,
    Package,
    Risk,
    Scan,
    Secret,
    Vulnerability,
)

NOW = "2026-11-25T00:00:00.000Z"
CVE = Vulnerability(
    "CVE-1", ("GHSA-x",), "openssl", "1", "2", "fixed", Severity.HIGH, 8.0, "", 0.5, True, "", "", "debian", "p", "", 0
)
CONFIG = ImageConfig("sha256:x", created="2026-11-01T00:00:00Z", user="1000", labels={"team": "web"})
GOOD = Inventory(
    "docker:r.example/web:1",
    "r.example/web:1",
    CONFIG,
    tags=("r.example/web:1",),
    packages=(Package("log4j", "2.14", "maven", "p"),),
    checked={"package": "", "secret": "", "malware": "", "config": ""},
)
BAD = replace(
    GOOD,
    name="evil/web",
    tags=("evil/web:latest",),
    config=replace(CONFIG, user="0:0", created="2020-01-01T00:00:00Z", labels={}),
    secrets=(Secret("aws", "AWS key", Severity.HIGH, "high", "A…", "f", path="x"),),
    malware=(Malware("worm", "", "suspicious", Severity.HIGH, "", "a", 1, "elf"),),
    risks=(Risk("SW-1", "sudo", Severity.MEDIUM),),
)


def scan(inventory: Inventory, *found: Vulnerability, judged: bool = True, at: str = NOW) -> Scan:
    scanners = ("vuln", "secret", "malware", "config")
    return Scan(inventory, at, scanners, Judgement(found) if judged else None, "" if judged else "no advisories")


CASES: list[tuple[str, Any, Scan, Scan]] = [
    ("severity", "high", scan(GOOD, replace(CVE, severity=Severity.MEDIUM)), scan(GOOD, CVE)),
    ("cves", ("GHSA-x",), scan(GOOD), scan(GOOD, CVE)),
    ("cves", ("cve-1",), scan(GOOD), scan(GOOD, CVE)),
    ("kev", True, scan(GOOD, replace(CVE, kev=False)), scan(GOOD, CVE)),
    ("epss", 0.4, scan(GOOD, replace(CVE, epss=None)), scan(GOOD, CVE)),
    ("packages", ("log4j@2.1*",), scan(replace(GOOD, packages=())), scan(GOOD)),
    ("secrets", "high", scan(GOOD), scan(BAD)),
    ("malware", "suspicious", scan(GOOD), scan(BAD)),
    ("malware", "malicious", scan(BAD), scan(replace(GOOD, checked={}))),
    ("config", "medium", scan(GOOD), scan(BAD)),
    ("checks", ("SW-1",), scan(GOOD), scan(BAD)),
    ("root", True, scan(GOOD), scan(BAD)),
    ("max_age_days", 365, scan(GOOD), scan(BAD)),
    ("max_age_days", 365, scan(GOOD), scan(replace(GOOD, config=replace(CONFIG, created="")))),
    ("registries", ("r.example/*",), scan(GOOD), scan(BAD)),
    ("latest", True, scan(GOOD), scan(BAD)),
    ("labels", ("team=web",), scan(GOOD), scan(BAD)),
    ("not_checked", True, scan(GOOD), scan(GOOD, judged=False)),
    ("max_scan_days", 7, scan(GOOD), scan(GOOD, at="2026-11-01T00:00:00.000Z")),
    ("severity", "critical", scan(GOOD, CVE), scan(GOOD, judged=False)),
    ("secrets", "low", scan(GOOD), scan(replace(GOOD, checked={"secret": "no hyperscan"}))),
]


@pytest.mark.parametrize(("rule", "value", "kept", "broken"), CASES)
def test_each_rule(rule: str, value: Any, kept: Scan, broken: Scan) -> None:
    policy = Policy("p", Rules(**{rule: value}), "enforce")
    assert problem(policy) == ""
    assert decide([policy], kept, NOW).verdict == "allowed"
    found = decide([policy], broken, NOW)
    assert (found.verdict, [one.rule for one in found.reasons]) == ("denied", [rule])


def test_every_rule_is_tried() -> None:
    modifiers = {"fixable_only"}
    assert {case[0] for case in CASES} | modifiers == set(Rules.__dataclass_fields__)


def test_only_fixable_ones() -> None:
    policy = Policy("p", Rules(severity="high", fixable_only=True), "enforce")
    assert decide([policy], scan(GOOD, replace(CVE, fixed="")), NOW).verdict == "allowed"
    assert decide([policy], scan(GOOD, CVE), NOW).verdict == "denied"


def test_one_that_only_observes_denies_nothing() -> None:
    observing = Policy("see", Rules(root=True))
    later = Policy("later", Rules(root=True), "enforce", observe_until="2026-12-01T00:00:00.000Z")
    found = decide([observing, later], scan(BAD), NOW)
    assert (found.verdict, len(found.reasons)) == ("observed", 2)
    assert decide([later], scan(BAD), "2026-12-02T00:00:00.000Z").verdict == "denied"


def test_scopes() -> None:
    only = Policy("p", Rules(root=True), "enforce", include=("r.example/*",))
    assert decide([only], scan(BAD), NOW).verdict == "allowed"
    but = Policy("p", Rules(root=True), "enforce", exclude=("evil/*",))
    assert decide([but], scan(BAD), NOW).verdict == "allowed"
    assert decide([replace(but, exclude=())], scan(BAD), NOW).verdict == "denied"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{name: p}", "no rule"),
        ("{name: p, rules: {severity: awful}}", "severity"),
        ("{name: p, rules: {severty: high}}", "severty"),
        ("{name: p, mode: kill, rules: {root: true}}", "mode"),
        ("{name: p, rules: {root: maybe}}", "bool"),
        ("[]", "0 policies"),
        ("a: [", "no YAML"),
        ("!!python/object/apply:os.system [id]", "no YAML"),
    ],
)
def test_broken_files_are_told(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(SeawallError, match=word):
        read(path)


def test_a_file_of_policies(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("policies:\n- {name: a, rules: {root: true}}\n- {name: b, mode: enforce, rules: {kev: true}}\n")
    assert [(one.name, one.mode) for one in read(path)] == [("a", "observe"), ("b", "enforce")]
