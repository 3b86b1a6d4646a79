"""`containerd:[NAMESPACE/]NAME`: an image of containerd's content store, read from disk: no daemon is asked.

Layout: io.containerd.metadata.v1.bolt/meta.db (namespaces, images, labels) and io.containerd.content.v1.content/blobs
below the root folder. Source: https://github.com/containerd/containerd/blob/main/docs/content-flow.md
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seawall.core.bolt import Bolt, Bucket, open_bolt
from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import blobs, image
from seawall.images.collect.layout import Layout
from seawall.images.collect.manifests import MAX_BLOB, Descriptor
from seawall.images.collect.reading import Reading
from seawall.images.collect.registry import names
from seawall.images.model import Inventory

ROOTS = (
    "/var/lib/containerd",
    "/var/lib/rancher/k3s/agent/containerd",
    "/var/lib/docker/containerd/daemon",
    "/var/snap/microk8s/common/var/lib/containerd",
)
ROOT = "SEAWALL_CONTAINERD_ROOT"
DATABASE, CONTENT = "io.containerd.metadata.v1.bolt/meta.db", "io.containerd.content.v1.content"
NAMESPACES = ("k8s.io", "default", "moby")
"""Asked in this order, then any other."""
MAX_IMAGES = 100_000
ATTEMPTS = 5
"""The daemon may be writing while we read: a torn moment passes."""


@dataclass(frozen=True, slots=True)
class Known:
    """One image that containerd has."""

    namespace: str
    name: str
    target: Descriptor


def read(name: str, reading: Reading) -> Inventory:
    """Raises SeawallError when there is no store or no such image, Hostile when content and name differ."""
    root = _root()
    listed = images(root)
    found = _the_one(listed, name)
    stored = Layout(root / CONTENT)
    manifest, at = blobs.manifest(stored, found.target, reading.platform)
    digest = found.name.partition("@")[0].rpartition(":")[0] or found.name
    called = image.Names(
        f"containerd:{name}",
        found.name,
        (found.name,),
        tuple(f"{digest}@{one}" for one in {at.digest, found.target.digest}),
    )
    return image.known(
        f"manifest:{at.digest}", called, reading, lambda: image.from_blobs(stored, manifest, called, reading)
    )


def _root() -> Path:
    named = os.environ.get(ROOT)
    for path in (named,) if named else ROOTS:
        if (Path(path) / DATABASE).is_file():
            return Path(path)
    raise SeawallError(
        f"there is no containerd store at {named or ROOTS[0]}, or you may not read it", f"{ROOT} names another folder"
    )


def images(root: Path) -> list[Known]:
    """All images of all namespaces. Raises Hostile on a broken database, SeawallError when it cannot be read."""
    for left in range(ATTEMPTS - 1, -1, -1):
        try:
            with open_bolt(root / DATABASE) as database:
                return list(_images(database))
        except Hostile:
            if not left:
                raise
            time.sleep(0.1)
        except OSError as error:
            raise SeawallError(f"cannot read {root / DATABASE}: {error.strerror}", "only root may") from error
    raise AssertionError


def _images(database: Bolt) -> Iterator[Known]:
    version = database.root.bucket("v1")
    if version is None:
        raise Hostile("containerd's database has no version that is known here")
    count = 0
    for namespace, bucket in version.buckets():
        inside = bucket.bucket("images")
        for name, one in inside.buckets() if inside is not None else ():
            count += 1
            if count > MAX_IMAGES:
                raise Hostile(f"containerd's database names more than {MAX_IMAGES} images")
            target = _target(one)
            if target is not None:
                yield Known(_text(namespace), _text(name), target)


def _target(one: Bucket) -> Descriptor | None:
    target = one.bucket("target")
    if target is None:
        return None
    digest, kind = _text(target.value("digest") or b""), _text(target.value("mediatype") or b"")
    size = _varint(target.value("size") or b"")
    if not names.is_digest(digest) or not 0 <= size <= MAX_BLOB:
        return None
    return Descriptor(digest, size, kind)


def _varint(data: bytes) -> int:
    """Signed, as Go's encoding/binary writes it; -1 for what is none."""
    value = 0
    for place, byte in enumerate(data[:10]):
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value >> 1 ^ -(value & 1)
    return -1


def _the_one(listed: list[Known], name: str) -> Known:
    space, slash, rest = name.partition("/")
    spaces = {one.namespace for one in listed}
    if slash and space in spaces:
        fitting = [one for one in listed if one.namespace == space and _is(one, rest)]
    else:
        fitting = []
    fitting = fitting or [one for one in listed if _is(one, name)]
    order = {known: place for place, known in enumerate(NAMESPACES)}
    fitting.sort(key=lambda one: order.get(one.namespace, len(order)))
    if not fitting:
        shown = ", ".join(f"{one.namespace}/{one.name}" for one in listed)
        raise SeawallError(f"containerd has no image {name[:200]!r}", f"it has: {shown[:500] or 'none'}")
    return fitting[0]


def _is(one: Known, wanted: str) -> bool:
    if wanted == one.name or (wanted.startswith("sha256:") and one.target.digest.startswith(wanted)):
        return True
    try:
        return str(names.parse(wanted)) == one.name
    except SeawallError:
        return False


def _text(data: bytes) -> str:
    return data[:1024].decode("utf-8", "replace")
