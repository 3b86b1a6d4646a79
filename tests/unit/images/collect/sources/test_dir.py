"""A folder on disk, with what somebody may have put into it: nothing is followed, waited for or run."""

import os
import socket
import stat
from pathlib import Path

import pytest

import archives
from archives import metadata, status
from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import folder, layers, sources
from seawall.images.collect.reading import Reading
from seawall.images.collect.streams import Budget


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    for name, data in {
        "usr/lib/os-release": archives.OS_RELEASE,
        "var/lib/dpkg/status": status(bash="5.1"),
        "opt/x/a-1.dist-info/METADATA": metadata("a", "1"),
    }.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    (path / "etc").mkdir()
    (path / "etc/os-release").symlink_to("../usr/lib/os-release")
    return path


def names(path: Path, **more) -> list[str]:
    return sorted(one.name for one in sources.collect(f"dir:{path}", Reading(**more)).packages)


def test_a_root_file_system(root: Path) -> None:
    found = sources.collect(f"dir:{root}")
    assert [one.name for one in found.packages] == ["a", "bash"]
    assert found.os is not None
    assert found.os.version == "11"
    assert found.packages[1].purl == "pkg:deb/debian/bash@5.1?arch=amd64&distro=debian-11"
    assert found.skipped == ()
    assert found.risks == ()
    assert found.stats["bytes"] > 0


def test_marks_of_deletion_are_plain_names(root: Path) -> None:
    (root / "var/lib/dpkg/.wh.status").write_bytes(b"")
    (root / "opt/x/.wh..wh..opq").write_bytes(b"")
    assert names(root) == ["a", "bash"]


def test_links_are_not_followed_out_or_in_circles(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside" / "b-1.dist-info"
    outside.mkdir(parents=True)
    (outside / "METADATA").write_bytes(metadata("outside", "1"))
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "circle").symlink_to("..")
    (root / "self").symlink_to("self")
    (root / "c-1.dist-info").mkdir()
    (root / "c-1.dist-info" / "METADATA").symlink_to(outside / "METADATA")
    assert names(root) == ["a", "bash"]


def test_pipes_sockets_and_devices_are_not_opened(root: Path) -> None:
    place = root / "d-1.dist-info"
    place.mkdir()
    os.mkfifo(place / "METADATA")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(root / "socket"))
    if os.geteuid() == 0:
        os.mknod(root / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    found = sources.collect(f"dir:{root}")
    assert [one.where for one in found.skipped] == ["d-1.dist-info/METADATA"]
    assert "device or pipe" in found.skipped[0].why


def test_limits(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = root
    for _ in range(20):
        deep = deep / "d"
    deep.mkdir(parents=True)
    monkeypatch.setattr(layers, "MAX_DEPTH", 10)
    found = sources.collect(f"dir:{root}")
    assert any("folders deep" in one.why for one in found.skipped)
    monkeypatch.setattr(folder, "MAX_ENTRIES", 5)
    with pytest.raises(Hostile, match="more than 5"):
        names(root)


def test_a_sparse_giant_is_skipped_and_the_time_ends(root: Path) -> None:
    with (root / "giant.jar").open("wb") as file:
        file.write(b"PK\3\4")
        file.truncate(1 << 40)
    found = sources.collect(f"dir:{root}")
    assert any(one.where == "giant.jar" for one in found.skipped)
    with pytest.raises(SeawallError, match="took longer"):
        names(root, budget=Budget(seconds=0.0))


def test_stores_of_engines_are_told(root: Path) -> None:
    (root / "var/lib/docker/overlay2/x/diff/y-1.dist-info").mkdir(parents=True)
    (root / "var/lib/docker/overlay2/x/diff/y-1.dist-info/METADATA").write_bytes(metadata("inner", "1"))
    found = sources.collect(f"dir:{root}")
    assert "inner" not in {one.name for one in found.packages}
    assert "of an engine" in found.skipped[0].why


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SeawallError, match="cannot read the folder"):
        sources.collect(f"dir:{tmp_path / 'none'}")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SeawallError, match="cannot read the folder"):
        sources.collect(f"dir:{tmp_path / 'file'}")


def test_an_upper_folder_of_an_overlay(root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to make the marks")
    os.mknod(root / "gone", stat.S_IFCHR, os.makedev(0, 0))
    try:
        os.setxattr(root / "opt", "trusted.overlay.opaque", b"y")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    contents, _ = folder.read(str(root), Reading(), overlay=True)
    assert contents.removed == {"gone"}
    assert contents.opaque == {"opt"}
    assert contents.covered == {"etc/os-release"}
