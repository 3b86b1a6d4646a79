"""Statements of vendors in all three forms, read, written and read again; broken ones are refused."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.images.detect.decisions import settle
from seawall.images.load import vex
from seawall.images.load.vex import FORMS, parse
from seawall.images.model import ImageConfig, Inventory, Judgement, Scan, Statement, Vulnerability
from seawall.images.report import REPORTS

OPENVEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "author": "Vendor",
    "statements": [
        {
            "vulnerability": {"name": "CVE-2024-1", "aliases": ["GHSA-1"]},
            "products": [{"@id": "pkg:oci/shop@sha256%3Aaa", "subcomponents": [{"@id": "pkg:npm/a@1"}]}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
            "impact_statement": "never called",
        },
        {"vulnerability": "CVE-2024-2", "products": ["pkg:npm/b"], "status": "fixed"},
    ],
}
CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "components": [{"bom-ref": "b", "purl": "pkg:npm/b@1", "components": [{"bom-ref": "c", "purl": "pkg:npm/c@1"}]}],
    "vulnerabilities": [
        {
            "id": "CVE-2024-1",
            "references": [{"id": "GHSA-1"}],
            "analysis": {"state": "not_affected", "justification": "code_not_reachable", "detail": "never called"},
            "affects": [{"ref": "c"}, {"ref": "urn:cdx:3e67/1#pkg%3Anpm/a%401"}],
        },
        {"id": "CVE-2024-2", "affects": [{"ref": "b"}]},
        {"id": "CVE-2024-3", "analysis": {"state": "exploitable"}, "affects": [{"ref": "b"}]},
    ],
}
CSAF: dict[str, Any] = {
    "document": {"csaf_version": "2.0", "category": "csaf_vex", "publisher": {"name": "Red Hat"}},
    "product_tree": {
        "branches": [
            {
                "branches": [
                    {
                        "product": {
                            "product_id": "rhel9",
                            "name": "RHEL 9",
                            "product_identification_helper": {"cpe": "cpe:/o:redhat:enterprise_linux:9::baseos"},
                        }
                    },
                    {
                        "product": {
                            "product_id": "ssl",
                            "name": "openssl",
                            "product_identification_helper": {"purl": "pkg:rpm/redhat/openssl"},
                        }
                    },
                ]
            }
        ],
        "relationships": [
            {
                "category": "default_component_of",
                "full_product_name": {"product_id": "rhel9:ssl", "name": "openssl of RHEL 9"},
                "product_reference": "ssl",
                "relates_to_product_reference": "rhel9",
            }
        ],
    },
    "vulnerabilities": [
        {
            "cve": "CVE-2024-1",
            "product_status": {"known_not_affected": ["rhel9:ssl"], "recommended": ["x"]},
            "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["rhel9:ssl"]}],
            "threats": [{"category": "impact", "details": "not built in", "product_ids": ["rhel9:ssl"]}],
        }
    ],
}


def read(content: Any) -> tuple[Statement, ...]:
    return parse(json.dumps(content).encode(), "v.json")


def test_every_file_is_a_form_and_every_form_a_file() -> None:
    assert {path.stem for path in Path(vex.__file__).parent.glob("*.py")} - {"__init__"} == set(FORMS)


def test_openvex() -> None:
    assert read(OPENVEX) == (
        Statement(
            ("CVE-2024-1", "GHSA-1"), "not_affected", "never called", "v.json, Vendor", ("pkg:npm/a@1",),
            ("pkg:oci/shop@sha256%3Aaa",), justification="vulnerable_code_not_in_execute_path",
        ),
        Statement(("CVE-2024-2",), "fixed", "", "v.json, Vendor", ("pkg:npm/b",)),
    )  # fmt: skip


def test_cyclonedx() -> None:
    assert read(CYCLONEDX) == (
        Statement(
            ("CVE-2024-1", "GHSA-1"), "not_affected", "never called", "v.json", ("pkg:npm/c@1", "pkg:npm/a@1"),
            justification="vulnerable_code_not_in_execute_path",
        ),
        Statement(("CVE-2024-3",), "affected", "", "v.json", ("pkg:npm/b@1",)),
    )  # fmt: skip


def test_csaf_speaks_of_packages_of_one_system() -> None:
    assert read(CSAF) == (
        Statement(
            ("CVE-2024-1",), "not_affected", "not built in", "v.json, Red Hat", ("pkg:rpm/redhat/openssl",),
            justification="vulnerable_code_not_present", systems=("rhel 9",),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000,
        json.dumps({**OPENVEX, "statements": [{}]}).encode(),
        json.dumps({**OPENVEX, "statements": ["x"]}).encode(),
        json.dumps({**OPENVEX, "statements": [{"vulnerability": 7, "status": "fixed", "products": [1]}]}).encode(),
        json.dumps({**OPENVEX, "statements": [{"vulnerability": "x", "status": "perhaps"}]}).encode(),
        json.dumps({**CYCLONEDX, "vulnerabilities": [7]}).encode(),
        json.dumps({**CSAF, "product_tree": {"branches": [7]}}).encode(),
        json.dumps({**CSAF, "product_tree": 7}).encode(),
        json.dumps({**CSAF, "vulnerabilities": [{"cve": "x", "product_status": {"fixed": 7}}]}).encode(),
    ],
)  # fmt: skip
def test_broken_documents_are_value_errors(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(data, "v.json")


def test_branches_in_branches_end() -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"branches": [deep]}
    with pytest.raises(ValueError, match="nested"):
        read({**CSAF, "product_tree": deep})


def test_a_file_that_is_none_names_itself(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    with pytest.raises(SeawallError, match=r"x\.json"):
        vex.read(file)
    file.write_text("{}")
    with pytest.raises(SeawallError, match=r"x\.json.*no VEX"):
        vex.read(file)


FINDING = Vulnerability(
    "CVE-2024-1", (), "openssl", "3.0", "", "affected", Severity.HIGH, 7.5, "", None, False, "t", "", "debian",
    "pkg:deb/debian/openssl@3.0?arch=amd64", "", 0,
)  # fmt: skip
IMAGE = Inventory("docker:x", "x:1", ImageConfig("sha256:" + "0" * 64), digests=("r/x@sha256:" + "a" * 64,))


@pytest.mark.parametrize("form", ["openvex", "csaf", "cyclonedx_vex"])
@pytest.mark.parametrize("status", ["not_affected", "fixed", "accepted"])
def test_what_was_decided_is_written_and_means_the_same_when_read(form: str, status: str) -> None:
    mine = Statement(("CVE-2024-1",), status, "because", "file")
    _, judgement, _ = settle(IMAGE, Judgement([FINDING]), [mine], "2026-01-01")
    out = io.StringIO()
    REPORTS[form](Scan(IMAGE, "2026-01-01T00:00:00.000Z", ("vuln",), judgement), out)
    back = parse(out.getvalue().encode(), "back.json")
    assert [(one.ids[0], one.status) for one in back] == [
        ("CVE-2024-1", "affected" if status == "accepted" else status)
    ]
    assert back[0].packages[0].startswith("pkg:deb/debian/openssl@3.0")
    _, again, _ = settle(IMAGE, Judgement([FINDING]), back, "2026-01-01")
    assert again is not None
    assert bool(again.suppressed) == (status != "accepted")


@pytest.mark.parametrize("form", ["openvex", "csaf", "cyclonedx_vex"])
def test_only_decisions_are_written(form: str) -> None:
    out = io.StringIO()
    REPORTS[form](Scan(IMAGE, "2026-01-01T00:00:00.000Z", ("vuln",), Judgement([FINDING])), out)
    assert "CVE-2024-1" not in out.getvalue()
