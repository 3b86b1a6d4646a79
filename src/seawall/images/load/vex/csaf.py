"""VEX in CSAF 2.0. Source: https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html, profile 5 (VEX)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from seawall.images.model import Statement

_STATES = {
    "known_not_affected": "not_affected", "fixed": "fixed", "first_fixed": "fixed", "known_affected": "affected",
    "under_investigation": "under_investigation",
}  # fmt: skip
_SYSTEMS = {
    "redhat:enterprise_linux": "rhel",
    "suse:sles": "sles",
    "oracle:linux": "ol",
    "almalinux:almalinux": "almalinux",
}
_CPE = re.compile(r"cpe:(?:/|2\.3:)[ao]:([^:]+:[^:]+):([0-9]+)")
MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class _Product:
    name: str
    """A purl, or a digest of an image."""
    systems: tuple[str, ...] = ()


def recognise(content: dict[str, Any]) -> bool:
    """It says what kind of document it is."""
    document = content.get("document")
    return (
        isinstance(document, dict) and "csaf_version" in document and isinstance(content.get("vulnerabilities"), list)
    )


def read(content: dict[str, Any], source: str) -> Iterator[Statement]:
    """One decision for each vulnerability and state, about all the products in it."""
    products = _products(content.get("product_tree") or {})
    publisher = str((content["document"].get("publisher") or {}).get("name") or "")[:200]
    named = f"{source}, {publisher}" if publisher else source
    for one in content["vulnerabilities"]:
        ids = [str(one.get("cve") or "")] + [str(item.get("text") or "") for item in one.get("ids") or []]
        ids = [name[:200] for name in ids if name]
        if not ids:
            continue
        for state, members in (one.get("product_status") or {}).items():
            if state not in _STATES:
                continue
            wanted = {str(member) for member in members}
            reason, justification = _reason(one, wanted)
            yield from _decisions(
                Statement(tuple(ids), _STATES[state], reason, named, justification=justification),
                [products[member] for member in sorted(wanted) if member in products],
            )


def _decisions(like: Statement, products: list[_Product]) -> Iterator[Statement]:
    """Products of the same system together."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for product in products:
        grouped.setdefault(product.systems, []).append(product.name)
    for systems, names in grouped.items():
        images = tuple(name for name in names if name.startswith(("pkg:oci/", "pkg:docker/", "sha256:")))
        packages = tuple(name for name in names if name not in images)
        if images:
            yield replace(like, images=images, systems=systems)
        if packages:
            yield replace(like, packages=packages, systems=systems)


def _reason(one: dict[str, Any], products: set[str]) -> tuple[str, str]:
    def mine(item: dict[str, Any]) -> bool:
        return not item.get("product_ids") or bool(products & set(map(str, item["product_ids"])))

    words = [
        str(item.get("details") or "")
        for item in one.get("threats") or []
        if item.get("category") == "impact" and mine(item)
    ]
    flags = [str(item.get("label") or "") for item in one.get("flags") or [] if mine(item)]
    return (words[0][:2000] if words else ""), (flags[0][:100] if flags else "")


def _products(tree: dict[str, Any]) -> dict[str, _Product]:
    """Product id → what it is. A product that is a part of another is the part, on the other's system."""
    found: dict[str, _Product] = {}
    systems: dict[str, tuple[str, ...]] = {}
    for product in (*_leaves(tree.get("branches") or [], 0), *(tree.get("full_product_names") or [])):
        _note(product, found, systems)
    for relation in tree.get("relationships") or []:
        part, whole = str(relation.get("product_reference")), str(relation.get("relates_to_product_reference"))
        number = str(relation["full_product_name"]["product_id"])
        if part in found:
            found[number] = _Product(found[part].name, systems.get(whole, found[part].systems))
    return found


def _note(product: dict[str, Any], found: dict[str, _Product], systems: dict[str, tuple[str, ...]]) -> None:
    number = str(product["product_id"])
    helper = product.get("product_identification_helper") or {}
    cpe = _CPE.match(str(helper.get("cpe") or ""))
    if cpe and not helper.get("purl"):
        systems[number] = (f"{_SYSTEMS.get(cpe[1], cpe[1])} {cpe[2]}",)
    hashes = [item for group in helper.get("hashes") or [] for item in group.get("file_hashes") or []]
    digest = next((f"sha256:{item['value']}" for item in hashes if item.get("algorithm") == "sha256"), "")
    if name := str(helper.get("purl") or digest):
        found[number] = _Product(name)


def _leaves(branches: list[Any], depth: int) -> Iterator[dict[str, Any]]:
    if depth > MAX_DEPTH:
        raise ValueError("branches nested too deeply")
    for branch in branches:
        if isinstance(branch.get("product"), dict):
            yield branch["product"]
        yield from _leaves(branch.get("branches") or [], depth + 1)
