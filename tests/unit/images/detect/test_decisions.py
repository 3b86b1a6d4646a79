"""Decisions on findings: what they match, that nothing disappears, and what is told of them."""

from dataclasses import replace
from typing import Any

import pytest

from seawall.core.severity import Severity
from seawall.images.detect.decisions import settle, unfixed
from seawall.images.detect.purls import parsed, speaks_of
from seawall.images.model import ImageConfig, Inventory, Judgement, OperatingSystem, Secret, Statement, Vulnerability

TODAY = "2026-06-01"
DIGEST = "sha256:" + "a" * 64
IMAGE = Inventory(
    "docker:shop:1", "registry.example/team/shop:1", ImageConfig("sha256:" + "0" * 64),
    digests=(f"registry.example/team/shop@{DIGEST}",), os=OperatingSystem("rhel", "9.4"),
    secrets=(Secret("aws-key", "AWS key", Severity.HIGH, "high", "AK…", "f", path="app/x.env"),),
)  # fmt: skip
FINDING = Vulnerability(
    "CVE-2024-1", ("GHSA-x", "DSA-1"), "openssl", "3.0", "", "affected", Severity.HIGH, 7.5, "", None, False, "", "",
    "debian", "pkg:deb/debian/openssl@3.0?arch=amd64&distro=debian-12", "var/lib/dpkg/status", 0,
)  # fmt: skip


def left(**given: Any) -> tuple[list[str], tuple[str, ...]]:
    """Reasons of what does not count, after one decision, and what is told."""
    given = {"ids": ("CVE-2024-1",), "status": "accepted", "reason": "known", "source": "file"} | given
    _, judgement, told = settle(IMAGE, Judgement([FINDING]), [Statement(**given)], TODAY)
    assert judgement is not None
    assert len(judgement.vulnerabilities) + len(judgement.suppressed) == 1
    assert judgement.told == told
    return [one.suppressed for one in judgement.suppressed], told


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"ids": ("ghsa-X",)},
        {"ids": ()},
        {"packages": ("open*",)},
        {"packages": ("pkg:deb/debian/openssl",)},
        {"packages": ("pkg:deb/debian/openssl@3.0",)},
        {"packages": ("pkg:deb/debian/openssl@3.0?arch=amd64",)},
        {"packages": ("nothing", "openssl")},
        {"paths": ("var/lib/*",)},
        {"images": ("registry.example/team/*",)},
        {"images": (DIGEST,)},
        {"images": (f"pkg:oci/shop@{DIGEST.replace(':', '%3A')}?repository_url=registry.example/team/shop",)},
        {"images": ("pkg:oci/shop",)},
        {"images": ("pkg:oci/shop?tag=1",)},
        {"systems": ("rhel 9",)},
        {"until": TODAY},
        {"status": "not_affected"},
        {"status": "fixed"},
    ],
)
def test_what_matches_does_not_count_and_says_why(given: dict[str, Any]) -> None:
    (why,), told = left(**given)
    assert why.endswith(": known (file)")
    assert not told


@pytest.mark.parametrize(
    "given",
    [
        {"ids": ("CVE-2024-2",)},
        {"packages": ("libssl*",)},
        {"packages": ("pkg:deb/ubuntu/openssl",)},
        {"packages": ("pkg:deb/debian/openssl@3.1",)},
        {"packages": ("pkg:deb/debian/openssl?arch=arm64",)},
        {"packages": ("pkg:",)},
        {"paths": ("app/*",)},
        {"images": ("other:*",)},
        {"images": ("pkg:oci/other",)},
        {"images": ("pkg:oci/shop?tag=2",)},
        {"images": ("pkg:oci/shop@sha256%3A" + "b" * 64,)},
        {"images": ("pkg:deb/debian/shop",)},
        {"systems": ("rhel 8",)},
        {"until": "2026-05-31"},
        {"status": "affected"},
        {"status": "under_investigation"},
        {"kind": "secret"},
    ],
)
def test_what_does_not_match_counts(given: dict[str, Any]) -> None:
    assert left(**given)[0] == []


def test_what_no_longer_holds_and_what_nothing_needs_is_told() -> None:
    assert left(until="2026-05-31")[1] == ("no longer holds since 2026-05-31: CVE-2024-1 (file)",)
    assert left(ids=("CVE-2024-2",))[1] == ("nothing needs it: CVE-2024-2 (file)",)
    assert left(ids=("CVE-2024-2",), status="not_affected")[1] == (), "vendors speak of much that is not here"
    assert left(ids=("CVE-2024-2",), images=("other:*",))[1] == (), "nor of other images"


def test_other_findings_are_left_out_and_counted() -> None:
    one = Statement(("aws-key",), "accepted", "a test key", "file", paths=("app/*",), kind="secret")
    image, judgement, told = settle(IMAGE, None, [one], TODAY)
    assert (image.secrets, judgement) == ((), None)
    assert told == ("1 findings of secret do not count by decision",)


def test_what_has_no_fix_can_be_left_out_and_is_kept() -> None:
    found = unfixed(Judgement([FINDING, replace(FINDING, id="CVE-2", fixed="3.1", status="fixed")]))
    assert [one.id for one in found.vulnerabilities] == ["CVE-2"]
    assert [one.suppressed for one in found.suppressed] == ["there is no fix (affected)"]


@pytest.mark.parametrize("text", ["", "openssl", "pkg:", "pkg:deb", "pkg:deb/", "pkg:deb/" + "x" * 9000])
def test_odd_purls_speak_of_nothing(text: str) -> None:
    assert parsed(text) is None
    assert not speaks_of(text, FINDING.purl)


def test_an_epoch_is_part_of_an_rpms_version() -> None:
    purl = "pkg:rpm/redhat/openssl@3.0-1?arch=x86_64&epoch=1"
    assert speaks_of("pkg:rpm/redhat/openssl@1:3.0-1?arch=src", purl)
    assert speaks_of("pkg:rpm/redhat/openssl@3.0-1", purl)
    assert not speaks_of("pkg:rpm/redhat/openssl@2:3.0-1", purl)
