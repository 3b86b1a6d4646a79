"""Alpine packages: lib/apk/db/installed. Source: https://wiki.alpinelinux.org/wiki/Apk_spec"""

from collections.abc import Iterator

from seawall.images.collect.evidence import evident
from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, listed
from seawall.images.model import Package


def read(_path: str, data: Buffer) -> Read:
    """Installed packages, and the evidence of other formats that they brought."""
    found = Read()
    found.packages = listed(_packages(bytes(data).decode("utf-8", "surrogateescape"), found.owned))
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
                evidence="apk database",
            )


def _evidence(lines: list[tuple[str, str]]) -> Iterator[str]:
    folder = ""
    for key, value in lines:
        if key == "F":
            folder = value
        elif key == "R" and evident(path := f"{folder}/{value}"):
            yield path


FORMAT = Format(
    files=("lib/apk/db/installed", "usr/lib/apk/db/installed"),
    read=read,
    kinds=("apk",),
    limit=64 << 20,
    fields=("name", "version", "source_name", "source_version", "arch", "license"),
)
