"""Plain bytes from what may be packed: the packing is known by its first bytes, what comes out has a limit."""

import contextlib
import hashlib
import lzma
import time
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import IO, Any, cast

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect.tar import Reader

gzip: Any = zlib
with contextlib.suppress(ImportError):  # the same interface, three times as fast
    from isal import isal_zlib

    gzip = isal_zlib

MAX_PLAIN = 64 << 30
"""Bytes that one image may hold once unpacked; a bomb ends here."""
MAX_KEPT = 256 << 20
"""Bytes, roughly, of what is remembered of one image: paths, marks, packages."""
CHUNK = 1 << 18
AHEAD = 1 << 20
"""Bytes that are read of a layer at a time, to be summed at once."""
BEHIND = 2
"""Chunks that may wait to be summed."""
MAX_CHUNK = 1 << 20
"""Bytes that are unpacked at a time, however well they were packed."""
_PACKINGS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\0": "xz"}


class OutOfTime(BaseException):
    """The whole scan ends, whatever was being read: nobody on the way may take this for a broken file or layer."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Budget:
    """What may still come out of one image and be kept of it, all its layers together."""

    def __init__(self, plain: int = MAX_PLAIN, kept: int = MAX_KEPT, seconds: float | None = None) -> None:
        self.plain = plain
        self.left = plain
        self.room = kept
        self.seconds = seconds
        self.until = time.monotonic() + seconds if seconds is not None else None
        """Monotonic seconds at which reading ends."""

    def tick(self) -> None:
        """Raises OutOfTime when the time is over."""
        if self.until is not None and time.monotonic() > self.until:
            raise OutOfTime(f"the scan took longer than {self.seconds:.0f} s", "--timeout allows more")

    def left_seconds(self) -> float | None:
        """Until reading ends; None without an end."""
        self.tick()
        return None if self.until is None else self.until - time.monotonic()

    def take(self, size: int) -> None:
        """Raises Hostile when there is nothing left."""
        self.tick()
        self.left -= size
        if self.left < 0:
            raise Hostile(f"the image holds more than {self.plain} bytes once unpacked")

    def keep(self, size: int) -> None:
        """Raises Hostile when no more can be remembered."""
        self.room -= size
        if self.room < 0:
            raise Hostile("the image has more names and packages than fit into memory")


def packing(head: bytes) -> str:
    """gzip, zstd, xz, or "" by the first bytes."""
    return next((name for magic, name in _PACKINGS.items() if head.startswith(magic)), "")


@lru_cache(1)
def _summer() -> ThreadPoolExecutor:
    """One thread: what it is given is summed in that order."""
    return ThreadPoolExecutor(1, "sums")


class Plain:
    """Reads through whatever packing `stream` has. `size` counts the bytes that came out."""

    def __init__(self, stream: Reader, budget: Budget) -> None:
        self._budget = budget
        started = _Started(stream)
        self.packed = bool(packing(started.head))
        self._more = _opened(started)
        self._ready = b""
        self._at = 0
        self.size = 0

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, fewer only at the end. Raises Hostile on broken packing or a bomb."""
        ready, at = self._ready, self._at
        if (got := len(ready) - at) < size:
            parts = [ready[at:]] if got else []  # one part alone is taken as it is
            while got < size and (part := self._more()):
                self._budget.take(len(part))
                parts.append(part)
                got += len(part)
            ready, at = b"".join(parts), 0
        found = ready[at : at + size]
        self._ready, self._at = ready, at + len(found)
        self.size += len(found)
        return found

    def peek(self, size: int) -> bytes:
        """What the next `read` will give, without taking it."""
        found = self.read(size)
        self.size -= len(found)
        self._ready, self._at = found + self._ready[self._at :], 0
        return found


class Summed:
    """Passes on what it reads, and knows its sha256. It reads ahead: a layer has a head of 512 bytes for each file.

    The sum is taken beside, by one thread for all: it is half of the work of reading a layer.
    """

    def __init__(self, stream: Reader) -> None:
        self._stream = stream
        self._sum = hashlib.sha256()
        self._summing: deque[Future[None]] = deque()
        self._ready = b""
        self._at = 0

    def read(self, size: int, /) -> bytes:
        """As the stream below."""
        at = self._at
        found = self._ready[at : at + size]
        self._at = at + len(found)
        if len(found) == size:
            return found
        wanted = size - len(found)
        more = self._stream.read(max(wanted, AHEAD))
        self._add(more)
        if len(more) <= wanted:
            self._ready, self._at = b"", 0
            return found + more if found else more
        self._ready, self._at = more, wanted
        return found + more[:wanted]

    def digest(self) -> str:
        """Of everything, what is left unread too."""
        while self.read(CHUNK):
            pass
        while self._summing:
            self._summing.popleft().result()
        return f"sha256:{self._sum.hexdigest()}"

    def _add(self, data: bytes) -> None:
        if len(self._summing) == BEHIND:
            self._summing.popleft().result()
        self._summing.append(_summer().submit(self._sum.update, data))


class _Started:
    """A stream whose first bytes were looked at."""

    def __init__(self, stream: Reader) -> None:
        self._stream = stream
        self.head = stream.read(6)

    def read(self, size: int, /) -> bytes:
        if self.head:
            found, self.head = self.head[:size], self.head[size:]
            return found
        return self._stream.read(size)


def _opened(stream: _Started) -> Callable[[], bytes]:
    """What gives the next plain bytes, at most MAX_CHUNK at a time; empty at the end."""
    kind = packing(stream.head)
    if kind == "gzip":
        return _Gzip(stream)
    if kind == "xz":
        return _Xz(stream)
    if kind == "zstd":
        return _zstd(stream)
    return lambda: stream.read(CHUNK)


class _Gzip:
    """One gzip member after the other, as they may follow each other."""

    def __init__(self, stream: Reader) -> None:
        self._stream = stream
        self._one = gzip.decompressobj(31)
        self._packed = b""
        self._begun = False
        """A member has begun and not ended."""
        self._full = False
        """There may be more inside that did not fit into the last step."""

    def __call__(self) -> bytes:
        while True:
            packed = self._packed if self._packed or self._full else self._stream.read(CHUNK)
            if not packed and not self._full:
                if self._begun:
                    raise Hostile("the gzip data is cut off")
                return b""
            if not self._begun and not (packed := packed.lstrip(b"\0")):  # padding between members and at the end
                self._packed = b""
                continue
            plain = self._step(packed)
            if plain:
                return plain

    def _step(self, packed: bytes) -> bytes:
        try:
            plain: bytes = self._one.decompress(packed, MAX_CHUNK)
        except (zlib.error, gzip.error) as error:
            raise Hostile(f"the gzip data is broken: {error}") from error
        self._begun, self._full, self._packed = True, len(plain) == MAX_CHUNK, self._one.unconsumed_tail
        if self._one.eof:
            self._begun, self._full, self._packed = False, False, self._one.unused_data
            self._one = gzip.decompressobj(31)
        return plain


class _Xz:
    def __init__(self, stream: Reader) -> None:
        self._stream = stream
        self._one = lzma.LZMADecompressor(memlimit=256 << 20)

    def __call__(self) -> bytes:
        try:
            while not self._one.eof:
                packed = self._stream.read(CHUNK) if self._one.needs_input else b""
                if not packed and self._one.needs_input:
                    raise Hostile("the xz data is cut off")
                if plain := self._one.decompress(packed, MAX_CHUNK):
                    return plain
        except lzma.LZMAError as error:
            raise Hostile(f"the xz data is broken: {error}") from error
        return b""


def _zstd(stream: Reader) -> Callable[[], bytes]:
    try:
        import zstandard
    except ImportError:
        raise SeawallError(
            "a layer is packed with zstd, which this agent cannot read",
            "scan the image from a machine with seawall[scanner]",
        ) from None
    unpacker = zstandard.ZstdDecompressor(max_window_size=128 << 20)
    one = unpacker.stream_reader(cast(IO[bytes], stream), read_across_frames=True)

    def more() -> bytes:
        try:
            return one.read(MAX_CHUNK)
        except zstandard.ZstdError as error:
            raise Hostile(f"the zstd data is broken: {error}") from error

    return more
