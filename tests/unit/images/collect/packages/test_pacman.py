"""What pacman itself writes."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from seawall.images.collect.packages import pacman

INFO = b"""\
pkgname = tide
pkgbase = sea
pkgver = 1:2.0-3
builddate = 1
packager = Sea
size = 3
arch = any
license = MIT
"""


def test_a_package_that_pacman_installed(tmp_path: Path) -> None:
    built = tmp_path / "tide.pkg.tar.gz"
    with tarfile.open(built, "w:gz") as archive:
        for name, content in ((".PKGINFO", INFO), ("usr/bin/tide", b"hi\n"), ("usr/share/tide.txt", b"hi\n")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    root = tmp_path / "root"
    database = root / "var/lib/pacman"
    database.mkdir(parents=True)
    command = ["pacman", "--root", str(root), "--dbpath", str(database), "--noconfirm", "-U", str(built)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except FileNotFoundError:
        pytest.skip("no pacman here")
    if done.returncode != 0:
        pytest.skip(f"pacman cannot install here: {done.stderr[-200:].decode(errors='replace')}")
    folder = database / "local" / "tide-1:2.0-3"
    (package,) = pacman.read("var/lib/pacman/local/x/desc", (folder / "desc").read_bytes()).packages
    assert (package.name, package.version, package.source_name, package.arch, package.license) == (
        "tide", "1:2.0-3", "sea", "any", "MIT"
    )  # fmt: skip
    assert pacman.read("var/lib/pacman/local/x/files", (folder / "files").read_bytes()).owned == ["usr/bin/tide"]
