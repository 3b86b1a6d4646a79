"""From what was read of an image to what has to be asked of the world's knowledge."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from seawall.images.detect.distributions import distribution, ecosystem
from seawall.images.model import Inventory, OperatingSystem, Package
from seawall.intel.model import Query

SYSTEM_KINDS = ("deb", "rpm", "apk", "alpm", "opkg")
"""Kinds of packages that a distribution answers for."""
LANGUAGES = {
    "pypi": "PyPI", "npm": "npm", "golang": "Go", "maven": "Maven", "gem": "RubyGems", "composer": "Packagist",
    "nuget": "NuGet", "cargo": "crates.io", "conda": "Conda", "pub": "Pub", "hex": "Hex", "swift": "SwiftURL",
    "cran": "CRAN", "hackage": "Hackage", "conan": "ConanCenter", "bitnami": "Bitnami", "julia": "Julia",
    "githubactions": "GitHub Actions", "generic": "Generic",
}  # fmt: skip
"""Kind of a language package → its ecosystem in OSV's words."""
DECLARED = "a lock file names it, but it is not installed"
HEADERS = "headers of the kernel, which does not run in a container"
_HEADERS = ("linux-libc-dev", "linux-headers", "kernel-headers", "kernel-devel")


@dataclass(frozen=True, slots=True)
class Question:
    """A package, and what to ask for it."""

    package: Package
    ecosystem: str
    """Whose knowledge answers for the package; "" when there is none that Seawall knows of."""
    queries: tuple[Query, ...] = ()
    """All of which speak of it; none: nobody can be asked."""
    paid: Query | None = None
    """Tells of fixes that only customers get."""
    why: str = ""
    """Why it cannot be judged, where that is already known."""
    answered: str = ""
    """What is found by these queries does not count, and why: the distribution answers, nothing of it runs."""


def questions(inventory: Inventory, covered: Collection[str] = (), *, declared: bool = False) -> Iterator[Question]:
    """One for each package, in the order of the packages.

    `covered`: ecosystems that feeds speak of. A language package that came with a package of the distribution is the
    distribution's to answer for, because it mends without changing the version; but only one whose advisories are here
    does. `declared`: also ask for what lock files name only.
    """
    release = ecosystem(inventory.os)
    for package in inventory.packages:
        if package.kind in SYSTEM_KINDS:
            yield _of_system(package, inventory.os, release)
        elif package.kind not in LANGUAGES:
            yield Question(package, "", why=f"no feed speaks of {package.kind} packages")
        elif package.declared and not declared:
            yield Question(package, LANGUAGES[package.kind], why=DECLARED)
        elif package.owned and release in covered:
            name = _named(inventory.os)
            asked = _of_language(package)
            yield Question(package, release, asked.queries, answered=f"answered by {name}, whose package it belongs to")
        else:
            yield _of_language(package)


def _named(system: OperatingSystem | None) -> str:
    known = distribution(system)
    return f"{known.name} {system.version}".strip() if known and system else "the distribution"


def _of_system(package: Package, system: OperatingSystem | None, release: str) -> Question:
    if not release:
        named = f"{system.id} {system.version}".strip() if system else "this system"
        return Question(package, "", why=f"no feed speaks of packages of {named}")
    known = distribution(system)
    if known and package.vendor and known.vendors and not package.vendor.startswith(known.vendors):
        return Question(package, "", why=f"built by {package.vendor[:80]}, {known.name} does not answer for it")
    source, version = package.source_name or package.name, package.source_version or package.version
    module = ":".join(package.module.split(":")[:2]) if package.kind == "rpm" else ""
    asked = [Query(release, source, version, module, package.arch)]
    if package.kind == "rpm" and package.name != source:
        asked.append(Query(release, package.name, package.version, module, package.arch))
    paid = None
    if release.startswith("Ubuntu:") and release.endswith(":LTS"):
        paid = Query(f"Ubuntu:Pro:{release.removeprefix('Ubuntu:')}", source, version, "", package.arch)
    answered = HEADERS if package.name.startswith(_HEADERS) else ""
    return Question(package, release, tuple(asked), paid, answered=answered)


def _of_language(package: Package) -> Question:
    ecosystem = LANGUAGES[package.kind]
    if not package.version:
        return Question(package, ecosystem, why="its version is not known")
    if package.kind == "maven" and ":" not in package.name:
        return Question(package, ecosystem, why="the group of the artifact is not known")
    if package.kind == "generic":
        return _of_product(package)
    return Question(package, ecosystem, (Query(ecosystem, package.name, package.version),))


def _of_product(package: Package) -> Question:
    """A program without a package: NVD knows it by its vendor and product."""
    products = dict.fromkeys(":".join(parts[3:5]) for cpe in package.cpes if len(parts := cpe.split(":")) > 5)
    queries = tuple(Query("Generic", product, package.version) for product in products)
    why = "" if queries else "no feed speaks of it by this name"
    return Question(package, "Generic", queries or (Query("Generic", package.name, package.version),), why=why)
