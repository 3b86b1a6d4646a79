"""Installed packages of every format that is a small text: what one file tells."""

# ruff: noqa: E501 - samples are as the tools write them
import json

import pytest

from archives import metadata
from seawall.images.collect.packages import FORMATS
from seawall.images.collect.packages.format import Read
from seawall.images.model import Package

PACMAN = "%NAME%\ngcc-libs\n\n%VERSION%\n2:12.1.0-3\n\n%BASE%\ngcc\n\n%ARCH%\nx86_64\n\n%LICENSE%\nGPL\nLGPL\n\n%PACKAGER%\nSea\n"
GEMSPEC = """# stub: rack 2.2.3 ruby lib
Gem::Specification.new do |s|
  s.name = "rack".freeze
  s.version = "2.2.3"
  s.licenses = ["MIT".freeze]
end
"""
OPKG = "Package: busybox\nVersion: 1.35-1\nStatus: install ok installed\nArchitecture: arm\n\nPackage: x\nVersion: 1\nStatus: deinstall ok\n"
SAMPLES: dict[str, tuple[str, str, list[Package]]] = {
    "pacman": (
        "var/lib/pacman/local/gcc-libs-12.1.0-3/desc", PACMAN,
        [Package("gcc-libs", "2:12.1.0-3", "alpm", "", "gcc", "2:12.1.0-3", "x86_64", "GPL", vendor="Sea",
                 evidence="pacman database")],
    ),
    "opkg": (
        "usr/lib/opkg/status", OPKG,
        [Package("busybox", "1.35-1", "opkg", "", "busybox", "1.35-1", "arm", evidence="opkg status")],
    ),
    "gem": (
        "usr/local/bundle/specifications/rack-2.2.3.gemspec", GEMSPEC,
        [Package("rack", "2.2.3", "gem", "", license="MIT", evidence="gemspec")],
    ),
    "composer": (
        "srv/vendor/composer/installed.json",
        json.dumps({"packages": [{"name": "a/b", "version": "v1.0", "license": ["MIT", "BSD"]}, {"name": 1}], "dev": True}),
        [Package("a/b", "v1.0", "composer", "", license="MIT OR BSD", evidence="installed.json")],
    ),
    "dotnet": (
        "app/app.deps.json",
        json.dumps({"libraries": {
            "App/1.0.0": {"type": "project"}, "Newtonsoft.Json/9.0.1": {"type": "package"},
            "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1": {"type": "runtimepack"},
        }}),
        [Package("Newtonsoft.Json", "9.0.1", "nuget", "", evidence="deps.json"),
         Package("Microsoft.NETCore.App.Runtime.linux-x64", "6.0.1", "nuget", "", evidence="deps.json")],
    ),
    "conda": (
        "opt/conda/conda-meta/zlib-1.2.11-0.json",
        json.dumps({"name": "zlib", "version": "1.2.11", "license": "Zlib", "subdir": "linux-64", "files": []}),
        [Package("zlib", "1.2.11", "conda", "", arch="linux-64", license="Zlib", evidence="conda-meta")],
    ),
    "r": (
        "usr/lib/R/site-library/xml2/DESCRIPTION",
        "Package: xml2\nVersion: 1.3.3\nLicense: MIT + file LICENSE\nDescription: a\n  Version: 9\nBuilt: R 4.2\n",
        [Package("xml2", "1.3.3", "cran", "", license="MIT + file LICENSE", evidence="DESCRIPTION")],
    ),
    "npm": (
        "app/node_modules/@s/a/package.json", '{"name": "@s/a", "version": "1.0", "license": "MIT"}',
        [Package("@s/a", "1.0", "npm", "", license="MIT", evidence="package.json")],
    ),
    "python": (
        "usr/lib/python3/site-packages/a-1.dist-info/METADATA", metadata("a", "1").decode(),
        [Package("a", "1", "pypi", "", evidence="metadata")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_the_package(name: str) -> None:
    path, content, wanted = SAMPLES[name]
    assert FORMATS[name].wanted(path)
    assert FORMATS[name].read(path, content.encode()) == Read(wanted)


def test_composer_1() -> None:
    found = FORMATS["composer"].read("x", b'[{"name": "a/b", "version": "1"}]')
    assert [one.name for one in found.packages] == ["a/b"]


def test_an_r_package_that_is_only_unpacked_is_not_installed() -> None:
    assert FORMATS["r"].read("x", b"Package: a\nVersion: 1\n").packages == []


@pytest.mark.parametrize(
    ("name", "path", "content"),
    [
        ("pacman", "var/lib/pacman/local/a-1/files", "%FILES%\nusr/\nusr/bin/\nusr/bin/tide\nusr/share/doc/a.txt\n%BACKUP%\nx\n"),
        ("opkg", "usr/lib/opkg/info/a.list", "/usr/bin/tide\t0755\n/usr/share/doc/a.txt\n"),
        ("dpkg", "var/lib/dpkg/info/a.list", "/.\n/usr\n/usr/bin/tide\n/usr/share/doc/a.txt\n"),
        ("dpkg", "var/lib/dpkg/status.d/a.md5sums", "0123  usr/bin/tide\n4567  usr/share/doc/a.txt\n"),
        ("apk", "lib/apk/db/installed", "P:a\nV:1\nF:usr/bin\nR:tide\nF:usr/share/doc\nR:a.txt\n"),
    ],
)  # fmt: skip
def test_what_a_package_of_the_system_brought(name: str, path: str, content: str) -> None:
    assert FORMATS[name].wanted(path)
    assert FORMATS[name].read(path, content.encode()).owned == ["usr/bin/tide"]


@pytest.mark.parametrize("name", ["gem", "composer", "dotnet", "conda", "pacman"])
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\0", b"[" * 50_000, b"3", b"\0" * 99999])
def test_rubbish_is_a_value_error(name: str, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        FORMATS[name].read(SAMPLES[name][0], data)
