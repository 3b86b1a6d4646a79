"""One layer's tar becomes what was found in it; the layers on top of each other become the image.

A layer adds and replaces files, and removes by marks: `.wh.NAME` a file or folder, `.wh..wh..opq` everything that lower
layers put into its folder. Source: OCI image specification, "Image Layer Filesystem Changeset".
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from seawall.core.errors import Hostile, SeawallError
from seawall.core.skipped import Skipped
from seawall.images.collect import system, tar
from seawall.images.collect.analysers import Analysers
from seawall.images.collect.evidence import place
from seawall.images.collect.files import File
from seawall.images.collect.found import PATH_BYTES, Found
from seawall.images.collect.packages.note import EVIDENCE as NOTE
from seawall.images.collect.reading import Reading
from seawall.images.model import Location, Malware, Package, Risk, Secret

MAX_DEPTH = 255
MAX_PACKAGES = 200_000
MAX_FINDINGS = 10_000
"""Secrets, malware and risks of one image, each; more are counted."""
MAX_SKIPPED = 200
"""Reasons that are kept in words for one layer; more are counted in one line."""
MAX_LOCATIONS = 50
"""Places of one package that are kept."""
MARK_BYTES = PATH_BYTES
"""What a mark takes in memory beside its path, roughly."""
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(slots=True)
class Contents:
    """What one layer brought and took away."""

    found: dict[str, Found] = field(default_factory=dict)
    """Path → what analysers made of the file."""
    names: "array[int]" = field(default_factory=lambda: array("Q"))
    """`mark` of each file that is here."""
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


def read(stream: tar.Reader, reading: Reading) -> Contents:
    """One layer. What is behind a broken place is not read, and said; what came before it counts."""
    contents = Contents()
    try:
        for entry, body in tar.members(stream):
            contents.files += 1
            path = clean(entry.name)
            if path is None:
                contents.skip(entry.name, "the name leads out of the image or is nested too deep")
            elif path:
                _take(contents, path, entry, body, reading)
    except (Hostile, SeawallError) as error:
        contents.broken = True
        contents.skip("", f"the layer could not be read to its end: {error}")
    return contents


def clean(name: str) -> str | None:
    """The path without a leading slash and needless parts; "" is the root, None leads out or too deep."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts or len(parts) > MAX_DEPTH else "/".join(parts)


def mark(path: str) -> int:
    """64 bits that stand for a path: a layer of a million files is remembered in 8 MB."""
    return int.from_bytes(hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big")


def _take(contents: Contents, path: str, entry: tar.Entry, body: tar.Body, reading: Reading) -> None:
    folder, _, name = path.rpartition("/")
    if name.startswith(WHITEOUT) or entry.type == tar.SYMBOLIC_LINK:
        reading.budget.keep(len(path) + MARK_BYTES)
    if name == OPAQUE:
        contents.opaque.add(folder)
    elif name in (WHITEOUT, f"{WHITEOUT}.", f"{WHITEOUT}.."):
        contents.skip(path, "a mark of deletion that names nothing, or leads out of its folder")
    elif name.startswith(WHITEOUT):
        contents.removed.add(f"{folder}/{name[len(WHITEOUT) :]}".lstrip("/"))
    elif entry.type == tar.SYMBOLIC_LINK:
        contents.covered.add(path)
    else:
        take(contents, path, entry, body, reading)


def take(contents: Contents, path: str, entry: tar.Entry, body: tar.Body, reading: Reading) -> None:
    """One file that is what its name says, no mark: analysers see it."""
    if path in system.PATHS and entry.type in (tar.REGULAR, tar.HARD_LINK):
        linked = contents.system.get(clean(entry.link) or "", b"")
        contents.system[path] = body.read(system.LIMIT) if entry.type == tar.REGULAR else linked
    elif entry.type != tar.DIRECTORY:
        contents.names.append(mark(path))
        _file(contents, path, entry, body, reading)


def _file(contents: Contents, path: str, entry: tar.Entry, body: tar.Body, reading: Reading) -> None:
    """What cannot be read but should be is told; it hides what a lower layer had here all the same."""
    found = None
    if entry.type == tar.REGULAR:
        file = File(path, entry, body)
        try:
            found = _looked(contents, file, reading.analysers)
        finally:
            file.close()
        if found is not None:
            reading.budget.keep(found.weight())
    elif entry.type == tar.HARD_LINK and (target := contents.found.get(clean(entry.link) or "")) is not None:
        found = target
    elif any(one.needs(path) for one in reading.analysers.working.values()):
        contents.skip(path, _unreadable(entry))
    if found is not None:
        reading.budget.keep(len(path) + MARK_BYTES)
        contents.found[path] = found


def _unreadable(entry: tar.Entry) -> str:
    if entry.type == tar.HARD_LINK:
        return f"a hard link to {entry.link[:100]}, of which nothing is known"
    return f"a {entry.type} file" if entry.type == tar.SPARSE else "a device or pipe"


def _looked(contents: Contents, file: File, analysers: Analysers) -> Found | None:
    """What all analysers found in a file; None when none of them looks at such a file or had anything to say."""
    found = None
    for name, one in analysers.working.items():
        limit = one.limit(file)
        if not limit:
            continue
        if file.size > limit:
            contents.skip(file.path, f"{name}: {file.size} bytes, the limit is {limit}")
            continue
        try:
            seen = one.read(file)
        except (ValueError, RecursionError) as error:
            contents.skip(file.path, str(error) or repr(error))
            continue
        if found is None:
            found = seen
        elif seen is not None:
            found.add(seen)
    return found


@dataclass(slots=True)
class _Seen:
    """A file of the image as it is after some layers."""

    found: Found
    layer: int
    first: dict[tuple[str, str, str], int]
    """Package → the layer that brought it; a database is written whole by each layer that adds to it."""


@dataclass(slots=True)
class Merged:
    """An image's layers on top of each other."""

    packages: list[Package]
    secrets: list[Secret]
    malware: list[Malware]
    risks: list[Risk]
    system: dict[str, bytes]
    """Those of system.PATHS that are there."""
    left_out: int
    """Findings over MAX_FINDINGS."""


def merge(layers: Sequence[tuple[int, Contents]]) -> Merged:
    """The image, from its layers, the lowest first, each with its index. Raises Hostile over MAX_PACKAGES."""
    seen: dict[str, _Seen] = {}
    gone: list[tuple[str, _Seen]] = []
    files: dict[str, bytes] = {}
    for index, layer in layers:
        gone += _hide(seen, files, layer)
        files |= layer.system
        for path, found in layer.found.items():
            before = seen[path].first if path in seen else {}
            first = {_key(package): before.get(_key(package), index) for package in found.packages}
            seen[path] = _Seen(found, index, first)
    owned = {place(path) for one in seen.values() for path in one.found.owned}
    packages = _united(seen, owned)
    if len(packages) > MAX_PACKAGES:
        raise Hostile(f"more than {MAX_PACKAGES} packages")
    secrets = list(_lasting(seen, gone, lambda found: found.secrets, lambda one: (one.rule, one.fingerprint)))
    malware = list(_lasting(seen, gone, lambda found: found.malware, lambda one: (one.rule, one.sha256, one.member)))
    risks = [
        replace(risk, path=path, layer=one.layer) for path, one in sorted(seen.items()) for risk in one.found.risks
    ]
    kinds: tuple[list[Secret] | list[Malware] | list[Risk], ...] = (secrets, malware, risks)
    left_out = sum(max(len(kind) - MAX_FINDINGS, 0) for kind in kinds)
    return Merged(packages, secrets[:MAX_FINDINGS], malware[:MAX_FINDINGS], risks[:MAX_FINDINGS], files, left_out)


_Lasting = TypeVar("_Lasting", Secret, Malware)


def _lasting(
    seen: dict[str, _Seen],
    gone: Iterable[tuple[str, _Seen]],
    of: Callable[[Found], Sequence[_Lasting]],
    same: Callable[[_Lasting], tuple[str, ...]],
) -> Iterator[_Lasting]:
    """What is to be seen in the image first, then what only a lower layer holds: that can be had all the same."""
    told = set()
    for deleted, places in ((False, sorted(seen.items())), (True, gone)):
        for path, one in places:
            for item in of(one.found):
                if (path, same(item)) not in told:
                    told.add((path, same(item)))
                    yield replace(item, path=path, layer=one.layer, deleted=deleted)


def _hide(seen: dict[str, _Seen], files: dict[str, bytes], layer: Contents) -> list[tuple[str, _Seen]]:
    """Take away what the layer removes, covers or writes anew, and tell what that was. What it finds in a file that it
    writes anew takes the old place by itself: packages know there since when they are installed.
    """
    away = layer.removed | layer.covered
    names = frozenset(layer.names) if seen else frozenset()
    hidden = [path for path in seen if mark(path) in names or _gone(path, away, layer.opaque)]
    for path in [path for path in files if _gone(path, away, layer.opaque)]:
        del files[path]
    return [(path, seen[path] if path in layer.found else seen.pop(path)) for path in hidden]


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
    """One entry for a package that is in several places. What is only declared joins what is installed, and a program
    that an OS package brought is that package.
    """
    found: dict[tuple[str, ...], Package] = {}
    for path, one in sorted(seen.items(), key=lambda item: (_declared(item[1]), item[0])):
        mine = place(path) in owned
        for package in one.found.packages:
            if mine and (package.kind == "generic" or package.evidence == NOTE):
                continue
            inside = f"!/{package.locations[0].path}" if package.locations else ""
            location = Location(path + inside, one.first[_key(package)])
            keys = [(package.kind, *_folded(package), str(here)) for here in (mine, not mine)]
            key = keys[1] if package.declared and keys[0] not in found and keys[1] in found else keys[0]
            known = found.get(key)
            locations = (*known.locations, location) if known else (location,)
            if known is None:
                found[key] = replace(package, locations=locations, owned=mine)
            elif len(locations) <= MAX_LOCATIONS:
                found[key] = replace(known, locations=locations)
    return list(found.values())


def _declared(one: _Seen) -> bool:
    return any(package.declared for package in one.found.packages[:1])


def _folded(package: Package) -> tuple[str, str, str]:
    """Lock files and installers spell a Python distribution's name differently."""
    name = package.name.lower().replace("_", "-").replace(".", "-") if package.kind == "pypi" else package.name
    return name, package.version, package.arch
