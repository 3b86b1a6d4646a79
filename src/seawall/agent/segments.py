"""Append-only files of checksummed records: what the spool is made of.

A record is a header (length, CRC-32, both little-endian u32) and its payload. A process that dies in the middle of a
write leaves a torn tail; a reader stops there. A record whose checksum is wrong is passed over and counted.
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADER = struct.Struct("<II")
MAX_RECORD = 4 << 20
"""Bytes of one payload; a longer length in a file means that the rest of it is rubbish."""
SUFFIX = ".seg"


@dataclass(slots=True)
class Segment:
    """One file. `items` counts the records that nobody has acknowledged yet."""

    kind: str
    number: int
    path: Path
    size: int = 0
    """Bytes up to the end of the last whole record."""
    items: int = 0
    damaged: int = 0
    """Records that were lost to a torn tail or a wrong checksum."""


class Writer:
    """The open end of a segment."""

    def __init__(self, segment: Segment) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(segment.path, flags, 0o600)
        self.segment = segment

    def append(self, payload: bytes) -> None:
        """Write one record, whole or not at all. Raises OSError (disk full, file system read-only …)."""
        header = HEADER.pack(len(payload), zlib.crc32(payload))
        size = len(header) + len(payload)
        written = 0
        try:
            written = os.pwritev(self._descriptor, (header, payload), self.segment.size)
        finally:
            if written != size:
                os.ftruncate(self._descriptor, self.segment.size)
        if written != size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.segment.size += size
        self.segment.items += 1

    def close(self) -> None:
        """Close the file; the segment is only read from now on."""
        os.close(self._descriptor)


def records(path: Path, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes | None]]:
    """(offset behind the record, payload) from `start` on; None for a record with a wrong checksum."""
    with path.open("rb") as file:
        file.seek(start)
        offset = start
        while end is None or offset < end:
            header = file.read(HEADER.size)
            if len(header) < HEADER.size:
                return
            length, checksum = HEADER.unpack(header)
            if length > MAX_RECORD:
                return
            payload = file.read(length)
            if len(payload) < length:
                return
            offset += HEADER.size + length
            yield offset, payload if zlib.crc32(payload) == checksum else None


def find(folder: Path, kinds: tuple[str, ...]) -> Iterator[Segment]:
    """The segments in a folder, oldest first, each read once to know what of it is whole."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        kind, _, number = path.stem.rpartition("-")
        if kind in kinds and number.isdigit():
            segment = Segment(kind, int(number), path)
            for offset, payload in records(path):
                segment.size = offset
                segment.items += payload is not None
                segment.damaged += payload is None
            segment.damaged += path.stat().st_size > segment.size
            yield segment


def path_of(folder: Path, kind: str, number: int) -> Path:
    """Where a segment lies."""
    return folder / f"{kind}-{number:08d}{SUFFIX}"
