"""OpenVEX. Source: https://github.com/openvex/spec, OPENVEX-SPEC.md 0.2.0."""

from collections.abc import Iterator
from typing import Any

from seawall.images.model import Statement

_STATES = ("not_affected", "affected", "fixed", "under_investigation")


def recognise(content: dict[str, Any]) -> bool:
    """Its context names it."""
    return "openvex" in str(content.get("@context", "")) and isinstance(content.get("statements"), list)


def read(content: dict[str, Any], source: str) -> Iterator[Statement]:
    """One decision for each product of each statement."""
    author = str(content.get("author") or "")[:200]
    named = f"{source}, {author}" if author else source
    for statement in content["statements"]:
        status = str(statement.get("status", ""))
        if status not in _STATES:
            raise ValueError(f"status {status[:40]!r} of a statement")
        ids = tuple(_ids(statement["vulnerability"]))
        reason = str(statement.get("impact_statement") or statement.get("action_statement") or "")[:2000]
        justification = str(statement.get("justification") or "")[:100]
        for product in statement.get("products") or []:
            names = _names(product)
            parts = product.get("subcomponents") if isinstance(product, dict) else None
            inside = tuple(name for part in parts or [] for name in _names(part))
            images = tuple(name for name in names if not _is_package(name))
            packages = inside if images else (inside or names)
            if not names:
                continue
            yield Statement(ids, status, reason, named, packages, images, justification=justification)


def _is_package(name: str) -> bool:
    return name.startswith("pkg:") and not name.startswith(("pkg:oci/", "pkg:docker/"))


def _ids(given: Any) -> Iterator[str]:
    """A text in older documents, else name, aliases and @id."""
    if isinstance(given, str):
        yield given[:200]
        return
    yield str(given["name"])[:200]
    for alias in given.get("aliases") or []:
        yield str(alias)[:200]


def _names(given: Any) -> tuple[str, ...]:
    """By which a product is known: its id, its purl, its hashes."""
    if isinstance(given, str):
        return (given,)
    known = given.get("identifiers") or {}
    found = [str(given.get("@id") or ""), str(known.get("purl") or "")]
    hashes = given.get("hashes") or {}
    found += [f"sha256:{value}" for name, value in hashes.items() if name == "sha-256" and isinstance(value, str)]
    return tuple(dict.fromkeys(name for name in found if name))
