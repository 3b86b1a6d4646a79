"""`oci:FOLDER` or `oci:FILE`, with `:NAME` behind it where it holds several: an OCI image layout.

Source: OCI image specification, image-layout.md.
"""

import os
from dataclasses import replace
from pathlib import Path

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import blobs, image, manifests
from seawall.images.collect.layout import Layout
from seawall.images.collect.manifests import Descriptor, Index
from seawall.images.collect.reading import Reading
from seawall.images.model import Inventory
from seawall.node import beneath

NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
"""Annotations that name an image in an index, the fuller one first."""


def read(name: str, reading: Reading) -> Inventory:
    """Raises SeawallError when there is no such layout or image, Hostile when contents are not what they are named."""
    path, wanted = _parted(name)
    reading = replace(reading, image=wanted or reading.image)
    target = image.Names(f"oci:{name}")
    try:
        if not path.is_dir():
            return image.read_file(path, target, reading)
        return _folder(path, target, reading)
    except OSError as error:
        raise SeawallError(f"cannot read {path}: {error.strerror or error}") from error


def _parted(name: str) -> tuple[Path, str]:
    """The path, and the name of an image behind a colon."""
    parts = name.split(":")
    for size in range(len(parts), 0, -1):
        if (path := Path(":".join(parts[:size]))).exists():
            return path, ":".join(parts[size:])
    return Path(name), ""


def _folder(path: Path, target: image.Names, reading: Reading) -> Inventory:
    layout = Layout(path)
    try:
        with os.fdopen(layout.file("index.json"), "rb") as file:
            data = file.read(manifests.MAX_DOCUMENT + 1)
    except beneath.Refused as error:
        raise SeawallError(f"{path} is no OCI layout: {error}", "dir:FOLDER reads a file system") from error
    index = manifests.read(data) if len(data) <= manifests.MAX_DOCUMENT else None
    if not isinstance(index, Index):
        raise Hostile(f"{path}: index.json is no index")
    start = pick(index, reading)
    found, at = blobs.manifest(layout, start, reading.platform)
    name = called(start)
    names = replace(target, name=name, tags=(name,) if name else (), digests=())
    return image.known(f"manifest:{at.digest}", names, reading, lambda: image.from_blobs(layout, found, names, reading))


def pick(index: Index, reading: Reading) -> Descriptor:
    """The image that is meant. Raises SeawallError, with the names, when that is not clear."""
    left = [one for one in index.entries if not one.attests]
    names = list(dict.fromkeys(called(one) or one.digest for one in left))
    shown = f"it holds: {', '.join(names)[:500]}"
    if reading.image:
        left = [one for one in left if _is(one, reading.image)]
        if not left:
            raise SeawallError(f"the layout holds no image {reading.image[:200]!r}", shown)
    if len({called(one) for one in left}) > 1:
        raise SeawallError(f"the layout holds {len(names)} images", f"--image takes one of them; {shown}")
    if len(left) == 1:
        return left[0]
    return manifests.choose(Index(tuple(left)), reading.platform)


def called(one: Descriptor) -> str:
    """Its name, or nothing."""
    return next((one.notes[key] for key in NAMES if one.notes.get(key)), "")


def _is(one: Descriptor, wanted: str) -> bool:
    named = {one.notes.get(key, "") for key in NAMES} - {""}
    digest = wanted.removeprefix("sha256:")
    return wanted in named or (len(digest) >= 12 and one.digest.partition(":")[2].startswith(digest))
