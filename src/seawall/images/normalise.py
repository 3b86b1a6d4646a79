"""Between what collectors read and what others take: names of packages for the world, parts for the wire."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from seawall.core.errors import Hostile
from seawall.core.plain import to_plain
from seawall.images.model import Inventory, OperatingSystem, Package

LISTS = ("packages", "secrets", "malware", "risks")
"""What of an inventory may be long."""
MAX_PART = 2000
"""Packages and findings in one part on the wire."""
MAX_PART_BYTES = 2 << 20
"""Of one part, as JSON."""
MAX_PARTS = 100
_VENDORS = {"rhel": "redhat", "ol": "oracle", "amzn": "amazon", "opensuse-leap": "opensuse", "archlinux": "arch"}
"""Ids of os-release that purls spell otherwise."""


def purl(package: Package, system: OperatingSystem | None) -> str:
    """The package's URL. Source: https://github.com/package-url/purl-spec, PURL-TYPES."""
    if package.kind in ("deb", "apk", "rpm", "alpm", "opkg"):
        return _of_distribution(package, system)
    kind = package.kind
    name = package.name
    if kind == "pypi":
        name = name.lower().replace("_", "-")
    elif kind == "maven":
        name = name.replace(":", "/", 1)
    elif kind in ("golang", "composer", "hex", "pub"):
        name = name.lower()
    version = f"@{quote(package.version, safe='.-_~:')}" if package.version else ""
    return f"pkg:{kind}/{'/'.join(map(_name, name.split('/')))}{version}"


def _of_distribution(package: Package, system: OperatingSystem | None) -> str:
    vendor = quote(_VENDORS.get(system.id, system.id), safe="") if system else "unknown"
    epoch, version = "", package.version
    name = package.name
    if package.kind == "rpm":
        before, colon, behind = version.partition(":")
        epoch, version = (before, behind) if colon else ("", version)
    else:
        name = name.lower()
    qualifiers = _qualifiers(package, system, epoch)
    return f"pkg:{package.kind}/{vendor}/{_name(name)}@{quote(version, safe='.-_~:')}{qualifiers}"


def _name(text: str) -> str:
    return quote(text, safe=".-_~")


def _qualifiers(package: Package, system: OperatingSystem | None, epoch: str) -> str:
    given = {
        "arch": package.arch,
        "epoch": epoch,
        "distro": f"{system.id}-{system.version}".rstrip("-") if system else "",
    }
    text = "&".join(f"{key}={quote(value, safe='.-_~')}" for key, value in given.items() if value)
    return f"?{text}" if text else ""


def parts(inventory: Inventory) -> list[dict[str, Any]]:
    """The inventory in plain values, cut to parts that fit into the wire's items. Raises Hostile over MAX_PARTS."""
    plain = to_plain(inventory)
    lists = {kind: plain.pop(kind) for kind in LISTS}
    empty: dict[str, Any] = {kind: [] for kind in LISTS}
    first, *others = list(_portions(lists, len(json.dumps(plain)))) or [empty]
    if len(others) >= MAX_PARTS:
        raise Hostile(f"the image has {sum(map(len, lists.values()))} packages and findings, more than can be sent")
    return [{**plain, **first}, *others]


def _portions(lists: dict[str, list[dict[str, Any]]], size: int) -> Iterator[dict[str, Any]]:
    """`size`: what goes with the first portion."""
    portion: dict[str, Any] = {kind: [] for kind in LISTS}
    number = 0
    for kind, item in ((name, item) for name in LISTS for item in lists[name]):
        weight = len(json.dumps(item))
        if number and (number == MAX_PART or size + weight > MAX_PART_BYTES):
            yield portion
            portion, number, size = {kind: [] for kind in LISTS}, 0, 0
        portion[kind].append(item)
        number += 1
        size += weight
    if number:
        yield portion
