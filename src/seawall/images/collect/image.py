"""An archive and the image in it become an inventory."""

import time
from dataclasses import dataclass, replace

from seawall.core.errors import Hostile
from seawall.core.skipped import Skipped
from seawall.images.collect import archive, config, layers, system, tar
from seawall.images.collect.archive import Archive, Found, Image
from seawall.images.collect.layers import MAX_SKIPPED, Merged
from seawall.images.collect.reading import Reading
from seawall.images.model import ImageConfig, Inventory, Layer
from seawall.images.normalise import purl


@dataclass(frozen=True, slots=True)
class Names:
    """What a source knows of an image that its archive does not say."""

    target: str
    name: str = ""
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()


def read(stream: tar.Reader, names: Names, reading: Reading | None = None) -> Inventory:
    """Everything that is read of an image. Raises Hostile on what is none."""
    began = time.monotonic()
    reading = reading or Reading()
    found = archive.read(stream, reading)
    chosen = _the_one(archive.images(found))
    data = found.documents.get(found.at(chosen.config))
    if data is None:
        raise Hostile(f"the archive does not hold the configuration it names, {chosen.config[:200]!r}")
    try:
        described = config.parse(data)
        planned = config.layers(described)
    except Hostile as error:
        raise Hostile(f"the image's configuration {chosen.config[:200]}: {error}") from error
    skipped = list(found.skipped)
    present = _present(found, chosen, planned, skipped)
    merged = layers.merge([(index, one.contents) for index, one in present])
    described_as = config.config(described, archive.identity(data))
    _look_at(described_as, planned, reading, merged)
    operating_system = system.detect(merged.system)
    tags = names.tags or chosen.tags
    return Inventory(
        target=names.target,
        name=names.name or next(iter(tags), ""),
        config=described_as,
        tags=tags,
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


def _look_at(described: ImageConfig, planned: tuple[Layer, ...], reading: Reading, merged: Merged) -> None:
    """Add what analysers see in the configuration."""
    for one in reading.analysers.working.values():
        found = one.described(described, planned)
        if found is not None:
            merged.secrets += found.secrets
            merged.malware += found.malware
            merged.risks += found.risks


def _the_one(found: list[Image]) -> Image:
    if not found:
        raise Hostile("the archive names no image")
    others = [one for one in found if one.config != found[0].config]
    if others:
        names = ", ".join(tag for one in found for tag in one.tags[:1])[:300]
        raise Hostile(f"the archive holds {len(others) + 1} images ({names})", "save and scan one at a time")
    return found[0]


def _present(
    found: Archive, chosen: Image, planned: tuple[Layer, ...], skipped: list[Skipped]
) -> list[tuple[int, Found]]:
    """The layers that the archive holds, each with its index; what is wrong with them is said."""
    real = [layer for layer in planned if not layer.empty]
    if len(real) != len(chosen.layers):
        raise Hostile(f"the configuration names {len(real)} layers, the manifest {len(chosen.layers)}")
    present = []
    for layer, path in zip(real, chosen.layers, strict=True):
        one = found.layers.get(found.at(path))
        if one is None:
            raise Hostile(f"the archive does not hold the layer {path[:200]!r}")
        where = f"layer {layer.index}"
        skipped += [Skipped(f"{where}: {what.where}".rstrip(": "), what.why) for what in one.contents.skipped]
        if one.contents.skipped_more:
            skipped.append(Skipped(where, f"{one.contents.skipped_more} more that were passed over"))
        if one.diff_id != layer.diff_id:
            why = "its content is not what the configuration says: the digest differs"
            skipped.append(Skipped(where, why))
        present.append((layer.index, one))
    return present


def _sized(planned: tuple[Layer, ...], present: dict[int, Found]) -> tuple[Layer, ...]:
    return tuple(
        replace(layer, size=present[layer.index].size) if layer.index in present else layer for layer in planned
    )
