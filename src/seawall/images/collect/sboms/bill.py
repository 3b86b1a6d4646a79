"""What a bill of materials told, and how it is taken down: whoever wrote it may have written anything."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from seawall.core.errors import Hostile
from seawall.core.skipped import Skipped
from seawall.images.collect import purls
from seawall.images.collect.packages.format import clean
from seawall.images.model import Location, OperatingSystem, Package

MAX_PACKAGES = 200_000
MAX_PLACES = 50
MAX_SKIPPED = 200
IGNORED = {"oci", "docker", "github", "file", "generic-file"}
"""Types of purls that name no package."""


@dataclass(slots=True)
class Bill:
    """One document."""

    form: str
    name: str = ""
    image_id: str = ""
    os: OperatingSystem | None = None
    layers: list[str] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    more: int = 0
    """Skipped ones over MAX_SKIPPED."""

    def skip(self, where: str, why: str) -> None:
        """Something that was passed over."""
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(Skipped(clean(where)[:200], why[:200]))
        else:
            self.more += 1

    def add(self, purl: str, name: str, version: str, **more: Any) -> None:
        """A package by its purl; `more` are fields that the document told itself. Raises Hostile over MAX_PACKAGES."""
        if not purl:
            self.skip(name, "no package URL: it cannot be told of what kind it is")
            return
        try:
            found = purls.parse(purl)
        except ValueError as error:
            self.skip(name, str(error))
            return
        if found.kind in IGNORED:
            return
        if len(self.packages) >= MAX_PACKAGES:
            raise Hostile(f"more than {MAX_PACKAGES} packages")
        told = {key: value for key, value in more.items() if value}
        self.packages.append(replace(purls.package(found, name, version), evidence=self.form, **told))
        self._system(found)

    def _system(self, found: purls.Purl) -> None:
        """The distribution, where only purls tell of it: distro=debian-12."""
        distro = found.qualifiers.get("distro", "")
        if self.os is None and distro and found.kind in ("deb", "apk", "rpm", "alpm", "opkg"):
            name, _, version = distro.rpartition("-")
            self.os = OperatingSystem(clean(name or found.namespace).lower(), clean(version))


def text(found: Any, key: str) -> str:
    """A text, else nothing."""
    value = found.get(key) if isinstance(found, dict) else None
    return value[:4096] if isinstance(value, str) else ""


def objects(found: Any, key: str) -> Iterator[dict[str, Any]]:
    """Those of a list."""
    value = found.get(key) if isinstance(found, dict) else None
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def places(paths: list[str]) -> tuple[Location, ...]:
    """Paths as those of an image; which layer they lie in is not told here."""
    return tuple(Location(clean(path).lstrip("/"), 0) for path in paths[:MAX_PLACES])
