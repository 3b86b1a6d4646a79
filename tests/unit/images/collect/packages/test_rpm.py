"""rpm's three databases give the same packages; a broken one says so and does nothing else."""

import random
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import rpms
from seawall.images.collect.packages import rpm
from seawall.images.model import OperatingSystem
from seawall.images.normalise import purl

BLOBS = [
    rpms.header(
        "bash", "5.1.8", "6.el9", arch="x86_64", source="bash-5.1.8-6.el9.src.rpm", vendor="Red Hat, Inc.",
        license="GPLv3+", files=["/usr/bin/bash", "/usr/share/doc/bash/README", "/etc/skel/.bashrc"],
    ),
    rpms.header(
        "perl-libs", "5.32.1", "480.el9", epoch=4, arch="x86_64", source="perl-5.32.1-480.el9.src.rpm",
        module="perl:5.32:8090:abc",
    ),
    rpms.header("python3-six", "1.15.0", "9.el9", arch="noarch", files=[
        f"/usr/lib/python3.9/site-packages/six-1.15.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")
    ]),
    rpms.header("gpg-pubkey", "fd431d51", "4ae0493b"),
    rpms.header("big", "1", "1", files=[f"/usr/share/big/{number:06}" for number in range(5000)]),
]  # fmt: skip
DATABASES: dict[str, Callable[..., bytes]] = {
    "sqlite": rpms.sqlite,
    "sqlite with a log": lambda blobs: rpms.sqlite(blobs, wal=True),
    "ndb": rpms.ndb,
    "bdb": rpms.bdb,
    "bdb of the other byte order": lambda blobs: rpms.bdb(blobs, order=">"),
    "bdb of small pages": lambda blobs: rpms.bdb(blobs, page=512),
}


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Callable[..., bytes]:
    return DATABASES[request.param]


def test_packages_and_what_they_brought(database: Callable[..., bytes]) -> None:
    found = rpm.read("var/lib/rpm/x", database(BLOBS))
    assert {(one.name, one.version, one.source_name, one.source_version) for one in found.packages} == {
        ("bash", "5.1.8-6.el9", "bash", "5.1.8-6.el9"),
        ("perl-libs", "4:5.32.1-480.el9", "perl", "4:5.32.1-480.el9"),
        ("python3-six", "1.15.0-9.el9", "python3-six", "1.15.0-9.el9"),
        ("big", "1-1", "big", "1-1"),
    }
    bash, perl = found.packages[:2]
    assert (bash.arch, bash.vendor, bash.license, perl.module) == (
        "x86_64", "Red Hat, Inc.", "GPLv3+", "perl:5.32:8090:abc"
    )  # fmt: skip
    assert found.owned == ["usr/bin/bash", "usr/lib/python3.9/site-packages/six-1.15.0.dist-info/METADATA"]
    assert purl(perl, OperatingSystem("rhel", "9.3")) == (
        "pkg:rpm/redhat/perl-libs@5.32.1-480.el9?arch=x86_64&epoch=4&distro=rhel-9.3"
    )


def test_an_empty_database(database: Callable[..., bytes]) -> None:
    assert rpm.read("x", database([])).packages == []


def test_a_broken_one_is_told(database: Callable[..., bytes]) -> None:
    """Bytes turned at random: either packages or a ValueError comes out, in bounded time."""
    chance = random.Random(1)
    whole = database(BLOBS)
    for _ in range(150):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(1, 20)):
            if data:
                data[chance.randrange(min(len(data), 5000))] = chance.randrange(256)
        try:
            rpm.read("x", bytes(data))
        except ValueError:
            continue


def test_a_chain_of_pages_in_a_circle_ends() -> None:
    data = bytearray(rpms.bdb(BLOBS, page=512))
    for page in range(2, len(data) // 512):
        data[page * 512 + 16 : page * 512 + 20] = (2).to_bytes(4, "little")
    with pytest.raises(ValueError, match=r"rpm header"):
        rpm.read("x", bytes(data))


@pytest.mark.parametrize("blob", [b"", b"\0" * 8, b"\xff" * 100, rpms.header("x", "1")[:-1]])
def test_a_header_of_sizes_that_lie(blob: bytes) -> None:
    with pytest.raises(ValueError, match="an rpm header"):
        rpm.read("x", rpms.sqlite([blob]))


def test_sqlite_runs_nothing_of_the_database() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIEW Packages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT zeroblob(100000000) AS blob FROM n"
    )
    data = connection.serialize()
    connection.close()
    with pytest.raises(ValueError, match="without rpm's table"):
        rpm.read("x", data)
    with pytest.raises(ValueError, match="unknown kind"):
        rpm.read("x", b"no database at all")


SPEC = """\
Name: tide
Epoch: 2
Version: 1.4
Release: 3
Summary: x
License: MIT
Vendor: Sea
BuildArch: noarch
ModularityLabel: tide:18:8090:abc
%description
x
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/tide
echo hi > %{buildroot}/usr/bin/tide
echo hi > %{buildroot}/usr/share/tide/readme
%files
/usr/bin/tide
/usr/share/tide/readme
"""


def test_what_rpm_itself_writes(tmp_path: Path) -> None:
    """And its header in our own ndb and Berkeley DB: Debian's rpm writes neither."""
    (tmp_path / "tide.spec").write_text(SPEC)
    root = ["--root", str(tmp_path / "root"), "--dbpath", "/var/lib/rpm", "--define", "_db_backend sqlite"]

    def run(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True, timeout=60)

    try:
        run("rpmbuild", "--define", f"_topdir {tmp_path}/top", "-bb", str(tmp_path / "tide.spec"))
    except FileNotFoundError:
        pytest.skip("no rpmbuild here")
    (tmp_path / "root").mkdir()
    (built,) = (tmp_path / "top" / "RPMS" / "noarch").glob("*.rpm")
    run("rpm", *root, "-i", "--nodeps", str(built))
    data = (tmp_path / "root/var/lib/rpm/rpmdb.sqlite").read_bytes()
    found = rpm.read("var/lib/rpm/rpmdb.sqlite", data)
    assert [(one.name, one.version, one.arch, one.module, one.vendor) for one in found.packages] == [
        ("tide", "2:1.4-3", "noarch", "tide:18:8090:abc", "Sea")
    ]
    assert found.owned == ["usr/bin/tide"]
    (tmp_path / "x").write_bytes(data)
    with sqlite3.connect(tmp_path / "x") as connection:
        blobs = [row[0] for row in connection.execute("SELECT blob FROM Packages")]
    connection.close()
    for write in (rpms.ndb, rpms.bdb):
        assert rpm.read("x", write(blobs)) == found
