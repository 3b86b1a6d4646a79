"""Debian packages: /var/lib/dpkg/status, and status.d of images without dpkg (distroless). Source: deb-control(5)."""

import re
from collections.abc import Iterator

from seawall.images.collect.packages.format import Format, Read, clean, listed
from seawall.images.model import Package

_STATUS = re.compile(r"(?:var|usr)/lib/dpkg/status")
_STATUS_D = re.compile(r"var/lib/dpkg/status\.d/[^/]+(?<!\.md5sums)")
_LIST = re.compile(r"var/lib/dpkg/info/[^/]+\.list")
_EVIDENCE = re.compile(
    rb"^/(.*(?:\.dist-info/METADATA|\.egg-info(?:/PKG-INFO)?|node_modules/.*/package\.json))$", re.MULTILINE
)
_SOURCE = re.compile(r"(\S+)(?:\s+\((\S+)\))?")


def wanted(path: str) -> bool:
    """Databases, and the lists of files that packages brought."""
    return path.startswith(("var/lib/dpkg/", "usr/lib/dpkg/")) and bool(
        _STATUS.fullmatch(path) or _STATUS_D.fullmatch(path) or _LIST.fullmatch(path)
    )


def read(path: str, data: bytes) -> Read:
    """Installed packages; removed ones whose configuration is left do not count."""
    if path.endswith(".list"):
        if b"-info" not in data and b"/package.json" not in data:
            return Read()
        return Read(owned=[found.decode("utf-8", "surrogateescape") for found in _EVIDENCE.findall(data)])
    text = data.decode("utf-8", "replace")
    single = "status.d/" in path
    return Read(listed(found for part in text.split("\n\n") if (found := _package(dict(_fields(part)), single))))


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    for line in paragraph.split("\n"):
        if line[:1] not in (" ", "\t", ""):
            key, _, value = line.partition(":")
            yield key, value.strip()


def _package(fields: dict[str, str], single: bool) -> Package | None:
    name, version = clean(fields.get("Package", "")), clean(fields.get("Version", ""))
    installed = single or fields.get("Status", "").endswith(" installed")
    if not name or not version or not installed:
        return None
    source = _SOURCE.match(fields.get("Source", ""))
    return Package(
        name=name,
        version=version,
        kind="deb",
        purl="",
        source_name=clean(source[1]) if source else name,
        source_version=clean(source[2]) if source and source[2] else version,
        arch=clean(fields.get("Architecture", "")),
    )


FORMAT = Format(wanted, read, limit=32 << 20)
