"""Orders of versions, one a file. Each has `key(version)`: it sorts as its ecosystem does and takes any text."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from seawall.intel.versions import apk, deb, pep440, semver

Key = Callable[[str], Any]

LONGEST = 256
"""Characters of a version that count; more is no version, and costs time."""


def _bounded(key: Key) -> Key:
    """Advisories and packages repeat the same few versions, so keys are kept."""
    return lru_cache(1 << 14)(lambda version: key(version[:LONGEST]))


ORDERS: dict[str, Key] = {
    "apk": _bounded(apk.key),
    "deb": _bounded(deb.key),
    "pep440": _bounded(pep440.key),
    "semver": _bounded(semver.key),
}

ECOSYSTEMS = {
    "Alpine": "apk",
    "Wolfi": "apk",
    "Chainguard": "apk",
    "Debian": "deb",
    "Ubuntu": "deb",
    "PyPI": "pep440",
    "npm": "semver",
    "Go": "semver",
    "crates.io": "semver",
}
"""Family of an ecosystem ("Debian" of "Debian:12") → its order."""


def order(ecosystem: str) -> Key | None:
    """The order of an ecosystem in OSV's words, or None where we know none: then only equal versions are sure."""
    name = ECOSYSTEMS.get(ecosystem.partition(":")[0])
    return ORDERS[name] if name else None
