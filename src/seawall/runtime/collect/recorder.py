"""The node's own memory of events: the kernel side's records as they came, on disk, so that a rule can be tried on
what really happened here. Bounded; the oldest goes first.

A segment is one zlib stream: a JSON line with what must be known to read on (which containers and processes there
were), then frames of two bytes of length and a record. It is flushed every few seconds, so a crash costs those.
"""

import json
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.core.errors import Hostile

FOLDER = "recording"
"""Below the agent's own folder."""
FORM = 2
"""Of segments and of the records in them: grows with bpf/events.h."""
LIMIT = 64 << 20
"""Bytes on disk, all segments together."""
SEGMENT = 4 << 20
"""Bytes on disk after which another segment begins."""
PORTION = 64 << 10
"""Bytes gathered before they are packed."""
PATIENCE = 5.0
"""Seconds that a record may wait to be written."""
MAX_UNPACKED = 256 << 20
"""Bytes that one segment may unpack to."""
MAX_HEADER = 16 << 20
NOTE = 255
"""First byte of a frame that is no record but a JSON object (collect/past.py)."""
MAX_NOTE = 60_000
_LENGTH = struct.Struct("<H")


class Recorder:
    """Writes segments into `folder`. `header` and `notes`, set by whoever knows, tell what a reader must know first;
    while `paused` nothing is kept. Not for several threads. A disk that is full or gone stops the recording, never the
    caller: `error` says why."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.error = ""
        self.header: Callable[[], Mapping[str, Any]] = dict
        self.notes: Callable[[], Iterable[Mapping[str, Any]]] = tuple
        self.paused = False
        self._folder = folder
        self._limit = limit
        self._waiting = bytearray()
        self._since = 0.0
        self._file = -1
        self._size = 0
        self._pack = zlib.compressobj(1, zlib.DEFLATED, 13, 7)

    def add(self, record: memoryview) -> None:
        """Keep one record."""
        if self.error or self.paused:
            return
        self._waiting += _LENGTH.pack(len(record))
        self._waiting += record

    def note(self, said: Mapping[str, Any]) -> None:
        """Keep what no record tells, as who a container is: a frame of its own among the records."""
        text = json.dumps(said, separators=(",", ":")).encode("utf-8", "backslashreplace")
        if len(text) < MAX_NOTE:
            self.add(memoryview(bytes([NOTE]) + text))

    def due(self, now: float, finish: bool = False) -> None:
        """Write what waits, if it is much or has waited long; `now` is in seconds since the epoch."""
        if not self._waiting or self.error:
            return
        if not self._since:
            self._since = now
        late = finish or now - self._since >= PATIENCE
        if not late and len(self._waiting) < PORTION:
            return
        try:
            self._write(now, late)
        except OSError as error:
            self.error = f"events are not recorded any more: {error.strerror or error}"
            self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
        self._waiting.clear()

    def _write(self, now: float, flush: bool) -> None:
        if self._file < 0 or self._size >= SEGMENT:
            self._begin(now)
        packed = self._pack.compress(self._waiting)
        if flush:
            packed += self._pack.flush(zlib.Z_SYNC_FLUSH)
            self._since = 0.0
        self._waiting.clear()
        self._put(packed)

    def _begin(self, now: float) -> None:
        if self._file >= 0:
            self._put(self._pack.flush())
            os.close(self._file)
            self._file = -1
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        _prune(self._folder, self._limit - SEGMENT)
        name = self._folder / f"{int(now * 1000):015}.rec"
        self._file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._size = 0
        self._pack = zlib.compressobj(1, zlib.DEFLATED, 13, 7)
        header = json.dumps({"form": FORM, "from": now, **self.header()}, separators=(",", ":"))
        self._put(self._pack.compress(header.encode("utf-8", "backslashreplace") + b"\n"))
        waiting, self._waiting = self._waiting, bytearray()
        for note in self.notes():
            self.note(note)
            if len(self._waiting) >= PORTION:
                self._put(self._pack.compress(self._waiting))
                self._waiting.clear()
        self._waiting += waiting

    def _put(self, data: bytes) -> None:
        self._size += len(data)
        while data:
            data = data[os.write(self._file, data) :]


@dataclass(frozen=True, slots=True)
class Segment:
    """One recorded stretch of time."""

    path: Path
    begun: float
    """Seconds since the epoch."""


def segments(folder: Path, since: float = 0.0) -> list[Segment]:
    """Those that hold something from `since` on, oldest first."""
    found = [Segment(path, int(path.stem) / 1000) for path in sorted(folder.glob("*.rec")) if path.stem.isdigit()]
    first = max((at for at, segment in enumerate(found) if segment.begun <= since), default=0)
    return found[first:]


def read(path: Path) -> Iterator[bytes]:
    """The header, then each record, up to where the file was cut off. Raises Hostile on what is no recording."""
    unpack = zlib.decompressobj()
    rest = bytearray()
    total = 0
    header = True
    with path.open("rb") as file:
        while part := file.read(PORTION):
            while part:
                try:
                    data = unpack.decompress(part, 1 << 20)
                except zlib.error as error:
                    raise Hostile(f"{path.name} is no recording: {error}") from error
                part = unpack.unconsumed_tail
                rest += data
                total += len(data)
                if total > MAX_UNPACKED:
                    raise Hostile(f"{path.name} unpacks to more than {MAX_UNPACKED} bytes")
                if header:
                    line, newline, left = rest.partition(b"\n")
                    if not newline:
                        if len(rest) > MAX_HEADER:
                            raise Hostile(f"{path.name} has no header")
                        continue
                    yield bytes(line)
                    rest, header = bytearray(left), False
                at = 0
                while at + 2 <= len(rest):
                    (size,) = _LENGTH.unpack_from(rest, at)
                    if at + 2 + size > len(rest):
                        break
                    yield bytes(rest[at + 2 : at + 2 + size])
                    at += 2 + size
                del rest[:at]


def _prune(folder: Path, limit: int) -> None:
    kept = 0
    for path in sorted(folder.glob("*.rec"), reverse=True):
        kept += path.stat().st_size
        if kept > limit:
            path.unlink()
