"""Package.resolved of Swift, versions 1 to 3. Source: SwiftPM, PackageResolved"""

from collections.abc import Iterator
from typing import Any

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, parsed


def read(_path: str, data: Buffer) -> Read:
    """Packages with a release, named by where they come from, as advisories do."""
    found = parsed(data, "Package.resolved")
    inner = found.get("object")
    return named("swift", _pins((inner if isinstance(inner, dict) else found).get("pins")))


def _pins(pins: Any) -> Iterator[tuple[Any, Any]]:
    for pin in pins if isinstance(pins, list) else ():
        state = pin.get("state") if isinstance(pin, dict) else None
        place = (pin.get("location") or pin.get("repositoryURL")) if isinstance(pin, dict) else None
        if isinstance(state, dict) and isinstance(place, str):
            yield place.partition("://")[2].rpartition("@")[2].removesuffix(".git"), state.get("version")


FORMAT = Format(files=("**/Package.resolved",), read=read, kinds=("swift",), declared=True)
