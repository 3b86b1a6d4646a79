"""Orders of versions, one a file. Each has `key(version)`: it sorts as its ecosystem does and takes any text."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from seawall.intel.versions import (
    apk,
    bitnami,
    conda,
    deb,
    generic,
    go,
    maven,
    nuget,
    packagist,
    pacman,
    pep440,
    pub,
    rpm,
    rubygems,
    semver,
)

Key = Callable[[str], Any]

LONGEST = 256
"""Characters of a version that count; more is no version, and costs time."""


def _bounded(key: Key) -> Key:
    """Advisories and packages repeat the same few versions, so keys are kept."""
    return lru_cache(1 << 14)(lambda version: key(version[:LONGEST]))


ORDERS: dict[str, Key] = {
    "apk": _bounded(apk.key),
    "bitnami": _bounded(bitnami.key),
    "conda": _bounded(conda.key),
    "deb": _bounded(deb.key),
    "generic": _bounded(generic.key),
    "go": _bounded(go.key),
    "maven": _bounded(maven.key),
    "nuget": _bounded(nuget.key),
    "packagist": _bounded(packagist.key),
    "pacman": _bounded(pacman.key),
    "pep440": _bounded(pep440.key),
    "pub": _bounded(pub.key),
    "rpm": _bounded(rpm.key),
    "rubygems": _bounded(rubygems.key),
    "semver": _bounded(semver.key),
}

ECOSYSTEMS = {
    "Alpaquita": "apk",
    "Alpine": "apk",
    "BellSoft Hardened Containers": "apk",
    "Chainguard": "apk",
    "MinimOS": "apk",
    "Wolfi": "apk",
    "Debian": "deb",
    "Echo": "deb",
    "Raspbian": "deb",
    "Ubuntu": "deb",
    "AlmaLinux": "rpm",
    "Amazon Linux": "rpm",
    "Azure Linux": "rpm",
    "CentOS Stream": "rpm",
    "Fedora": "rpm",
    "Mageia": "rpm",
    "openEuler": "rpm",
    "openSUSE": "rpm",
    "Oracle Linux": "rpm",
    "Photon OS": "rpm",
    "Red Hat": "rpm",
    "Rocky Linux": "rpm",
    "SUSE": "rpm",
    "Arch Linux": "pacman",
    "Bitnami": "bitnami",
    "Conda": "conda",
    "ConanCenter": "generic",
    "CRAN": "generic",
    "crates.io": "semver",
    "Generic": "generic",
    "GitHub Actions": "semver",
    "Go": "go",
    "Hackage": "generic",
    "Hex": "semver",
    "Julia": "semver",
    "Maven": "maven",
    "npm": "semver",
    "NuGet": "nuget",
    "Packagist": "packagist",
    "Pub": "pub",
    "PyPI": "pep440",
    "RubyGems": "rubygems",
    "SwiftURL": "semver",
    "VSCode": "semver",
}
"""Family of an ecosystem ("Debian" of "Debian:12") → its order."""


def order(ecosystem: str) -> Key | None:
    """The order of an ecosystem in OSV's words, or None where we know none: then only equal versions are sure."""
    name = ECOSYSTEMS.get(ecosystem.partition(":")[0])
    return ORDERS[name] if name else None
