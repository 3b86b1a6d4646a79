"""A folder of blobs by their digests: OCI layouts and content stores. Links are not followed: they lead out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seawall.images.collect.manifests import Descriptor
from seawall.images.collect.tar import Reader
from seawall.node import beneath


class Layout:
    """The folder that `blobs/` is in."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def file(self, path: str) -> int:
        """A descriptor of a file of it. Raises beneath.Refused."""
        return beneath.open_file(self._folder, path)

    @contextmanager
    def open(self, wanted: Descriptor) -> Iterator[Reader]:
        """As blobs.Blobs says."""
        with os.fdopen(self.file(f"blobs/{wanted.digest.replace(':', '/', 1)}"), "rb", buffering=0) as file:
            yield file
