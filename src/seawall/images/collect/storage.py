"""The storage of Podman, CRI-O, Buildah and Skopeo on disk. Source: https://github.com/containers/storage.

DRIVER-images/images.json names images and their top layers, DRIVER-layers/layers.json each layer with its parent and
diff id; overlay keeps what a layer adds in overlay/ID/diff, vfs the whole file system in vfs/dir/ID.
"""

import base64
import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import config, folder, image
from seawall.images.collect.archive import Found, identity
from seawall.images.collect.layout import Layout
from seawall.images.collect.reading import Reading
from seawall.images.collect.registry import names
from seawall.images.model import Inventory, Layer
from seawall.node import beneath

DRIVERS = ("overlay", "vfs")
MAX_FILE = 64 << 20
_ID = re.compile(r"[0-9a-f]{64}")


def read(root: Path, name: str, reading: Reading) -> Inventory | None:
    """None when the storage has no such image. Raises Hostile when it is broken, SeawallError when it is closed."""
    for driver in DRIVERS:
        for one in _listed(root, f"{driver}-images/images.json"):
            if _is(one, name):
                return _image(root, driver, one, name, reading)
    return None


def _image(root: Path, driver: str, one: dict[str, Any], name: str, reading: Reading) -> Inventory:
    image_id = f"sha256:{one['id']}"
    encoded = base64.b64encode(image_id.encode()).decode()
    data = _file(root, f"{driver}-images/{one['id']}/={encoded}", MAX_FILE)
    if identity(data) != image_id:
        raise Hostile(f"the configuration of {image_id} has another digest")
    tags = tuple(tag for tag in one.get("names") or () if isinstance(tag, str))
    called = image.Names(f"podman:{name}", next(iter(tags), ""), tags, _digests(one, tags))
    return image.known(
        f"podman:{driver}:{image_id}", called, reading, lambda: _read(root, driver, (one, data), called, reading)
    )


def _read(
    root: Path, driver: str, found: tuple[dict[str, Any], bytes], called: image.Names, reading: Reading
) -> Inventory:
    began = time.monotonic()
    described = config.parse(found[1])
    planned = config.layers(described)
    real = [layer for layer in planned if not layer.empty]
    chain = _chain(root, driver, str(found[0].get("layer", "")))
    if len(chain) != len(real):
        raise Hostile(f"the configuration names {len(real)} layers, the storage has {len(chain)}")
    if driver == "vfs":  # the top folder has everything: what brought what cannot be told
        chain, real = chain[-1:], real[-1:]
    parts = image.Parts(found[1], described, planned, [], [])
    for number, (own, layer) in enumerate(zip(chain, real, strict=True), 1):
        reading.progress((number - 1) / len(real), f"layer {number} of {len(real)}")
        place = f"overlay/{own}/diff" if driver == "overlay" else f"vfs/dir/{own}"
        one = _layer(root, place, layer, reading, overlay=driver == "overlay")
        parts.present.append((layer.index, one))
        parts.skipped.extend(image.told(layer, one))
    return image.inventory(parts, called, reading, began)


def _layer(root: Path, place: str, layer: Layer, reading: Reading, *, overlay: bool) -> Found:
    known = image.remembered(layer.diff_id, reading) if overlay else None
    if known is not None:
        return known
    try:
        opened = beneath.open_folder(str(root), place)
    except beneath.Refused as error:
        raise SeawallError(f"the storage at {root} lacks a layer: {error}") from error
    try:
        contents, size = folder.read(opened, reading, overlay=overlay)
    finally:
        os.close(opened)
    return Found(contents, layer.diff_id, size)  # not remembered: nobody has held it against its digest


def _chain(root: Path, driver: str, top: str) -> list[str]:
    """Ids of the layers, the lowest first."""
    parents = {one["id"]: one.get("parent") or "" for one in _listed(root, f"{driver}-layers/layers.json")}
    chain: list[str] = []
    while top:
        if top not in parents or len(chain) > config.MAX_LAYERS:
            raise Hostile("the storage's layers hang in a circle, or in the air")
        chain.append(top)
        top = parents[top]
    return chain[::-1]


def _is(one: dict[str, Any], wanted: str) -> bool:
    plain = wanted.removeprefix("sha256:")
    if len(plain) >= 12 and one["id"].startswith(plain):
        return True
    had = [name for name in one.get("names") or () if isinstance(name, str)]
    meant = {wanted, f"{wanted}:latest", f"localhost/{wanted}", f"localhost/{wanted}:latest"}
    with contextlib.suppress(SeawallError):
        meant.add(str(names.parse(wanted)))
    return bool(meant & set(had))


def _digests(one: dict[str, Any], tags: tuple[str, ...]) -> tuple[str, ...]:
    digest = one.get("digest")
    if not isinstance(digest, str) or not names.is_digest(digest):
        return ()
    return tuple(dict.fromkeys(f"{tag.rpartition(':')[0] or tag}@{digest}" for tag in tags))


def _listed(root: Path, path: str) -> list[dict[str, Any]]:
    """Those with an id that can be one; nothing where the file is not."""
    try:
        data = _file(root, path, MAX_FILE)
    except beneath.Refused as error:
        if error.why == "gone":
            return []
        raise SeawallError(f"cannot read {root}/{path}: {error}", "only its owner may") from error
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Hostile(f"{root}/{path} is no JSON: {error}") from error
    return [
        one
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and isinstance(one.get("id"), str) and _ID.fullmatch(one["id"])
    ]


def _file(root: Path, path: str, limit: int) -> bytes:
    with os.fdopen(Layout(root).file(path), "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Hostile(f"{root}/{path} has more than {limit} bytes")
    return data
