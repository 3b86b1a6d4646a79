"""The tar that `docker save` writes and `docker load` reads, in both layouts, from front to back.

The older layout has `manifest.json`, a configuration and one `layer.tar` a layer; the newer one is an OCI layout
(`index.json`, `blobs/sha256/…`) with the same `manifest.json` beside. The manifest may come last, so each layer is read
as it comes, only what was found in it is kept, and the order is made at the end.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from seawall.core.errors import Hostile, SeawallError
from seawall.core.skipped import Skipped
from seawall.images.collect import config, layers, tar
from seawall.images.collect.layers import Contents
from seawall.images.collect.reading import Reading
from seawall.images.collect.streams import Plain, Summed, packing
from seawall.images.collect.tar import Seeking

MAX_LAYERS = 2 * config.MAX_LAYERS
MAX_DOCUMENT = 4 << 20
MAX_DOCUMENTS = 32 << 20
"""Bytes of all manifests, indexes and configurations together."""
MAX_NESTED = 4
"""An index may name indexes."""
INDEX, MANIFEST = "index.json", "manifest.json"


@dataclass(frozen=True, slots=True)
class Found:
    """One layer of the archive."""

    contents: Contents
    diff_id: str
    size: int

    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return sum(one.weight() + len(path) for path, one in self.contents.found.items())


@dataclass(slots=True)
class Archive:
    """What lies in an archive, by path."""

    documents: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, Found] = field(default_factory=dict)
    places: dict[str, Seeking] = field(default_factory=dict)
    """Of an archive on disk: where layers lie that nobody has asked for yet."""
    links: dict[str, str] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    held: int = 0
    """Bytes of documents."""

    def skip(self, path: str, why: str) -> None:
        """Tell of something that was passed over; of the first ones only, an archive holds a handful of files."""
        if len(self.skipped) < layers.MAX_SKIPPED:
            self.skipped.append(Skipped(path[:200], why))

    def at(self, path: str) -> str:
        """Where a path leads, through the links that the older layout has for layers that are equal."""
        for _ in range(MAX_NESTED):
            if path not in self.links:
                break
            path = self.links[path]
        return path


@dataclass(frozen=True, slots=True)
class Image:
    """One image of an archive: paths of its configuration and layers, lowest first."""

    config: str
    layers: tuple[str, ...]
    tags: tuple[str, ...] = ()


def read(stream: tar.Reader, reading: Reading) -> Archive:
    """Everything that the stream holds. Raises Hostile when it is broken, cut off or over a limit."""
    return _read(tar.members(Plain(stream, reading.budget)), None, reading)


def survey(file: BinaryIO, reading: Reading) -> Archive | None:
    """What an archive on disk holds, its layers left where they are; None when it is packed and has to be streamed."""
    stream = Seeking(file)
    if packing(stream.read(6)):
        return None
    stream.at = 0
    return _read(tar.members(stream), (file, stream), reading)


def _read(
    members: Iterable[tuple[tar.Entry, tar.Body]], on_disk: tuple[BinaryIO, Seeking] | None, reading: Reading
) -> Archive:
    found = Archive()
    budget = reading.budget
    for entry, body in members:
        budget.tick()
        path = layers.clean(entry.name)
        budget.keep(len(path or "") + layers.MARK_BYTES)
        if path is None:
            found.skip(entry.name, "the name leads out of the archive")
        elif entry.type in (tar.SYMBOLIC_LINK, tar.HARD_LINK):
            _link(found, path, entry)
        elif entry.type == tar.REGULAR and path:
            place = Seeking(on_disk[0], on_disk[1].at, entry.size) if on_disk else None
            _file(found, path, body, reading, place)
    return found


def _link(found: Archive, path: str, entry: tar.Entry) -> None:
    folder = path.rpartition("/")[0] if entry.type == tar.SYMBOLIC_LINK else ""
    parts: list[str] = []
    for part in f"{folder}/{entry.link}".split("/"):
        if part == "..":
            if not parts:
                found.skip(path, "a link that leads out of the archive")
                return
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if len(found.links) < MAX_LAYERS:
        found.links[path] = "/".join(parts)


def _file(found: Archive, path: str, body: tar.Body, reading: Reading, place: Seeking | None) -> None:
    name = path.rpartition("/")[2]
    if name in ("VERSION", "json") or path in ("repositories", "oci-layout"):
        return
    plain = Plain(body, reading.budget)
    if path.endswith(".json") or (path.startswith("blobs/") and plain.peek(1) in (b"{", b"[")):
        data = plain.read(MAX_DOCUMENT + 1)
        found.held += len(data)
        if len(data) > MAX_DOCUMENT or found.held > MAX_DOCUMENTS:
            found.skip(path, f"a document of more than {MAX_DOCUMENT} bytes, or too many of them")
        else:
            found.documents[path] = data
        return
    if len(found.layers) + len(found.places) >= MAX_LAYERS:
        raise Hostile(f"more than {MAX_LAYERS} layers")
    if place is not None:
        found.places[path] = place
        return
    named = path.removeprefix("blobs/").replace("/", ":", 1) if path.startswith("blobs/") and not plain.packed else ""
    found.layers[path] = layer(plain, reading, named)


def layer(plain: Plain, reading: Reading, named: str = "") -> Found:
    """What a layer holds, read to its end. `named`: the digest that it should have; one that is known and has it needs
    no second look.
    """
    summed = Summed(plain)
    known = reading.cache.layer(named, reading.analysers) if reading.cache is not None and named else None
    if known is not None:
        if summed.digest() == named:
            reading.budget.keep(known.weight())
            return known
        contents = Contents(broken=True)
        contents.skip("", "it was not read: its content is not what its name says")
        return Found(contents, summed.digest(), plain.size)
    contents = layers.read(summed, reading)
    try:
        diff_id = summed.digest()
    except (Hostile, SeawallError):  # broken packing, which `contents` tells of already
        diff_id = ""
    found = Found(contents, diff_id, plain.size)
    if reading.cache is not None:
        reading.cache.keep_layer(found, reading.analysers)
    return found


def images(found: Archive) -> list[Image]:
    """The images that the archive names. Raises Hostile when it names none as it should."""
    if MANIFEST in found.documents:
        return list(_listed(found.documents[MANIFEST]))
    if INDEX in found.documents:
        return list(_indexed(found, config.parse(found.documents[INDEX]), MAX_NESTED))
    raise Hostile(f"this is no image: the archive holds neither {MANIFEST} nor {INDEX}")


def _listed(data: bytes) -> Iterator[Image]:
    items = config.parse(b'{"images":' + data + b"}")["images"]
    for item in items if isinstance(items, list) else []:
        wanted = item if isinstance(item, dict) else {}
        name, paths, tags = wanted.get("Config"), wanted.get("Layers") or [], wanted.get("RepoTags") or []
        if not isinstance(name, str) or not _all_text(paths) or not _all_text(tags):
            raise Hostile(f"{MANIFEST} does not name configuration and layers")
        yield Image(
            layers.clean(name) or "",
            tuple(layers.clean(path) or "" for path in paths),
            tuple(tag[:300] for tag in tags[:100]),
        )


def _indexed(found: Archive, index: dict[str, Any], nested: int) -> Iterator[Image]:
    items = index.get("manifests")
    for item in items[: config.MAX_LAYERS] if isinstance(items, list) else []:
        path = _blob(item)
        if path not in found.documents or not nested:
            continue  # of a platform that was not exported
        manifest = config.parse(found.documents[path])
        if "manifests" in manifest:
            yield from _indexed(found, manifest, nested - 1)
        elif (notes := _notes(item)).get("vnd.docker.reference.type") != "attestation-manifest":
            tag = notes.get("io.containerd.image.name")
            named = manifest.get("layers")
            paths = tuple(map(_blob, named)) if isinstance(named, list) else ()
            yield Image(_blob(manifest.get("config")), paths, (tag[:300],) if isinstance(tag, str) else ())


def _notes(item: dict[str, Any]) -> dict[str, Any]:
    found = item.get("annotations")
    return found if isinstance(found, dict) else {}


def _blob(item: Any) -> str:
    digest = item.get("digest") if isinstance(item, dict) else None
    return f"blobs/{digest.replace(':', '/', 1)}" if isinstance(digest, str) else ""


def _all_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def identity(data: bytes) -> str:
    """The image's id: the digest of its configuration."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
