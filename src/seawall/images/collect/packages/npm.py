"""Installed npm packages: node_modules/NAME/package.json. Source: package.json(5) of npm"""

import json
import re

from seawall.images.collect.packages.format import Format, Read, clean
from seawall.images.model import Package

_PATH = re.compile(r"(?:.*/)?node_modules/(?:@[^/@]+/)?[^/@.][^/]*/package\.json")


def wanted(path: str) -> bool:
    """The manifest of a package that lies directly in a node_modules folder."""
    return path.endswith("/package.json") and bool(_PATH.fullmatch(path))


def read(_path: str, data: bytes) -> Read:
    """The one package; a manifest without name or version (a private folder) is none."""
    try:
        found = json.loads(data)
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
            )
        ]
    )


FORMAT = Format(wanted, read)
