"""Installed npm packages: node_modules/NAME/package.json. Source: package.json(5) of npm"""

import json
import re

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean
from seawall.images.model import Package

_PATH = re.compile(r"(?:(?:.*/)?node_modules|usr/share/nodejs)/(?:@[^/@]+/)?[^/@.][^/]*/package\.json")


def read(path: str, data: Buffer) -> Read:
    """The one package; a manifest without name or version (a private folder), or deeper in a package, is none."""
    if not _PATH.fullmatch(path):
        return Read()
    try:
        found = json.loads(bytes(data))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"package.json is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("package.json is no object")
    name, version = found.get("name"), found.get("version")
    if not isinstance(name, str) or not isinstance(version, str) or not name or not version:
        return Read()
    licence = found.get("license")
    return Read(
        [
            Package(
                name=clean(name),
                version=clean(version),
                kind="npm",
                purl="",
                license=clean(licence) if isinstance(licence, str) else "",
                evidence="package.json",
            )
        ]
    )


FORMAT = Format(
    files=(
        "**/node_modules/*/package.json",
        "**/node_modules/@*/*/package.json",
        "usr/share/nodejs/*/package.json",
        "usr/share/nodejs/@*/*/package.json",
    ),
    read=read,
    kinds=("npm",),
    fields=("name", "version", "license"),
)
