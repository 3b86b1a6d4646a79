"""One layer's tar becomes what was found in it; the layers on top of each other become the image.

A layer adds and replaces files, and removes by marks: `.wh.NAME` a file or folder, `.wh..wh..opq` everything that lower
layers put into its folder. Source: OCI image specification, "Image Layer Filesystem Changeset".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from seawall.core.errors import Hostile, SeawallError
from seawall.core.skipped import Skipped
from seawall.images.collect import system, tar
from seawall.images.collect.packages import FORMATS
from seawall.images.collect.packages.format import Format, Read
from seawall.images.collect.streams import Budget
from seawall.images.model import Location, Package

MAX_DEPTH = 255
MAX_PACKAGES = 200_000
MAX_SKIPPED = 200
"""Reasons that are kept in words for one layer; more are counted in one line."""
MAX_LOCATIONS = 50
"""Places of one package that are kept."""
MARK_BYTES, PACKAGE_BYTES = 100, 1000
"""What a mark and a package take in memory beside their path, roughly."""
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(slots=True)
class Contents:
    """What one layer brought and took away."""

    read: dict[str, Read] = field(default_factory=dict)
    """Path → what a package format made of it."""
    system: dict[str, bytes] = field(default_factory=dict)
    """Those of system.PATHS that are here."""
    removed: set[str] = field(default_factory=set)
    """Paths that lower layers' files and folders are taken away at."""
    opaque: set[str] = field(default_factory=set)
    """Folders of which nothing from below is seen."""
    covered: set[str] = field(default_factory=set)
    """Links: what lower layers had at or below them is not reached any more."""
    skipped: list[Skipped] = field(default_factory=list)
    skipped_more: int = 0
    files: int = 0
    broken: bool = False
    """It could not be read to its end."""

    def skip(self, path: str, why: str) -> None:
        """Count something that was passed over."""
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(Skipped(path[:200], why[:200]))
        else:
            self.skipped_more += 1


def read(stream: tar.Reader, budget: Budget) -> Contents:
    """One layer. What is behind a broken place is not read, and said; what came before it counts."""
    contents = Contents()
    try:
        for entry, body in tar.members(stream):
            contents.files += 1
            path = clean(entry.name)
            if path is None:
                contents.skip(entry.name, "the name leads out of the image or is nested too deep")
            elif path:
                _take(contents, path, entry, body, budget)
    except (Hostile, SeawallError) as error:
        contents.broken = True
        contents.skip("", f"the layer could not be read to its end: {error}")
    return contents


def clean(name: str) -> str | None:
    """The path without a leading slash and needless parts; "" is the root, None leads out or too deep."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts or len(parts) > MAX_DEPTH else "/".join(parts)


def _take(contents: Contents, path: str, entry: tar.Entry, body: tar.Body, budget: Budget) -> None:
    folder, _, name = path.rpartition("/")
    if name.startswith(WHITEOUT) or entry.type == tar.SYMBOLIC_LINK:
        budget.keep(len(path) + MARK_BYTES)
    if name == OPAQUE:
        contents.opaque.add(folder)
    elif name.startswith(WHITEOUT):
        contents.removed.add(f"{folder}/{name[len(WHITEOUT) :]}".lstrip("/"))
    elif entry.type == tar.SYMBOLIC_LINK:
        contents.covered.add(path)
    elif path in system.PATHS and entry.type in (tar.REGULAR, tar.HARD_LINK):
        linked = contents.system.get(clean(entry.link) or "", b"")
        contents.system[path] = body.read(system.LIMIT) if entry.type == tar.REGULAR else linked
    elif entry.type != tar.DIRECTORY and (database := _format(path)):
        found = _read_package(contents, path, entry, body, database)
        size = len(found.packages) * PACKAGE_BYTES + sum(map(len, found.owned)) + len(found.owned) * MARK_BYTES
        budget.keep(len(path) + MARK_BYTES + size)
        contents.read[path] = found


def _format(path: str) -> Format | None:
    return next((known for known in FORMATS.values() if known.wanted(path)), None)


def _read_package(contents: Contents, path: str, entry: tar.Entry, body: tar.Body, format: Format) -> Read:
    """Nothing, with the reason told, for what cannot be read: it hides what a lower layer had here all the same."""
    if entry.type == tar.HARD_LINK:
        target = contents.read.get(clean(entry.link) or "")
        if target is not None:
            return target
        contents.skip(path, f"a hard link to {entry.link[:100]}, which holds no package")
    elif entry.type != tar.REGULAR:
        contents.skip(path, f"a {entry.type} file" if entry.type == tar.SPARSE else "a device or pipe")
    elif entry.size > format.limit:
        contents.skip(path, f"{entry.size} bytes, the limit is {format.limit}")
    else:
        try:
            return format.read(path, body.read())
        except ValueError as error:
            contents.skip(path, str(error))
    return Read()


@dataclass(slots=True)
class _Seen:
    """A file of the image as it is after some layers."""

    read: Read
    layer: int
    first: dict[tuple[str, str, str], int]
    """Package → the layer that brought it; a database is written whole by each layer that adds to it."""


def merge(layers: Sequence[tuple[int, Contents]]) -> tuple[list[Package], dict[str, bytes]]:
    """The image's packages, with path and layer, and its system files; the lowest layer first, each with its index.

    Raises Hostile over MAX_PACKAGES.
    """
    seen: dict[str, _Seen] = {}
    files: dict[str, bytes] = {}
    for index, layer in layers:
        _hide(seen, files, layer)
        files |= layer.system
        for path, found in layer.read.items():
            before = seen[path].first if path in seen else {}
            first = {_key(package): before.get(_key(package), index) for package in found.packages}
            seen[path] = _Seen(found, index, first)
    owned = {path for one in seen.values() for path in one.read.owned}
    packages = _united(seen, owned)
    if len(packages) > MAX_PACKAGES:
        raise Hostile(f"more than {MAX_PACKAGES} packages")
    return packages, files


def _hide(seen: dict[str, _Seen], files: dict[str, bytes], layer: Contents) -> None:
    gone = layer.removed | layer.covered
    if not gone and not layer.opaque:
        return
    for path in [path for path in seen if _gone(path, gone, layer.opaque)]:
        del seen[path]
    for path in [path for path in files if _gone(path, gone, layer.opaque)]:
        del files[path]


def _gone(path: str, gone: set[str], opaque: set[str]) -> bool:
    if path in gone or "" in opaque:
        return True
    at = path.rfind("/")
    while at > 0:
        if path[:at] in gone or path[:at] in opaque:
            return True
        at = path.rfind("/", 0, at)
    return False


def _key(package: Package) -> tuple[str, str, str]:
    return package.name, package.version, package.arch


def _united(seen: dict[str, _Seen], owned: set[str]) -> list[Package]:
    """One entry for a package that is in several places."""
    found: dict[tuple[str, str, str, str, bool], Package] = {}
    for path, one in sorted(seen.items()):
        for package in one.read.packages:
            mine = path in owned
            location = Location(path, one.first[_key(package)])
            key = (package.kind, *_key(package), mine)
            known = found.get(key)
            locations = (*known.locations, location) if known else (location,)
            if len(locations) <= MAX_LOCATIONS:
                found[key] = replace(known or package, locations=locations, owned=mine)
    return list(found.values())
