"""Zip archives in memory, made for input that may be hostile: only the members that are wanted are looked at.

The standard library's reader makes an object of every entry, of which a fat jar has fifty thousand.
Source: PKWARE, .ZIP File Format Specification (APPNOTE).
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seawall.images.collect.files import Buffer

MAX_ENTRIES = 500_000
MAX_COMMENT = 1 << 16
_END, _END64, _AT64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the directory."""

    name: str
    packing: int
    packed: int
    size: int
    """As the directory says."""
    offset: int


class Zip:
    """An archive that is in memory or mapped."""

    def __init__(self, data: Buffer) -> None:
        """Raises ValueError when there is no directory."""
        self._data = data
        self._start, self._directory, self._size = _directory(data)

    def members(self, wanted: Callable[[bytes], bool]) -> Iterator[Member]:
        """Those whose raw name is wanted. Raises ValueError on a broken directory and over MAX_ENTRIES."""
        data, at = self._data, self._directory
        end = min(at + self._size, len(data))
        for _ in range(MAX_ENTRIES):
            if at + 46 > end:
                return
            if data[at : at + 4] != b"PK\x01\x02":
                raise ValueError("the zip's directory is broken")
            packing, packed, size, name, extra, comment, offset = struct.unpack_from("<10xH8xIIHHH8xI", data, at)
            raw = bytes(data[at + 46 : at + 46 + name])
            if wanted(raw):
                if 0xFFFFFFFF in (packed, size, offset):
                    more = bytes(data[at + 46 + name : at + 46 + name + extra])
                    packed, size, offset = _wide(more, packed, size, offset)
                yield Member(raw.decode("utf-8", "replace"), packing, packed, size, self._start + offset)
            at += 46 + name + extra + comment
        raise ValueError(f"a zip of more than {MAX_ENTRIES} entries")

    def read(self, member: Member, limit: int) -> bytes:
        """The content. Raises ValueError when it is broken, packed in an unknown way or over the limit."""
        data = self._data
        if member.size > limit or member.packed > limit:
            raise ValueError(f"{member.name[:200]}: {max(member.size, member.packed)} bytes, the limit is {limit}")
        if data[member.offset : member.offset + 4] != b"PK\x03\x04":
            raise ValueError("the zip's directory points to no member")
        name, extra = struct.unpack("<HH", bytes(data[member.offset + 26 : member.offset + 30]).ljust(4, b"\0"))
        at = member.offset + 30 + name + extra
        packed = bytes(data[at : at + member.packed])
        if len(packed) < member.packed:
            raise ValueError("the zip is cut off")
        if member.packing == 0:
            return packed
        if member.packing != 8:
            raise ValueError(f"a member is packed by method {member.packing}")
        try:
            unpacker = zlib.decompressobj(-15)
            found = unpacker.decompress(packed, limit + 1)
        except zlib.error as error:
            raise ValueError(f"a member is broken: {error}") from error
        if len(found) > limit:
            raise ValueError(f"a member is over {limit} bytes once unpacked")
        return found


def _directory(data: Buffer) -> tuple[int, int, int]:
    """What is before the archive (a script that starts it), where the directory begins, and its bytes."""
    end = data.rfind(_END, max(len(data) - MAX_COMMENT - 22, 0))
    if end < 0 or end + 22 > len(data):
        raise ValueError("no zip: it has no directory, or is cut off")
    size, offset = struct.unpack_from("<II", data, end + 12)
    behind = end
    if 0xFFFFFFFF in (size, offset) and end >= 20 and data[end - 20 : end - 16] == _AT64:
        at = data.rfind(_END64, 0, end - 20)
        if at < 0 or at + 56 > len(data):
            raise ValueError("the zip's wide directory is missing")
        size, offset = struct.unpack_from("<QQ", data, at + 40)
        behind = at
    start = behind - size - offset
    if start < 0 or size > behind:
        raise ValueError("the zip's directory lies outside of it")
    return start, start + offset, size


def _wide(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """The three numbers, those that did not fit from the zip64 field."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        if tag == 1:
            numbers = iter(struct.unpack_from(f"<{length // 8}Q", extra.ljust(at + 4 + length, b"\0"), at + 4))
            size, packed, offset = (
                next(numbers, 0) if number == 0xFFFFFFFF else number for number in (size, packed, offset)
            )
        at += 4 + length
    return packed, size, offset
