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


def purl(package: Package, system: OperatingSystem | None) -> str:
    """The package's URL. Source: https://github.com/package-url/purl-spec, PURL-TYPES."""
    version = quote(package.version, safe=".-_~:")
    if package.kind in ("deb", "apk"):
        vendor = quote(system.id, safe="") if system else "unknown"
        return f"pkg:{package.kind}/{vendor}/{_name(package.name.lower())}@{version}{_qualifiers(package, system)}"
    if package.kind == "pypi":
        return f"pkg:pypi/{_name(package.name.lower().replace('_', '-'))}@{version}"
    return f"pkg:{package.kind}/{'/'.join(map(_name, package.name.split('/')))}@{version}"


def _name(text: str) -> str:
    return quote(text, safe=".-_~")


def _qualifiers(package: Package, system: OperatingSystem | None) -> str:
    given = {
        "arch": package.arch,
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
