"""From what was read of an image to what has to be asked of the world's knowledge."""

from collections.abc import Iterator
from dataclasses import dataclass

from seawall.images.model import Inventory, OperatingSystem, Package
from seawall.intel.model import Query

LANGUAGES = {
    "pypi": "PyPI", "npm": "npm", "golang": "Go", "maven": "Maven", "gem": "RubyGems", "composer": "Packagist",
    "nuget": "NuGet", "cargo": "crates.io", "conda": "Conda", "pub": "Pub", "hex": "Hex", "swift": "SwiftURL",
    "cran": "CRAN", "generic": "Generic",
}  # fmt: skip
"""Kind of a language package → its ecosystem in OSV's words. Other kinds are packages of a distribution."""
ROLLING = {"wolfi": "Wolfi", "chainguard": "Chainguard"}
"""Distributions without releases."""
CODENAMES = {"buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14"}


@dataclass(frozen=True, slots=True)
class Question:
    """A package, and what to ask for it."""

    package: Package
    ecosystem: str
    """Whose knowledge answers for the package; "" when there is none that Seawall knows of."""
    query: Query | None
    """None: the distribution's packages are asked about, and this one came with one of them; or it is only declared."""


def questions(inventory: Inventory) -> Iterator[Question]:
    """One for each package, in the order of the packages."""
    distribution = ecosystem(inventory.os)
    for package in inventory.packages:
        language = LANGUAGES.get(package.kind)
        if language is None:
            name, version = package.source_name or package.name, package.source_version or package.version
            query = Query(distribution, name, version) if distribution else None
            yield Question(package, distribution, query)
        elif package.declared:
            yield Question(package, language, None)
        elif package.owned:
            yield Question(package, distribution, None)
        else:
            yield Question(package, language, Query(language, package.name, package.version))


def ecosystem(system: OperatingSystem | None) -> str:
    """A distribution's release as advisories name it: "Debian:12", "Alpine:v3.11"; "" for one that is not known."""
    if system is None:
        return ""
    if system.id in ROLLING:
        return ROLLING[system.id]
    parts = system.version.split(".")
    if system.id == "debian":
        release = parts[0] if parts[0].isdecimal() else CODENAMES.get(system.codename, "")
        return f"Debian:{release}" if release else ""
    if system.id == "alpine":
        return _alpine(parts)
    if system.id == "ubuntu" and len(parts) >= 2:
        supported = ":LTS" if parts[1] == "04" and parts[0].isdecimal() and int(parts[0]) % 2 == 0 else ""
        return f"Ubuntu:{parts[0]}.{parts[1]}{supported}"
    return ""


def _alpine(parts: list[str]) -> str:
    if len(parts) < 2 or not parts[0].isdecimal() or not parts[1].isdecimal():
        return ""
    edge = any("_alpha" in part for part in parts)
    return "Alpine:edge" if edge else f"Alpine:v{parts[0]}.{parts[1]}"
