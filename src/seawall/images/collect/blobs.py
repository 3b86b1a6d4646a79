"""Content by its digest: whatever a registry, a folder or a content store gives is held against the name it goes by."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import manifests
from seawall.images.collect.manifests import MAX_DOCUMENT, Descriptor, Manifest
from seawall.images.collect.tar import Reader

CHUNK = 1 << 18
MAX_NESTED = 4
"""An index may name indexes."""


class Blobs(Protocol):
    """A place that has blobs."""

    def open(self, wanted: Descriptor) -> AbstractContextManager[Reader]:
        """The blob as it comes; nobody has looked at it yet. Raises SeawallError when it is not there."""
        ...


class Verified:
    """Passes on what it reads, and raises Hostile when it is not what its name says: too long, too short, another."""

    def __init__(self, stream: Reader, wanted: Descriptor) -> None:
        self._stream = stream
        self._wanted = wanted
        self._sum = hashlib.new(wanted.digest.partition(":")[0])
        self._size = 0
        self._ended = False
        self.failure: Exception | None = None
        """Why reading ended early: who reads a layer tells of it and goes on, who asked for the blob must not."""

    def read(self, size: int, /) -> bytes:
        """As the stream below."""
        try:
            return self._read(size)
        except (Hostile, SeawallError, OSError) as error:
            self.failure = error
            raise

    def finish(self) -> None:
        """Read what is left, so that everything has been looked at. Raises what `read` raised, too."""
        if self.failure is not None:
            raise self.failure
        while not self._ended:
            self.read(CHUNK)

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._size += len(data)
        self._sum.update(data)
        if self._size > self._wanted.size:
            raise Hostile(f"{self._wanted.digest} is longer than the {self._wanted.size} bytes that were announced")
        if not data and size and not self._ended:
            self._ended = True
            if self._size != self._wanted.size:
                raise Hostile(f"{self._wanted.digest}: {self._size} bytes, {self._wanted.size} were announced")
            if self._sum.hexdigest() != self._wanted.digest.partition(":")[2]:
                raise Hostile(f"{self._wanted.digest}: the content has another digest")
        return data


@contextmanager
def verified(blobs: Blobs, wanted: Descriptor) -> Iterator[Verified]:
    """The blob, held against its digest and size; `finish` it."""
    with blobs.open(wanted) as stream:
        yield Verified(stream, wanted)


def document(blobs: Blobs, wanted: Descriptor) -> bytes:
    """A whole blob: a manifest, an index, a configuration. Raises Hostile when it is too large or not as named."""
    if wanted.size > MAX_DOCUMENT:
        raise Hostile(f"{wanted.digest}: a document of {wanted.size} bytes, the limit is {MAX_DOCUMENT}")
    with verified(blobs, wanted) as stream:
        parts = []
        while part := stream.read(CHUNK):
            parts.append(part)
        stream.finish()
    return b"".join(parts)


def manifest(blobs: Blobs, start: Descriptor, platform: str = "") -> tuple[Manifest, Descriptor]:
    """From an index or a manifest to the image of a platform, and the descriptor of its manifest."""
    at = start
    for _ in range(MAX_NESTED):
        found = manifests.read(document(blobs, at))
        if isinstance(found, Manifest):
            return found, at
        at = manifests.choose(found, platform)
        if at.media_type not in (*manifests.MANIFESTS, *manifests.INDEXES):
            at = replace(at, media_type=manifests.MANIFESTS[0])  # whatever it says: it is asked for as a manifest
    raise Hostile(f"indexes in indexes, more than {MAX_NESTED} deep")


def digest(data: bytes) -> str:
    """The name that content goes by."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
