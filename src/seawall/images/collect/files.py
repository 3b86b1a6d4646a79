"""One file of a layer, as analysers see it: read at most once, whoever asks, and never under its own name on disk."""

import contextlib
import mmap
import tempfile
from typing import Any

from seawall.images.collect.tar import Body, Entry

HEAD = 4096
"""Bytes that are looked at before anybody takes the whole."""
IN_MEMORY = 4 << 20
"""Larger files go to a temporary file without a name, and are mapped."""
CHUNK = 1 << 20

Buffer = bytes | mmap.mmap
"""Both can be sliced, searched by `re` and given to whatever takes a buffer."""


class File:
    """A regular file on its way through the analysers."""

    def __init__(self, path: str, entry: Entry, body: Body) -> None:
        self.path = path
        """Clean, without a leading slash."""
        self.entry = entry
        self._body = body
        self._head: bytes | None = None
        self._data: Buffer | None = None
        self._spool: Any = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.entry.size

    @property
    def head(self) -> bytes:
        """The first HEAD bytes."""
        if self._head is None:
            self._head = self._body.read(min(HEAD, self.size))
        return self._head

    @property
    def data(self) -> Buffer:
        """Everything. Ask only below a limit of your own; it is valid until the next file comes."""
        if self._data is None:
            self._data = self._mapped() if self.size > IN_MEMORY else self.head + self._body.read()
        return self._data

    def close(self) -> None:
        """Forget the content."""
        if isinstance(self._data, mmap.mmap):
            with contextlib.suppress(BufferError):  # somebody's view still holds it; it goes with that view
                self._data.close()
        if self._spool is not None:
            self._spool.close()
        self._data, self._head, self._spool = None, None, None

    def _mapped(self) -> Buffer:
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the file
        self._spool.write(self.head)
        while part := self._body.read(CHUNK):
            self._spool.write(part)
        self._spool.flush()
        return mmap.mmap(self._spool.fileno(), 0, access=mmap.ACCESS_READ)
