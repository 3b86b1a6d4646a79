"""Every report of every kind of scan: the JSON fits its schema, the table says what was not checked."""

import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from seawall.cli import image as command
from seawall.core.severity import Severity
from seawall.core.skipped import Skipped
from seawall.images import report
from seawall.images.model import (
    ImageConfig,
    Inventory,
    Judgement,
    Layer,
    Location,
    OperatingSystem,
    Package,
    Scan,
    Vulnerability,
)
from seawall.images.report import REPORTS, table

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/reference/schemas/scan.json").read_text())
EVIL = "bash\x1b[2J\r\n\u202eevil"
PACKAGE = Package(EVIL, "1", "deb", "pkg:deb/debian/bash@1", locations=(Location("var/lib/dpkg/\udcff", 0),))
NPM = Package("x", "1", "npm", "pkg:npm/x@1", locations=(Location("app/x", 0),))
FINDING = Vulnerability(
    "CVE-1", ("DSA-1",), EVIL, "1", "2", "fixed", Severity.HIGH, 7.5, "", None, True, EVIL, "", "debian", PACKAGE.purl,
    "var/lib/dpkg/status", 0,
)  # fmt: skip
INVENTORY = Inventory(
    target="docker:x",
    name="x:1",
    config=ImageConfig("sha256:" + "0" * 64),
    os=OperatingSystem("debian", "11"),
    layers=(Layer(0, "sha256:a", 10, "COPY"),),
    packages=(PACKAGE, NPM),
    skipped=tuple(Skipped(f"layer {number}: {EVIL}", "broken") for number in range(30)),
    stats={"files": 3, "bytes": 10, "seconds": 0.1, "skipped": 30, "unread_layers": 0},
)
NOW = "2026-11-25T06:00:00.000Z"
KNOWLEDGE = {"feeds": [], "advisories": 1, "kev": 1, "age_days": 3}
SCANS = {
    "judged": Scan(
        INVENTORY, NOW, ("vuln", "package"), Judgement([FINDING], frozenset({NPM.purl})), knowledge=KNOWLEDGE
    ),
    "clean": Scan(INVENTORY, NOW, ("vuln",), Judgement([]), knowledge=KNOWLEDGE),
    "not judged": Scan(INVENTORY, NOW, ("vuln", "package"), None, "no advisories"),
    "nothing covered": Scan(INVENTORY, NOW, ("vuln",), Judgement([], frozenset({NPM.purl, PACKAGE.purl}))),
    "no packages": Scan(replace(INVENTORY, packages=()), NOW, ("vuln",), Judgement([])),
    "packages": Scan(INVENTORY, NOW, ("package",), None, "not asked for"),
}


def written(scan: str, form: str) -> str:
    out = io.StringIO()
    REPORTS[form](SCANS[scan], out)
    return out.getvalue()


@pytest.mark.parametrize("scan", SCANS)
def test_json_fits_its_schema(scan: str) -> None:
    found = json.loads(written(scan, "json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert (found["vulnerabilities"] is None) == (SCANS[scan].judgement is None)
    assert (found["packages"] is None) == ("package" not in SCANS[scan].scanners)
    assert found["secrets"] is found["malware"] is found["config"] is None


def test_json_tells_what_was_checked() -> None:
    assert [one["checked"] for one in json.loads(written("judged", "json"))["packages"]] == [True, False]
    unchecked = {name: json.loads(written(name, "json"))["unchecked"] for name in SCANS}
    assert (unchecked["judged"], unchecked["nothing covered"], unchecked["clean"]) == (1, 2, 0)
    assert unchecked["not judged"] is unchecked["packages"] is None
    assert [one["checked"] for one in json.loads(written("not judged", "json"))["packages"]] == [None, None]


def test_the_schema_is_strict() -> None:
    found = json.loads(written("judged", "json"))
    for broken in ({"schema": "seawall.scan/2"}, {"vulnerabilities": [{}]}, {"more": 1}, {"secrets": [{}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate(found | broken)


@pytest.mark.parametrize("scan", SCANS)
def test_a_table_holds_no_control_characters(scan: str) -> None:
    assert all(line.isprintable() for line in written(scan, "table").splitlines())


def test_a_table_says_what_counts() -> None:
    judged = written("judged", "table")
    for words in ("CVE-1", "high", "high KEV", "1 vulnerabilities: 1 high", "NOT CHECKED: 1 npm", "30 places"):
        assert words in judged
    assert "VULNERABILITIES WERE NOT CHECKED: no advisories" in written("not judged", "table")
    clean = written("clean", "table")
    assert "0 vulnerabilities" in clean
    assert "NOT CHECKED" not in clean
    assert "app/x" in written("packages", "table")
    for scan in ("nothing covered", "no packages"):
        said = written(scan, "table")
        assert "0 vulnerabilities" not in said
        assert "NOT CHECKED" in said


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_table_never_cuts_what_people_look_for(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "WIDTH", width)
    long = replace(FINDING, id="CVE-2021-3711", package="libssl1.1", installed="1.1.1n-0+deb11u3", title="long " * 100)
    other = replace(long, fixed="1.1.1n-0+deb11u4", kev=False)
    out = io.StringIO()
    table.write(replace(SCANS["judged"], judgement=Judgement([long, other])), out)
    lines = [line for line in out.getvalue().splitlines() if "CVE-2021-3711" in line]
    for line, one in zip(lines, (long, other), strict=True):
        said = ("high KEV" if one.kev else "high", one.id, one.package, one.installed, one.fixed)
        assert all(f"{word} " in line for word in said)
    assert all(len(line) <= width for line in lines)
    assert ("long long" in lines[0]) == (width > 80)


def test_every_report_is_a_file_and_every_file_a_report() -> None:
    files = {path.stem for path in Path(report.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(REPORTS) == set(command.FORMATS)
