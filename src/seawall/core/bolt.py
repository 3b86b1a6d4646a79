"""Reads a bbolt file (containerd's meta.db, Trivy's trivy.db) without its library: pages of a B+ tree, buckets nested.

The file is hostile: each page may be reached on one way only (so no walk is longer than the file), keys and values lie
one after the other inside their page, nothing nests deeper than limits say. Raises Hostile where that does not hold.
Format: https://github.com/etcd-io/bbolt (page.go, meta.go, bucket.go), version 2, little endian.
"""

import mmap
import struct
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from seawall.core.errors import Hostile

MAGIC = 0xED0CDAED
VERSION = 2
MAX_DEPTH = 40
"""Pages from a bucket's root to its leaf; a real file of many GB has six."""
MAX_NESTING = 24
"""Buckets in buckets; containerd has six."""
MAX_KEY = 32768
MAX_VALUE = 64 << 20
MAX_PAGES = 1 << 27
PAGE_SIZES = frozenset(1 << power for power in range(9, 18))

_HEADER = struct.Struct("<QHHI")
"""Page: number, flags, count of elements, pages that follow and belong to it."""
_META = struct.Struct("<IIIIQQQQQQ")
"""Magic, version, page size, flags, root page, sequence, free list, pages, transaction, checksum."""
_BRANCH = struct.Struct("<IIQ")
_LEAF = struct.Struct("<IIII")
_BUCKET = struct.Struct("<QQ")
_IS_BRANCH, _IS_LEAF, _IS_META = 0x01, 0x02, 0x04
_BUCKET_FLAG = 0x01
_INNER = 0x8000_0000
"""Marks a page that belongs to the one before it."""

Data = bytes | bytearray | memoryview | mmap.mmap


def is_bolt(head: bytes) -> bool:
    """Whether the first 80 bytes of a file are those of bbolt."""
    return len(head) >= 24 and struct.unpack_from("<II", head, 16) == (MAGIC, VERSION)


class Bolt:
    """An open file. `root` is the bucket that holds all others."""

    def __init__(self, data: Data) -> None:
        """Takes a whole file as a buffer. Raises Hostile when it is none of bbolt's."""
        self._data = memoryview(data)
        self.page_size, root = self._newest()
        pages = len(self._data) // self.page_size
        if pages > MAX_PAGES:
            raise Hostile(f"a database of {pages} pages, the limit is {MAX_PAGES}")
        self._owners = array("I", bytes(4 * (pages + 1)))
        self.root = Bucket(self, root, None, 1, 0)

    def close(self) -> None:
        """Let go of the buffer; what was read before stays valid."""
        self._data.release()

    def _newest(self) -> tuple[int, int]:
        """Page size and root page of the last whole transaction: two copies take turns, a torn one has no checksum."""
        found: list[tuple[int, int, int]] = []
        first = self._meta(0)
        for size in (first[0],) if first else sorted(PAGE_SIZES):
            found += [meta for meta in (first, self._meta(size)) if meta and meta[0] == size]
            if found:
                break
        if not found:
            raise Hostile("no bbolt file: neither of its two heads is whole")
        size, root, _ = max(found, key=lambda meta: meta[2])
        return size, root

    def _meta(self, at: int) -> tuple[int, int, int] | None:
        end = at + _HEADER.size + _META.size
        if end > len(self._data):
            return None
        magic, version, size, _, root, _, _, _, transaction, checksum = _META.unpack_from(self._data, at + _HEADER.size)
        if (magic, version) != (MAGIC, VERSION) or size not in PAGE_SIZES:
            return None
        if checksum != _fnv(self._data[at + _HEADER.size : end - 8]):
            return None
        return size, root, transaction

    def page(self, number: int) -> tuple[memoryview, int, int, int]:
        """A page with those that follow it, its flags, its count, and how many follow."""
        at = number * self.page_size
        if number < 2 or at + self.page_size > len(self._data):
            raise Hostile(f"page {number} is outside of the database")
        own, flags, count, more = _HEADER.unpack_from(self._data, at)
        if own != number:
            raise Hostile(f"page {number} says that it is page {own}")
        end = at + (more + 1) * self.page_size
        if end > len(self._data):
            raise Hostile(f"page {number} goes beyond the end of the database")
        return self._data[at:end], flags, count, more

    def own(self, number: int, owner: int, more: int) -> None:
        """Note by which page another one is reached. Raises Hostile when it was reached on another way."""
        self._claim(number, owner & 0x7FFF_FFFF)
        for inner in range(number + 1, number + more + 1):
            self._claim(inner, number | _INNER)

    def _claim(self, number: int, owner: int) -> None:
        if self._owners[number] not in (0, owner):
            raise Hostile(f"page {number} belongs to two others")
        self._owners[number] = owner


class Bucket:
    """A sorted map of bytes to bytes or to further buckets."""

    def __init__(self, bolt: Bolt, root: int, inline: memoryview | None, owner: int, nesting: int) -> None:
        self._bolt = bolt
        self._root = root
        self._inline = inline
        self._owner = owner
        self._nesting = nesting

    def items(self) -> "Iterator[tuple[bytes, bytes | Bucket]]":
        """All that is in it, in the order of the keys."""
        if self._inline is not None:
            _, flags, count, _ = _HEADER.unpack_from(self._inline, 0)
            if not flags & _IS_LEAF:
                raise Hostile("a bucket inside a value has more than one page")
            yield from self._leaves(self._inline, count, self._owner)
        else:
            yield from self._walk(self._root, self._owner, 0)

    def buckets(self) -> "Iterator[tuple[bytes, Bucket]]":
        """The buckets in it."""
        return ((key, value) for key, value in self.items() if isinstance(value, Bucket))

    def values(self) -> Iterator[tuple[bytes, bytes]]:
        """What is in it and no bucket."""
        return ((key, value) for key, value in self.items() if isinstance(value, bytes))

    def bucket(self, *names: bytes | str) -> "Bucket | None":
        """The bucket at the end of a way, or None where it ends before."""
        here = self
        for name in names:
            found = here.get(name.encode() if isinstance(name, str) else name)
            if not isinstance(found, Bucket):
                return None
            here = found
        return here

    def value(self, key: bytes | str) -> bytes | None:
        """The value of a key, None if there is none or it is a bucket."""
        found = self.get(key.encode() if isinstance(key, str) else key)
        return found if isinstance(found, bytes) else None

    def get(self, key: bytes) -> "bytes | Bucket | None":
        """What a key has, found by halving."""
        if self._inline is not None:
            _, _, count, _ = _HEADER.unpack_from(self._inline, 0)
            return self._find(self._inline, count, key, self._owner)
        number = self._root
        for _ in range(MAX_DEPTH):
            page, flags, count, _ = self._bolt.page(number)
            if flags & _IS_LEAF:
                return self._find(page, count, key, number)
            if not flags & _IS_BRANCH:
                raise Hostile(f"page {number} is no part of a tree")
            if not count:
                return None
            number = _child(page, count, key)
        raise Hostile(f"a tree of more than {MAX_DEPTH} levels")

    def _walk(self, number: int, owner: int, depth: int) -> "Iterator[tuple[bytes, bytes | Bucket]]":
        if depth > MAX_DEPTH:
            raise Hostile(f"a tree of more than {MAX_DEPTH} levels")
        page, flags, count, more = self._bolt.page(number)
        self._bolt.own(number, owner, more)
        if flags & _IS_LEAF:
            yield from self._leaves(page, count, number)
        elif flags & _IS_BRANCH:
            _room(page, count, _BRANCH.size)
            children = [_BRANCH.unpack_from(page, _HEADER.size + at * _BRANCH.size)[2] for at in range(count)]
            if len(set(children)) != count:
                raise Hostile(f"page {number} names another one twice")
            for child in children:
                yield from self._walk(child, number, depth + 1)
        else:
            raise Hostile(f"page {number} is no part of a tree")

    def _leaves(self, page: memoryview, count: int, number: int) -> "Iterator[tuple[bytes, bytes | Bucket]]":
        _room(page, count, _LEAF.size)
        end = _HEADER.size + count * _LEAF.size
        roots: set[int] = set()
        for at in range(count):
            if _start(page, at) < end:
                raise Hostile(f"two elements of page {number} share their bytes")
            key, value, end = self._element(page, at, number)
            if isinstance(value, Bucket) and value._inline is None:
                if self._inline is not None:
                    raise Hostile("a bucket inside a value holds another one")
                if value._root in roots:
                    raise Hostile(f"two buckets of page {number} are one")
                roots.add(value._root)
            yield key, value

    def _find(self, page: memoryview, count: int, key: bytes, number: int) -> "bytes | Bucket | None":
        _room(page, count, _LEAF.size)
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            found = _leaf_key(page, middle)
            if found == key:
                return self._element(page, middle, number)[1]
            low, high = (middle + 1, high) if found < key else (low, middle)
        return None

    def _element(self, page: memoryview, at: int, number: int) -> "tuple[bytes, bytes | Bucket, int]":
        """Key, value and where they end."""
        key = _leaf_key(page, at)
        flags, _, _, size = _LEAF.unpack_from(page, _HEADER.size + at * _LEAF.size)
        begin = _start(page, at) + len(key)
        if size > MAX_VALUE or begin + size > len(page):
            raise Hostile(f"a value of {size} bytes in page {number}")
        if not flags & _BUCKET_FLAG:
            return key, bytes(page[begin : begin + size]), begin + size
        return key, self._nested(page[begin : begin + size], number), begin + size

    def _nested(self, value: memoryview, number: int) -> "Bucket":
        if self._nesting >= MAX_NESTING:
            raise Hostile(f"more than {MAX_NESTING} buckets in each other")
        if len(value) < _BUCKET.size:
            raise Hostile(f"a bucket in page {number} is cut off")
        root, _ = _BUCKET.unpack_from(value, 0)
        inline = value[_BUCKET.size :] if root == 0 else None
        if inline is not None and len(inline) < _HEADER.size:
            raise Hostile(f"a bucket in page {number} is cut off")
        return Bucket(self._bolt, root, inline, number, self._nesting + 1)


@contextmanager
def open_bolt(source: Path | IO[bytes]) -> Iterator[Bolt]:
    """A file, mapped and not read whole. Raises Hostile for what is no bbolt, OSError."""
    if isinstance(source, Path):
        with source.open("rb") as file, open_bolt(file) as bolt:
            yield bolt
        return
    try:
        mapped = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError as error:
        raise Hostile("an empty file is no bbolt") from error
    try:
        opened = Bolt(mapped)
        try:
            yield opened
        finally:
            opened.close()
    finally:
        with suppress(BufferError):  # somebody still holds a bucket: the mapping ends with it
            mapped.close()


def _room(page: memoryview, count: int, size: int) -> None:
    if _HEADER.size + count * size > len(page):
        raise Hostile(f"{count} elements do not fit into their page")


def _start(page: memoryview, at: int) -> int:
    """Where an element's key begins; its place is counted from the element."""
    here = _HEADER.size + at * _LEAF.size
    begin: int = here + _LEAF.unpack_from(page, here)[1]
    return begin


def _leaf_key(page: memoryview, at: int) -> bytes:
    size = _LEAF.unpack_from(page, _HEADER.size + at * _LEAF.size)[2]
    return _key(page, _start(page, at), size)


def _key(page: memoryview, begin: int, size: int) -> bytes:
    if size > MAX_KEY or begin + size > len(page):
        raise Hostile(f"a key of {size} bytes")
    return bytes(page[begin : begin + size])


def _child(page: memoryview, count: int, key: bytes) -> int:
    """The last child whose first key is not after `key`."""
    _room(page, count, _BRANCH.size)
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        here = _HEADER.size + middle * _BRANCH.size
        place, size, _ = _BRANCH.unpack_from(page, here)
        if _key(page, here + place, size) <= key:
            low = middle + 1
        else:
            high = middle
    child: int = _BRANCH.unpack_from(page, _HEADER.size + max(low - 1, 0) * _BRANCH.size)[2]
    return child


def _fnv(data: memoryview) -> int:
    """FNV-1a, 64 bits."""
    found = 0xCBF29CE484222325
    for byte in data:
        found = ((found ^ byte) * 0x100000001B3) & 0xFFFF_FFFF_FFFF_FFFF
    return found
