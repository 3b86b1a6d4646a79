"""Bills of materials: our own come back as they went, others' as their writers mean them, rubbish not at all."""

import io
import json
import os
from pathlib import Path

import pytest

import archives
from archives import layer, metadata, saved, status
from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import image, purls, sboms, sources
from seawall.images.collect.reading import Reading
from seawall.images.model import Inventory, OperatingSystem, Package, Scan
from seawall.images.normalise import purl
from seawall.images.report import REPORTS

SOURCE = (
    b"\nPackage: libssl3\nStatus: install ok installed\nSource: openssl (3.0.1)\n"
    b"Architecture: amd64\nVersion: 3.0.1+b1\n\n"
)
BASE = {
    "etc/os-release": archives.OS_RELEASE,
    "var/lib/dpkg/status": status(bash="1:5.1") + SOURCE,
    "site/PyYAML-5.3.dist-info/METADATA": metadata("PyYAML", "5.3"),
    "node_modules/@a/b/package.json": b'{"name": "@a/b", "version": "1.0.0"}',
}


def made() -> Inventory:
    return image.read(io.BytesIO(saved([layer(BASE)])), image.Names("docker-archive:x"))


def key(one: Package) -> tuple:
    return one.kind, one.name.lower(), one.version, one.source_name, one.source_version, one.arch, one.purl


@pytest.mark.parametrize("form", ["cyclonedx", "spdx"])
def test_our_own_come_back(form: str, tmp_path: Path) -> None:
    before = made()
    path = tmp_path / "bill.json"
    with path.open("w") as out:
        REPORTS[form](Scan(before, "2026-01-01T00:00:00Z", ("package",), None), out)
    found = sources.collect(f"sbom:{path}")
    assert len(before.packages) == 4
    assert {key(one) for one in found.packages} == {key(one) for one in before.packages}
    assert found.os is not None
    assert (found.os.id, found.os.version) == ("debian", "11")
    if form == "cyclonedx":
        assert found.config.id == before.config.id
        assert [one.diff_id for one in found.layers] == [one.diff_id for one in before.layers]


def test_syfts(tmp_path: Path) -> None:
    document = {
        "artifacts": [
            {"name": "libssl3", "version": "3.0.1+b1", "type": "deb", "locations": [{"path": "/var/lib/dpkg/status"}],
             "purl": "pkg:deb/debian/libssl3@3.0.1%2Bb1?arch=amd64&upstream=openssl%403.0.1&distro=debian-11",
             "metadata": {"source": "openssl", "sourceVersion": "3.0.1"}, "licenses": [{"value": "Apache-2.0"}]},
            {"name": "odd", "version": "1", "purl": "", "type": "binary"},
        ],
        "source": {"type": "image", "metadata": {"userInput": "x:1", "imageID": "sha256:" + "a" * 64}},
        "distro": {"id": "debian", "versionID": "11", "prettyName": "Debian"},
        "schema": {"version": "16", "url": "https://raw.example/anchore/syft/main/schema/json/schema-16.json"},
    }  # fmt: skip
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    found = sources.collect(f"sbom:{path}")
    one = found.packages[0]
    assert (one.name, one.source_name, one.source_version, one.license) == ("libssl3", "openssl", "3.0.1", "Apache-2.0")
    assert one.locations[0].path == "var/lib/dpkg/status"
    assert (found.name, found.config.id) == ("x:1", "sha256:" + "a" * 64)
    assert [one.where for one in found.skipped] == ["odd"]


def test_trivys_cyclonedx(tmp_path: Path) -> None:
    component = {
        "type": "library", "name": "bash", "version": "5.1-2",
        "purl": "pkg:rpm/redhat/bash@5.1-2.el9?arch=x86_64&epoch=1",
        "licenses": [{"license": {"name": "GPL"}}, {"expression": "MIT"}],
        "properties": [{"name": f"aquasecurity:trivy:{key}", "value": value} for key, value in
                       {"SrcName": "bash", "SrcVersion": "5.1", "SrcRelease": "2.el9", "SrcEpoch": "1"}.items()],
    }  # fmt: skip
    system = {"type": "operating-system", "name": "redhat", "version": "9.2"}
    jar = {"type": "application", "name": "x.jar", "properties": [{"name": "aquasecurity:trivy:Type", "value": "jar"}],
           "components": [{"type": "library", "name": "y", "purl": "pkg:maven/g/y@1"}]}  # fmt: skip
    path = tmp_path / "x.json"
    path.write_text(
        json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [component, system, jar]})
    )
    found = {one.name: one for one in sources.collect(f"sbom:{path}").packages}
    bash = found["bash"]
    assert (bash.version, bash.source_version, bash.license) == ("1:5.1-2.el9", "1:5.1-2.el9", "GPL AND MIT")
    assert found["g:y"].kind == "maven"


@pytest.mark.parametrize(
    ("text", "name", "version", "source"),
    [
        ("pkg:npm/%40scope/name@1.0", "@scope/name", "1.0", ""),
        ("pkg:golang/github.com/a/b/v2@v2.0.1#sub", "github.com/a/b/v2", "v2.0.1", ""),
        ("pkg:maven/org.x/y@1?type=jar", "org.x:y", "1", ""),
        ("pkg:deb/debian/a@1%3A2?arch=amd64&upstream=b", "a", "1:2", "b"),
        ("pkg:rpm/rocky/a@1-2.el9?upstream=b-c-3-4.el9.src.rpm&epoch=0", "a", "1-2.el9", "b-c"),
        ("pkg:composer/Vendor/name@1", "Vendor/name", "1", ""),
        ("pkg:apk/alpine/musl@1.2-r0", "musl", "1.2-r0", "musl"),
    ],
)
def test_purls(text: str, name: str, version: str, source: str) -> None:
    found = purls.package(purls.parse(text))
    assert (found.name, found.version, found.source_name) == (name, version, source)


def test_purls_and_back() -> None:
    system = OperatingSystem("debian", "11")
    for one in made().packages:
        again = purls.package(purls.parse(one.purl), one.name)
        assert purl(again, system) == one.purl


@pytest.mark.parametrize("text", ["", "x", "pkg:", "pkg:npm", "pkg:/", "pkg:npm/@1", "pkg:" + "a" * 5000, "http://x"])
def test_no_purls(text: str) -> None:
    with pytest.raises(ValueError, match=r"purl|package"):
        purls.parse(text)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"bomFormat": "CycloneDX"', os.urandom(1000), b'{"spdxVersion": 3}'],
)
def test_rubbish(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(Hostile):
        sources.collect(f"sbom:{path}")


def test_values_of_any_kind(tmp_path: Path) -> None:
    odd = [3, None, "x", {}, [], {"name": 3, "purl": [], "type": {}, "properties": 7, "licenses": [3], "evidence": 1},
           {"name": "n", "purl": "pkg:npm/a@1", "components": [{"components": "x"}], "externalRefs": 3}]  # fmt: skip
    deep: dict = {"type": "library", "name": "end", "purl": "pkg:npm/end@1"}
    for _ in range(200):
        deep = {"type": "library", "name": "x", "components": [deep]}
    for document in (
        {"bomFormat": "CycloneDX", "components": [*odd, deep], "metadata": [3]},
        {"spdxVersion": "SPDX-2.3", "packages": odd},
        {"artifacts": odd, "schema": {"url": "syft"}, "source": 3, "distro": []},
    ):
        path = tmp_path / "x.json"
        path.write_text(json.dumps(document))
        assert len(sources.collect(f"sbom:{path}").packages) <= 1


def test_other_scanners_say_that_they_did_not_look(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"bomFormat": "CycloneDX", "components": []}))
    reading = Reading()
    reading.analysers.checked["secret"] = ""
    found = sources.collect(f"sbom:{path}", reading)
    assert found.checked["package"] == ""
    assert "packages alone" in found.checked["secret"]
    with pytest.raises(SeawallError, match="cannot read"):
        sources.collect("sbom:/none")


def test_every_form_is_a_file_and_every_file_a_form() -> None:
    files = {path.stem for path in Path(sboms.__file__).parent.glob("*.py")} - {"__init__", "bill"}
    assert files == set(sboms.FORMS)
