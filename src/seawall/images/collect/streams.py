"""Plain bytes from what may be packed: the packing is known by its first bytes, what comes out has a limit."""

import lzma
import zlib
from collections.abc import Callable

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect.tar import Reader

MAX_PLAIN = 64 << 30
"""Bytes that one image may hold once unpacked; a bomb ends here."""
CHUNK = 1 << 18


class Budget:
    """What may still come out of one image, all its layers together."""

    def __init__(self, plain: int = MAX_PLAIN) -> None:
        self.left = plain

    def take(self, size: int) -> None:
        """Raises Hostile when there is nothing left."""
        self.left -= size
        if self.left < 0:
            raise Hostile(f"the image holds more than {MAX_PLAIN >> 30} GB once unpacked")


class Plain:
    """Reads through whatever packing `stream` has. `size` counts the bytes that came out."""

    def __init__(self, stream: Reader, budget: Budget, head: bytes = b"") -> None:
        self._stream = stream
        self._budget = budget
        self._head = head or stream.read(6)
        self._unpack = _decoder(self._head)
        self._ready = b""
        self._at = 0
        self.size = 0

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, fewer only at the end. Raises Hostile on broken packing or a bomb."""
        ready, at = self._ready, self._at
        if len(ready) - at < size:
            parts = [ready[at:]]
            got = len(parts[0])
            while got < size and (part := self._more()):
                parts.append(part)
                got += len(part)
            ready, at = b"".join(parts), 0
        found = ready[at : at + size]
        self._ready, self._at = ready, at + len(found)
        self.size += len(found)
        return found

    def _more(self) -> bytes:
        while True:
            packed = self._head + self._stream.read(CHUNK) if self._head else self._stream.read(CHUNK)
            self._head = b""
            if self._unpack is None:
                self._budget.take(len(packed))
                return packed
            if not packed:
                return b""
            plain = self._unpack(packed)
            self._budget.take(len(plain))
            if plain:
                return plain


Unpack = Callable[[bytes], bytes]


def _decoder(head: bytes) -> Unpack | None:
    if head.startswith(b"\x1f\x8b"):
        return _Gzip()
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd()
    if head.startswith(b"\xfd7zXZ\0"):
        return _Xz()
    return None


class _Gzip:
    """One gzip member after the other, as they may follow each other."""

    def __init__(self) -> None:
        self._one = zlib.decompressobj(31)

    def __call__(self, packed: bytes) -> bytes:
        parts = []
        try:
            while packed:
                parts.append(self._one.decompress(packed))
                packed = self._one.unused_data.lstrip(b"\0")
                if self._one.eof:
                    self._one = zlib.decompressobj(31)
        except zlib.error as error:
            raise Hostile(f"the gzip data is broken: {error}") from error
        return b"".join(parts)


class _Xz:
    def __init__(self) -> None:
        self._one = lzma.LZMADecompressor(memlimit=256 << 20)

    def __call__(self, packed: bytes) -> bytes:
        try:
            return b"" if self._one.eof else self._one.decompress(packed)
        except lzma.LZMAError as error:
            raise Hostile(f"the xz data is broken: {error}") from error


def _zstd() -> Unpack:
    try:
        import zstandard
    except ImportError:
        raise SeawallError(
            "a layer is packed with zstd, which this agent cannot read",
            "scan the image from a machine with seawall[scanner]",
        ) from None
    one = zstandard.ZstdDecompressor(max_window_size=128 << 20).decompressobj()

    def unpack(packed: bytes) -> bytes:
        try:
            return b"" if one.eof else one.decompress(packed)
        except zstandard.ZstdError as error:
            raise Hostile(f"the zstd data is broken: {error}") from error

    return unpack
