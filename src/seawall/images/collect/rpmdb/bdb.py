"""rpm's older database "Packages": a hash of Berkeley DB, of Red Hat up to 8. Source: Berkeley DB, dbinc/db_page.h"""

import struct
from collections.abc import Iterator

from seawall.images.collect.files import Buffer

MAGIC = 0x00061561
_PAGE_HEAD = 26
_HASH, _HASH_UNSORTED, _OVERFLOW = 13, 2, 7
_INLINE, _ELSEWHERE = 1, 3
MAX_BLOB = 256 << 20


def order(data: Buffer) -> str:
    """Its byte order as struct writes it; "" when it is no such database."""
    if len(data) < 512:
        return ""
    return next((one for one in "<>" if struct.unpack_from(f"{one}I", data, 12)[0] == MAGIC), "")


def headers(data: Buffer) -> Iterator[bytes]:
    """Each package's header. Raises ValueError when the database is broken."""
    way = order(data)
    if not way:
        raise ValueError("no hash of Berkeley DB")
    size, encrypted = struct.unpack_from(f"{way}IB", data, 20)
    (last,) = struct.unpack_from(f"{way}I", data, 32)
    if size not in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536) or encrypted:
        raise ValueError("a Berkeley DB of an odd page size, or encrypted")
    for page in range(1, min(last, len(data) // size - 1) + 1):
        if data[page * size + 25] in (_HASH, _HASH_UNSORTED):
            yield from _values(data, way, page * size, size)


def _values(data: Buffer, way: str, at: int, size: int) -> Iterator[bytes]:
    """Every second entry of a page is a value. One that lies in the page itself is only the counter of packages."""
    (count,) = struct.unpack_from(f"{way}H", data, at + 20)
    if _PAGE_HEAD + 2 * count > size or count % 2:
        raise ValueError("a broken page in a Berkeley DB")
    places = struct.unpack_from(f"{way}{count}H", data, at + _PAGE_HEAD)
    for number in range(1, count, 2):
        place, end = places[number], places[number - 1]
        if place >= size:
            raise ValueError("an entry of a Berkeley DB lies outside of its page")
        kind = data[at + place]
        if kind == _ELSEWHERE and place + 12 <= size:
            first, length = struct.unpack_from(f"{way}II", data, at + place + 4)
            yield _long(data, way, size, first, length)
        elif kind == _INLINE and place < end <= size and end - place > 9:
            yield bytes(data[at + place + 1 : at + end])


def _long(data: Buffer, way: str, size: int, page: int, length: int) -> bytes:
    """What lies on a chain of pages."""
    if length > min(MAX_BLOB, len(data)):
        raise ValueError("an entry of a Berkeley DB is longer than the file")
    parts, got = [], 0
    while page and got < length:
        at = page * size
        if at + size > len(data) or data[at + 25] != _OVERFLOW:
            raise ValueError("a chain of pages in a Berkeley DB is broken")
        following, held = struct.unpack_from(f"{way}I2xH", data, at + 16)
        if not held or _PAGE_HEAD + held > size:
            raise ValueError("a page of a Berkeley DB says a length that is not true")
        parts.append(bytes(data[at + _PAGE_HEAD : at + _PAGE_HEAD + held]))
        got += held
        page = following
    if got < length:
        raise ValueError("a chain of pages in a Berkeley DB ends too early")
    return b"".join(parts)[:length]
