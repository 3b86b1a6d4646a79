"""rpm's own database "Packages.db", of SUSE. Source: rpm, lib/backend/ndb/rpmpkg.c"""

import struct
from collections.abc import Iterator

from seawall.images.collect.files import Buffer

MAGIC = b"RpmP"
_SLOTS_OF_HEAD, _SLOT, _BLOCK, _PAGE = 2, 16, 16, 4096
MAX_PAGES = 65_536
MAX_BLOB = 256 << 20


def headers(data: Buffer) -> Iterator[bytes]:
    """Each package's header. Raises ValueError when the database is broken."""
    if len(data) < _PAGE or data[:4] != MAGIC:
        raise ValueError("no rpm database of the kind ndb")
    version, _, pages = struct.unpack_from("<III", data, 4)
    if version != 0 or not 0 < pages <= MAX_PAGES or pages * _PAGE > len(data):
        raise ValueError("an rpm database (ndb) whose head is not true")
    for number in range(_SLOTS_OF_HEAD, pages * _PAGE // _SLOT):
        magic, index, block, count = struct.unpack_from("<4sIII", data, number * _SLOT)
        if magic != b"Slot":
            raise ValueError("a broken slot in an rpm database (ndb)")
        if index:
            yield _blob(data, index, block * _BLOCK, count * _BLOCK)


def _blob(data: Buffer, index: int, at: int, room: int) -> bytes:
    if room < 32 or room > MAX_BLOB or at + room > len(data):
        raise ValueError("a package of an rpm database (ndb) lies outside of it")
    magic, mine, _, size = struct.unpack_from("<4sIII", data, at)
    if magic != b"BlbS" or mine != index or size > room - 16:
        raise ValueError("a broken package in an rpm database (ndb)")
    return bytes(data[at + 16 : at + 16 + size])
