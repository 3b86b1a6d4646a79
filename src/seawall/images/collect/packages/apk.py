"""Alpine packages: lib/apk/db/installed. Source: https://wiki.alpinelinux.org/wiki/Apk_spec"""

from collections.abc import Iterator

from seawall.images.collect.packages.format import Format, Read, clean, listed
from seawall.images.model import Package

_PATHS = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_EVIDENCE = (".dist-info/METADATA", ".egg-info", ".egg-info/PKG-INFO", "/package.json")


def wanted(path: str) -> bool:
    """The database of installed packages."""
    return path in _PATHS


def read(_path: str, data: bytes) -> Read:
    """Installed packages, and which evidence of Python and npm packages they brought."""
    found = Read()
    found.packages = listed(_packages(data.decode("utf-8", "surrogateescape"), found.owned))
    return found


def _packages(text: str, owned: list[str]) -> Iterator[Package]:
    for paragraph in text.split("\n\n"):
        lines = [(line[:1], line[2:]) for line in paragraph.split("\n") if line[1:2] == ":"]
        fields = dict(reversed(lines))
        name, version = clean(fields.get("P", "")), clean(fields.get("V", ""))
        if name and version:
            owned += _evidence(lines)
            yield Package(
                name=name,
                version=version,
                kind="apk",
                purl="",
                source_name=clean(fields.get("o", "")) or name,
                source_version=version,
                arch=clean(fields.get("A", "")),
                license=clean(fields.get("L", "")),
            )


def _evidence(lines: list[tuple[str, str]]) -> Iterator[str]:
    folder = ""
    for key, value in lines:
        if key == "F":
            folder = value
        elif key == "R" and (path := f"{folder}/{value}").endswith(_EVIDENCE):
            yield path


FORMAT = Format(wanted, read, limit=32 << 20)
