"""Writes bbolt files for tests: nested dicts of bytes become buckets. Values as large as they like."""

import struct
from pathlib import Path

SIZE = 4096
Tree = dict[bytes, "bytes | Tree"]


def write(path: Path, tree: Tree) -> None:
    """A whole file with both of its heads."""
    pages = _Pages()
    root = pages.bucket(tree)
    free = pages.add(0x10, 0, b"")
    body = bytearray(b"".join(pages.made))
    heads = b"".join(_meta(number, root, free, 2 + len(body) // SIZE) for number in (0, 1))
    path.write_bytes(heads + body)


class _Pages:
    def __init__(self) -> None:
        self.made: list[bytes] = []
        self.next = 2

    def add(self, flags: int, count: int, body: bytes) -> int:
        number, size = self.next, 16 + len(body)
        more = max(-(-size // SIZE), 1) - 1
        self.made.append((struct.pack("<QHHI", number, flags, count, more) + body).ljust((more + 1) * SIZE, b"\0"))
        self.next += more + 1
        return number

    def bucket(self, tree: Tree) -> int:
        items = []
        for key, value in sorted(tree.items()):
            if isinstance(value, dict):
                items.append((1, key, struct.pack("<QQ", self.bucket(value), 0)))
            else:
                items.append((0, key, value))
        level = [(keys[0][1] if keys else b"", self.leaf(keys)) for keys in _chunks(items)]
        while len(level) > 1:
            groups = [level[at : at + 60] for at in range(0, len(level), 60)]
            level = [(group[0][0], self.branch(group)) for group in groups]
        return level[0][1]

    def leaf(self, items: list[tuple[int, bytes, bytes]]) -> int:
        return self.add(0x02, len(items), leaf(items))

    def branch(self, children: list[tuple[bytes, int]]) -> int:
        head, data, place = b"", b"", 16 * len(children)
        for at, (key, number) in enumerate(children):
            head += struct.pack("<IIQ", place + len(data) - 16 * at, len(key), number)
            data += key
        return self.add(0x01, len(children), head + data)


def leaf(items: list[tuple[int, bytes, bytes]]) -> bytes:
    """The body of a leaf: (1 for a bucket, key, value) each."""
    head, data, place = b"", b"", 16 * len(items)
    for at, (flags, key, value) in enumerate(items):
        head += struct.pack("<IIII", flags, place + len(data) - 16 * at, len(key), len(value))
        data += key + value
    return head + data


def _chunks(items: list[tuple[int, bytes, bytes]]) -> list[list[tuple[int, bytes, bytes]]]:
    found: list[list[tuple[int, bytes, bytes]]] = [[]]
    size = 16
    for item in items:
        more = 16 + len(item[1]) + len(item[2])
        if found[-1] and size + more > SIZE:
            found.append([])
            size = 16
        found[-1].append(item)
        size += more
    return found


def _meta(number: int, root: int, free: int, pages: int) -> bytes:
    body = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, SIZE, 0, root, 0, free, pages, number + 1)
    checksum = 0xCBF29CE484222325
    for byte in body:
        checksum = ((checksum ^ byte) * 0x100000001B3) & 0xFFFF_FFFF_FFFF_FFFF
    page = struct.pack("<QHHI", number, 0x04, 0, 0) + body + struct.pack("<Q", checksum)
    return page.ljust(SIZE, b"\0")
