"""Reports that other tools read: each fits its standard, holds every finding, and says what was not checked."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as Tree

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from seawall.core.severity import Severity
from seawall.images.model import Malware, Risk, Secret
from seawall.images.report import REPORTS
from unit.images.report import test_reports as plain

EVIL = plain.EVIL
KEY = Secret("aws", f"key {EVIL}", Severity.CRITICAL, "high", "AKIA…", "f", path="a/\udcff b", layer=1, line=7)
WORM = Malware("worm", "bot", "malicious", Severity.HIGH, "<b>worm</b>", "a" * 64, 1, "elf", path="bin/x", layer=0)
ROOT = Risk("SW-1", "runs as root", Severity.MEDIUM, evidence=EVIL)
CHECKED = {"package": "", "secret": "", "malware": "", "config": ""}
ALL = ("vuln", "secret", "malware", "config", "package")
WHOLE = replace(
    plain.SCANS["judged"],
    inventory=replace(plain.INVENTORY, secrets=(KEY,), malware=(WORM,), risks=(ROOT,), checked=CHECKED),
    scanners=ALL,
)
SCANS = {**plain.SCANS, "whole": WHOLE}


@pytest.fixture(autouse=True)
def _scans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "SCANS", SCANS)


@pytest.mark.parametrize("scan", SCANS)
def test_cyclonedx_is_valid(scan: str) -> None:
    text = plain.written(scan, "cyclonedx")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)
    assert ("vulnerabilities" in found) == (SCANS[scan].judgement is not None)


def test_cyclonedx_ties_findings_to_packages() -> None:
    found = json.loads(plain.written("whole", "cyclonedx"))
    purls = {one["bom-ref"]: one.get("purl") for one in found["components"]}
    assert [purls[one["ref"]] for one in found["vulnerabilities"][0]["affects"]] == [plain.PACKAGE.purl]
    assert found["vulnerabilities"][0]["recommendation"].endswith("to 2")


@pytest.mark.parametrize("scan", SCANS)
def test_spdx_names_everything_once(scan: str) -> None:
    found = json.loads(plain.written(scan, "spdx"))
    ids = [one["SPDXID"] for one in found["packages"]]
    assert len(set(ids)) == len(ids) == len(SCANS[scan].inventory.packages) + 1
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one) for one in ids)
    related = {(one["spdxElementId"], one["relatedSpdxElement"]) for one in found["relationships"]}
    assert related == {("SPDXRef-DOCUMENT", ids[0]), *((ids[0], one) for one in ids[1:])}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["creationInfo"]["created"])


def test_spdx_keeps_license_words_that_are_no_expression_apart() -> None:
    licenses = {"MIT OR Apache-2.0": "MIT OR Apache-2.0", "see the file": "NOASSERTION", "": "NOASSERTION"}
    packages = tuple(replace(plain.PACKAGE, license=one) for one in licenses)
    SCANS["licenses"] = replace(WHOLE, inventory=replace(WHOLE.inventory, packages=packages))
    found = json.loads(plain.written("licenses", "spdx"))
    del SCANS["licenses"]
    assert [one["licenseDeclared"] for one in found["packages"][1:]] == list(licenses.values())


@pytest.mark.parametrize("scan", SCANS)
def test_sarif_tells_gaps(scan: str) -> None:
    run = json.loads(plain.written(scan, "sarif"))["runs"][0]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert run["invocations"][0]["executionSuccessful"] == (not notes)
    assert bool(notes) == (scan in ("judged", "not judged", "nothing covered", "no packages", "whole"))


def test_sarif_has_each_finding_with_its_place_and_rule() -> None:
    run = json.loads(plain.written("whole", "sarif"))["runs"][0]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert [one["ruleId"] for one in run["results"]] == ["CVE-1", "aws", "worm", "SW-1"] == rules
    assert [rules[one["ruleIndex"]] for one in run["results"]] == rules
    assert [one["level"] for one in run["results"]] == ["error", "error", "error", "warning"]
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "a/%FF%20b"}, "region": {"startLine": 7}}
    keys = {one["partialFingerprints"]["seawall/v1"] for one in run["results"]}
    assert len(keys) == 4


@pytest.mark.parametrize("scan", SCANS)
def test_junit_counts_what_it_holds(scan: str) -> None:
    root = Tree.fromstring(plain.written(scan, "junit"))
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert int(root.get(name, "")) == len(root.findall(f".//{tag}"))
        for suite in root:
            assert int(suite.get(name, "")) == len(suite.findall(f".//{tag}"))


def test_junit_never_passes_what_was_not_checked() -> None:
    root = Tree.fromstring(plain.written("not judged", "junit"))
    assert [one.get("name") for one in root] == ["not checked"]
    clean = Tree.fromstring(plain.written("clean", "junit"))
    assert [one.get("name") for one in clean.iter("testcase")] == ["nothing found"]


@pytest.mark.parametrize("scan", SCANS)
def test_html_is_safe_and_whole(scan: str) -> None:
    text = plain.written(scan, "html")
    assert "<b>worm</b>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script" not in text
    assert ("Not checked" in text) == (scan not in ("clean", "packages"))
    if scan == "whole":
        assert all(word in text for word in ("CVE-1", "AKIA…", "worm", "runs as root"))


def test_every_report_can_be_written_as_utf8() -> None:
    for form in REPORTS:
        plain.written("whole", form).encode()
