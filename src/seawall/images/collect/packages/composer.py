"""Installed packages of PHP: vendor/composer/installed.json. Source: Composer, src/Composer/Repository"""

import json
from typing import Any

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, listed, text
from seawall.images.model import Package


def read(_path: str, data: Buffer) -> Read:
    """All packages. Composer 1 writes a list, Composer 2 an object."""
    try:
        found: Any = json.loads(text(data))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"installed.json is no JSON: {error}") from error
    packages = found.get("packages") if isinstance(found, dict) else found
    if not isinstance(packages, list):
        raise ValueError("installed.json lists no packages")
    return Read(listed(made for one in packages if (made := _package(one))))


def _package(one: Any) -> Package | None:
    name, version = (one.get("name"), one.get("version")) if isinstance(one, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(version, str) or not name or not version:
        return None
    licences = one.get("license")
    licence = " OR ".join(map(str, licences)) if isinstance(licences, list) else ""
    return Package(clean(name), clean(version), "composer", "", license=clean(licence), evidence="installed.json")


FORMAT = Format(
    files=("**/composer/installed.json",),
    read=read,
    kinds=("composer",),
    limit=32 << 20,
    fields=("name", "version", "license"),
)
