"""gzip, bzip2, xz and zstd as streams, with bounded memory however the packer meant it."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, Protocol, cast

from seawall.core.errors import SeawallError

MAX_MEMORY = 192 << 20
"""Bytes that xz may need: its dictionary is chosen by whoever packed."""
MAX_WINDOW = 1 << 27
PIECE = 1 << 16


def _errors() -> tuple[type[Exception], ...]:
    found: list[type[Exception]] = [OSError, EOFError, zlib.error, lzma.LZMAError]
    with suppress(ImportError):
        from isal.igzip_lib import IsalError

        found.append(cast(type[Exception], IsalError))
    with suppress(ImportError):
        from zstandard import ZstdError

        found.append(ZstdError)
    return tuple(found)


BROKEN = _errors()
"""What packings raise when they are broken or cut off."""


class Ahead(io.RawIOBase):
    """A stream whose head has been read already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        """As it says."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """The head first."""
        size = len(buffer)
        data = self._head[:size] or self._rest.read(size)
        self._head = self._head[len(data) :] if self._head else b""
        buffer[: len(data)] = data
        return len(data)


class _Packing(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Stepwise(io.RawIOBase):
    """bzip2 and xz, also several one after the other."""

    def __init__(self, packed: IO[bytes], start: Callable[[], _Packing]) -> None:
        self._packed = packed
        self._start = start
        self._step = start()

    def readable(self) -> bool:
        """As it says."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """The next bytes, never more than fit."""
        while True:
            if self._step.eof:
                rest = self._step.unused_data.lstrip(b"\0") or self._packed.read(PIECE).lstrip(b"\0")
                if not rest:
                    return 0
                self._step = self._start()
            else:
                rest = self._packed.read(PIECE) if self._step.needs_input else b""
                if not rest and self._step.needs_input:
                    raise EOFError("it ends too early")
            if data := self._step.decompress(rest, len(buffer)):
                buffer[: len(data)] = data
                return len(data)


def unpacking(head: bytes, packed: IO[bytes]) -> IO[bytes] | None:
    """The stream that is packed in `packed`, or None when its first bytes are of no packing."""
    if head.startswith(b"\x1f\x8b"):
        return _gzip(packed)
    if head.startswith(b"BZh"):
        return cast(IO[bytes], io.BufferedReader(_Stepwise(packed, bz2.BZ2Decompressor), PIECE))
    if head.startswith(b"\xfd7zXZ\0"):
        return cast(
            IO[bytes], io.BufferedReader(_Stepwise(packed, lambda: lzma.LZMADecompressor(memlimit=MAX_MEMORY)), PIECE)
        )
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd(packed)
    return None


def _gzip(packed: IO[bytes]) -> IO[bytes]:
    """Three times faster where isal is there."""
    try:
        from isal import igzip
    except ImportError:
        return cast(IO[bytes], gzip.GzipFile(fileobj=packed))
    unpacked: Any = igzip.IGzipFile
    return cast(IO[bytes], unpacked(fileobj=packed))


def _zstd(packed: IO[bytes]) -> IO[bytes]:
    try:
        import zstandard
    except ImportError as error:
        raise SeawallError("a feed is packed with zstd", "pip install seawall[scanner]") from error
    unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    return cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, unpacker.stream_reader(packed)), PIECE))
