"""Feeds: real shapes are read, broken ones are counted and named, archives have limits."""

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from seawall.core.skipped import Skipped
from seawall.intel import collect
from seawall.intel.collect import parse
from seawall.intel.collect.documents import Document, documents
from seawall.intel.model import Range

OSV = {
    "id": "PYSEC-1",
    "aliases": ["CVE-2024-1"],
    "summary": "Bad",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Zope.Interface"},
            "ranges": [
                {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "abc"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}, {"introduced": "3"}]},
            ],
        }
    ],
}
DSA = """[29 Mar 2023] DSA-5380-1 xorg-server - security update
\t{CVE-2023-1393 CVE-2023-1394}
\t[bullseye] - xorg-server 2:1.20.11-1+deb11u6
\t[buster] - xorg-server <not-affected>
[17 Mar 2023] DSA-5356-2 sox - regression update
\t[bullseye] - sox 14.4.2+git20190427-2+deb11u2
"""
SECDB = """distroversion: v3.11
reponame: main
packages:
  - pkg:
      name: xen
      secfixes:
        4.10.0-r2:
          - CVE-2018-1 XSA-252
        0:
          - CVE-2018-2
"""


def test_every_feed_file_is_listed() -> None:
    folder = Path(collect.__file__).parent
    reading = {"__init__", "definitions", "documents", "markup", "observables", "parsed", "reference", "streamed"}
    reading.add("unpacking")
    assert {path.stem for path in folder.glob("*.py")} - reading == set(collect.FEEDS)


def test_osv() -> None:
    (parsed,) = list(parse(Document("x.json", json.dumps(OSV).encode())) or [])
    (advisory,) = parsed.advisories
    assert (parsed.feed, advisory.score, advisory.severity) == ("osv PyPI", 9.8, "critical")
    assert advisory.affected[0].package == "zope-interface"
    assert advisory.affected[0].ranges == (Range("", "2"), Range("3")), "commits of git ranges are no versions"


def test_debian_splits_by_cve_and_leaves_repairs_out() -> None:
    found = list(parse(Document("data/DSA/list", DSA.encode())) or [])
    assert [(one.feed, one.origin) for one in found] == [("debian DSA", "DSA-5380-1")]
    assert [one.id for one in found[0].advisories] == ["CVE-2023-1393", "CVE-2023-1394"]
    assert [part.ecosystem for part in found[0].advisories[0].affected] == ["Debian:11"]
    assert found[0].advisories[0].published == "2023-03-29"


def test_alpine() -> None:
    (parsed,) = list(parse(Document("main.yaml", SECDB.encode())) or [])
    (advisory,) = parsed.advisories
    assert (advisory.id, advisory.aliases) == ("CVE-2018-1", ("XSA-252",))
    assert advisory.affected[0].ranges == (Range(fixed="4.10.0-r2"),)


def test_kev() -> None:
    value = {"catalogVersion": "1", "vulnerabilities": [{"cveID": "CVE-1", "knownRansomwareCampaignUse": "Known"}]}
    (parsed,) = list(parse(Document("kev.json", json.dumps(value).encode())) or [])
    assert parsed.exploited[0].ransomware


@pytest.mark.parametrize(
    "data",
    [
        b'{"id": "X", "affected": 7}',
        b'{"id": "X", "affected": [7]}',
        b'{"id": 7, "affected"',
        b'{"id": null, "affected": []}',
        b"id: X\naffected: [\n",
        b"distroversion: v3\nreponame: main\npackages: [{}]\n",
        b'{"catalogVersion": 1, "cveID": 2}',
        b'{"id": "X", "affected": ' + b"[" * 100_000,
    ],
)
def test_broken_documents_say_so(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        list(parse(Document("x", data)) or [])


@pytest.mark.parametrize("data", [b"", b"# readme", b"\xff\xfe\x00", b"[]", b"{}", b"\x00" * 5000])
def test_what_is_no_feed_is_not_taken_for_one(data: bytes) -> None:
    assert parse(Document("x", data)) is None


def _names(path: Path) -> tuple[list[str], list[Skipped]]:
    skipped: list[Skipped] = []
    return [document.name for document in documents(path, skipped.append)], skipped


def test_archives_are_read_as_streams(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("a.json", "../../b.json"):
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"{}"))
        link = tarfile.TarInfo("c.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        archive.addfile(link)
    (tmp_path / "f.tar.gz").write_bytes(packed.getvalue())
    assert _names(tmp_path / "f.tar.gz") == (["f.tar.gz:a.json", "f.tar.gz:../../b.json"], [])
    (tmp_path / "k.json.gz").write_bytes(gzip.compress(b"{}"))
    assert _names(tmp_path / "k.json.gz") == (["k.json"], [])
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("x/y.json", "{}")
    assert _names(tmp_path / "all.zip") == (["all.zip:x/y.json"], [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "f.tar.gz", "k.json.gz"], (
        "nothing is unpacked"
    )


def test_an_archive_that_is_cut_off_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number in range(3):
            member = tarfile.TarInfo(f"{number}.json")
            member.size = 4000
            archive.addfile(member, io.BytesIO(b" " * 4000))
    (tmp_path / "f.tar").write_bytes(packed.getvalue()[:7000])
    names, skipped = _names(tmp_path / "f.tar")
    assert names == ["f.tar:0.json"]
    assert "cut off" in skipped[0].why
