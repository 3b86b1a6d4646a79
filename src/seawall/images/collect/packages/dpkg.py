"""Debian packages: /var/lib/dpkg/status, and status.d of images without dpkg (distroless). Source: deb-control(5)."""

import re
from collections.abc import Iterator

from seawall.images.collect.evidence import evident
from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, listed
from seawall.images.model import Package

_SOURCE = re.compile(r"(\S+)(?:\s+\((\S+)\))?")


def read(path: str, data: Buffer) -> Read:
    """Installed packages, or the evidence of other formats that one brought.

    Removed packages whose configuration is left do not count.
    """
    if path.endswith((".list", ".md5sums")):
        return Read(owned=list(owned(path, bytes(data))))
    single = "status.d/" in path
    return Read(listed(installed(bytes(data).decode("utf-8", "replace"), "deb", single, "dpkg status")))


def owned(path: str, data: bytes) -> Iterator[str]:
    """Evidence in a list of files, one a line, or behind its digest."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    if path.endswith(".md5sums"):
        lines = [line.partition("  ")[2] for line in lines]
    for line in lines:
        if evident(line):
            yield line.lstrip("/")


def installed(text: str, kind: str, single: bool, evidence: str) -> Iterator[Package]:
    """Of a database in paragraphs. `single`: each is of an installed package, whatever its status."""
    for paragraph in text.split("\n\n"):
        if found := _package(dict(_fields(paragraph)), kind, single, evidence):
            yield found


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    for line in paragraph.split("\n"):
        if line[:1] not in (" ", "\t", ""):
            key, _, value = line.partition(":")
            yield key, value.strip()


def _package(fields: dict[str, str], kind: str, single: bool, evidence: str) -> Package | None:
    name, version = clean(fields.get("Package", "")), clean(fields.get("Version", ""))
    installed = single or fields.get("Status", "").endswith(" installed")
    if not name or not version or not installed:
        return None
    source = _SOURCE.match(fields.get("Source", ""))
    return Package(
        name=name,
        version=version,
        kind=kind,
        purl="",
        source_name=clean(source[1]) if source else name,
        source_version=clean(source[2]) if source and source[2] else version,
        arch=clean(fields.get("Architecture", "")),
        license=clean(fields.get("License", "")),
        evidence=evidence,
    )


FORMAT = Format(
    files=(
        "var/lib/dpkg/status",
        "usr/lib/dpkg/status",
        "var/lib/dpkg/status.d/*",
        "var/lib/dpkg/info/*.list",
    ),
    read=read,
    kinds=("deb",),
    limit=32 << 20,
    fields=("name", "version", "source_name", "source_version", "arch"),
)
