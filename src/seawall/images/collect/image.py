"""An archive and the image in it become an inventory."""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from seawall.core.errors import Hostile, SeawallError
from seawall.core.skipped import Skipped
from seawall.images.collect import archive, blobs, config, configuration, layers, manifests, system, tar
from seawall.images.collect.archive import Archive, Found, Image
from seawall.images.collect.blobs import Blobs
from seawall.images.collect.layers import MAX_SKIPPED, Merged
from seawall.images.collect.manifests import Descriptor, Manifest
from seawall.images.collect.progress import Counted
from seawall.images.collect.reading import Reading
from seawall.images.collect.streams import Plain, Summed
from seawall.images.collect.tar import Seeking
from seawall.images.model import ImageConfig, Inventory, Layer
from seawall.images.normalise import purl


@dataclass(frozen=True, slots=True)
class Names:
    """What a source knows of an image that its archive does not say."""

    target: str
    name: str = ""
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    identity: str = ""
    """Instead of the configuration's digest, of what has none."""


def read(stream: tar.Reader, names: Names, reading: Reading | None = None) -> Inventory:
    """Everything that is read of an image. Raises Hostile on what is none."""
    began = time.monotonic()
    reading = reading or Reading()
    return _of_archive(archive.read(stream, reading), names, reading, began)


def read_file(path: Path, names: Names, reading: Reading) -> Inventory:
    """The same of an archive on disk: of one that is not packed only what is needed is read.

    Raises OSError when it cannot be opened.
    """
    began = time.monotonic()
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise SeawallError(f"{path} is no file", "oci:FOLDER reads an OCI layout, dir:FOLDER a file system")
        times = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        return known(
            f"file:{times}:{reading.image}:{reading.platform}",
            names,
            reading,
            lambda: _of_file(file, about.st_size, names, reading, began),
        )


def _of_file(file: BinaryIO, size: int, names: Names, reading: Reading, began: float) -> Inventory:
    found = archive.survey(file, reading)
    if found is None:
        found = archive.read(Counted(file, size, reading.progress), reading)
    return _of_archive(found, names, reading, began)


def _of_archive(found: Archive, names: Names, reading: Reading, began: float) -> Inventory:
    chosen = _the_one(archive.images(found), found, reading)
    data = found.documents.get(found.at(chosen.config))
    if data is None:
        raise Hostile(f"the archive does not hold the configuration it names, {chosen.config[:200]!r}")
    described, planned = _described(data, chosen.config)
    skipped = list(found.skipped)
    present = _present(found, chosen, planned, skipped, reading)
    whole = Parts(data, described, planned, present, skipped)
    tags = names.tags or chosen.tags
    return inventory(whole, replace(names, tags=tags, name=names.name or next(iter(tags), "")), reading, began)


@dataclass(frozen=True, slots=True)
class Parts:
    """What an inventory is made of."""

    document: bytes
    """The configuration as it is written."""
    described: dict[str, Any]
    planned: tuple[Layer, ...]
    present: list[tuple[int, Found]]
    skipped: list[Skipped]

    def tell(self) -> None:
        """Take over what was passed over in the only layer of what has no layers."""
        for _, one in self.present:
            self.skipped.extend(one.contents.skipped)
            if one.contents.skipped_more:
                self.skipped.append(Skipped("", f"{one.contents.skipped_more} more that were passed over"))


def from_blobs(stored: Blobs, manifest: Manifest, names: Names, reading: Reading) -> Inventory:
    """An image whose contents are had by digest. Layers that are known are not even asked for.

    Raises Hostile when content and name differ, and whatever the store raises: half an image is none.
    """
    began = time.monotonic()
    data = blobs.document(stored, manifest.config)
    described, planned = _described(data, manifest.config.digest)
    real = [layer for layer in planned if not layer.empty]
    if len(real) != len(manifest.layers):
        raise Hostile(f"the configuration names {len(real)} layers, the manifest {len(manifest.layers)}")
    present: list[tuple[int, Found]] = []
    skipped: list[Skipped] = []
    done, total = 0, sum(one.size for one in manifest.layers)
    for layer, wanted in zip(real, manifest.layers, strict=True):
        reading.progress(done / total if total else 0.0, f"layer {len(present) + 1} of {len(real)}")
        one = _fetched(stored, wanted, layer, reading)
        done += wanted.size
        skipped += told(layer, one)
        present.append((layer.index, one))
    return inventory(Parts(data, described, planned, present, skipped), names, reading, began)


def _fetched(stored: Blobs, wanted: Descriptor, layer: Layer, reading: Reading) -> Found:
    known = remembered(layer.diff_id, reading)
    if known is not None:
        return known
    if "foreign" in wanted.media_type or "nondistributable" in wanted.media_type:
        raise SeawallError("the image has layers that may not be distributed (Windows), which are not read")
    with blobs.verified(stored, wanted) as packed:
        found = archive.layer(Plain(packed, reading.budget), reading)
        packed.finish()
    return found


def remembered(diff_id: str, reading: Reading) -> Found | None:
    """A layer that was read before, here or in another image."""
    known = reading.cache.layer(diff_id, reading.analysers) if reading.cache is not None else None
    if known is not None:
        reading.budget.keep(known.weight())
    return known


def known(identity: str, names: Names, reading: Reading, read: Callable[[], Inventory]) -> Inventory:
    """The inventory of an image that is named by its content: what is known of it, else what `read` gives."""
    if reading.cache is None:
        return read()
    began = time.monotonic()
    found = reading.cache.inventory(identity, reading.analysers)
    if found is None:
        found = read()
        reading.cache.keep_inventory(identity, reading.analysers, found)
        return found
    seconds = round(time.monotonic() - began, 3)
    tags = names.tags or found.tags
    again = replace(
        found,
        target=names.target,
        name=names.name or found.name,
        tags=tags,
        digests=names.digests,
        stats={**found.stats, "seconds": seconds, "known": 1},
    )
    return configuration.judged(again)  # its age has changed


def _described(data: bytes, name: str) -> tuple[dict[str, Any], tuple[Layer, ...]]:
    try:
        described = config.parse(data)
        return described, config.layers(described)
    except Hostile as error:
        raise Hostile(f"the image's configuration {name[:200]}: {error}") from error


def inventory(whole: Parts, names: Names, reading: Reading, began: float) -> Inventory:
    """The layers on top of each other, with what the configuration says."""
    planned, present = whole.planned, whole.present
    skipped = [*reading.analysers.left_out, *whole.skipped]
    merged = layers.merge([(index, one.contents) for index, one in present])
    described_as = config.config(whole.described, names.identity or archive.identity(whole.document))
    if whole.document:
        _look_at(described_as, planned, reading, merged)
    operating_system = system.detect(merged.system)
    made = Inventory(
        target=names.target,
        name=names.name,
        config=described_as,
        tags=names.tags,
        digests=names.digests,
        os=operating_system,
        layers=_sized(planned, dict(present)),
        packages=tuple(replace(one, purl=purl(one, operating_system)) for one in merged.packages),
        secrets=tuple(merged.secrets),
        malware=tuple(merged.malware),
        risks=tuple(merged.risks),
        checked=dict(reading.analysers.checked),
        skipped=tuple(skipped[:MAX_SKIPPED]),
        stats={
            "files": sum(one.contents.files for _, one in present),
            "bytes": sum(one.size for _, one in present),
            "seconds": round(time.monotonic() - began, 3),
            "unread_layers": sum(one.contents.broken for _, one in present),
            "left_out": merged.left_out,
            "skipped": len(skipped) + sum(one.contents.skipped_more for _, one in present),
        },
    )
    return configuration.judged(made)


def _look_at(described: ImageConfig, planned: tuple[Layer, ...], reading: Reading, merged: Merged) -> None:
    """Add what analysers see in the configuration."""
    for one in reading.analysers.working.values():
        found = one.described(described, planned)
        if found is not None:
            merged.secrets += found.secrets
            merged.malware += found.malware
            merged.risks += found.risks


def _the_one(found: list[Image], within: Archive, reading: Reading) -> Image:
    """The image that is meant: the only one, or that of the name, id, number or platform that was said."""
    if not found:
        raise Hostile("the archive names no image")
    left = [one for one in found if not reading.image or _called(one, reading.image)]
    if not left and reading.image.isdecimal():
        left = found[int(reading.image) :][:1]
    if not left:
        raise SeawallError(f"the archive holds no image {reading.image[:200]!r}", f"it holds: {_names(found)}")
    if len({one.config for one in left}) > 1:
        left = _of_platform(left, within, reading.platform) or left
    if len({one.config for one in left}) > 1:
        raise SeawallError(
            f"the archive holds {len({one.config for one in left})} images",
            f"--image takes one of: {_names(left)} (or its number, from 0); --platform one of several platforms",
        )
    return left[0]


def _called(one: Image, wanted: str) -> bool:
    digest = wanted.removeprefix("sha256:")
    by_id = len(digest) >= 12 and one.config.rpartition("/")[2].startswith(digest)
    return by_id or any(tag in (wanted, f"{wanted}:latest") or tag.endswith(f"/{wanted}") for tag in one.tags)


def _names(found: list[Image]) -> str:
    return ", ".join((*one.tags, one.config.rpartition("/")[2][:12])[0] for one in found)[:500]


def _of_platform(left: list[Image], within: Archive, platform: str) -> list[Image]:
    """Those whose configuration is of the platform: what it says itself counts, not what names it."""
    if len({one.tags for one in left}) > 1 and not platform:
        return []  # different images, not one of several platforms
    wanted = manifests.wanted_platform(platform) if platform else manifests.here()
    fitting = []
    for one in left:
        described = config.parse(within.documents.get(within.at(one.config), b"{}"))
        if manifests.fits(manifests.platform_of(described), wanted):
            fitting.append(one)
    return fitting


def _present(
    found: Archive, chosen: Image, planned: tuple[Layer, ...], skipped: list[Skipped], reading: Reading
) -> list[tuple[int, Found]]:
    """The layers that the archive holds, each with its index; what is wrong with them is said."""
    real = [layer for layer in planned if not layer.empty]
    if len(real) != len(chosen.layers):
        raise Hostile(f"the configuration names {len(real)} layers, the manifest {len(chosen.layers)}")
    present = []
    for number, (layer, path) in enumerate(zip(real, chosen.layers, strict=True), 1):
        one = found.layers.get(found.at(path))
        if one is None and (place := found.places.get(found.at(path))) is not None:
            reading.progress((number - 1) / len(real), f"layer {number} of {len(real)}")
            one = _from_place(place, layer.diff_id, reading)
        if one is None:
            raise Hostile(f"the archive does not hold the layer {path[:200]!r}")
        skipped += told(layer, one)
        present.append((layer.index, one))
    return present


def _from_place(place: Seeking, diff_id: str, reading: Reading) -> Found:
    """A layer of an archive on disk. One that is known is only held against its digest, which takes a tenth."""
    start = place.at
    known = remembered(diff_id, reading)
    if known is not None:
        plain = Plain(place, reading.budget)
        try:
            if Summed(plain).digest() == diff_id:
                return known
        except (Hostile, SeawallError):
            pass  # reading it properly tells what is broken
        place.at = start
    found = archive.layer(Plain(place, reading.budget), reading)
    place.at = start
    return found


def told(layer: Layer, one: Found) -> list[Skipped]:
    """What is wrong with a layer."""
    where = f"layer {layer.index}"
    told = [Skipped(f"{where}: {what.where}".rstrip(": "), what.why) for what in one.contents.skipped]
    if one.contents.skipped_more:
        told.append(Skipped(where, f"{one.contents.skipped_more} more that were passed over"))
    if one.diff_id != layer.diff_id:
        told.append(Skipped(where, "its content is not what the configuration says: the digest differs"))
    return told


def _sized(planned: tuple[Layer, ...], present: dict[int, Found]) -> tuple[Layer, ...]:
    return tuple(
        replace(layer, size=present[layer.index].size) if layer.index in present else layer for layer in planned
    )
