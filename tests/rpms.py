"""rpm headers and databases made in memory, as rpm writes them: a header, ndb, a hash of Berkeley DB, SQLite."""

import sqlite3
import struct
from collections.abc import Sequence

STRING, STRINGS, INT32, I18N = 6, 8, 4, 9
NDB_PAGE = 4096


def header(name: str, version: str, release: str = "1", **more: object) -> bytes:
    """`epoch`, `arch`, `source`, `module`, `vendor`, `license`, `files`: paths with a leading slash."""
    tags: list[tuple[int, int, object]] = [(1000, STRING, name), (1001, STRING, version), (1002, STRING, release)]
    if "epoch" in more:
        tags.append((1003, INT32, [more["epoch"]]))
    for key, tag, kind in (
        ("vendor", 1011, STRING), ("license", 1014, STRING), ("arch", 1022, STRING), ("source", 1044, STRING),
        ("module", 5096, STRING),
    ):  # fmt: skip
        if key in more:
            tags.append((tag, kind, more[key]))
    if files := more.get("files"):
        assert isinstance(files, Sequence)
        folders = sorted({one.rpartition("/")[0] + "/" for one in files})
        tags.append((1116, INT32, [folders.index(one.rpartition("/")[0] + "/") for one in files]))
        tags.append((1117, STRINGS, [one.rpartition("/")[2] for one in files]))
        tags.append((1118, STRINGS, folders))
    index, data = b"", b""
    for tag, kind, value in tags:
        if kind == INT32:
            data += b"\0" * (-len(data) % 4)
        values = value if isinstance(value, list) else [value]
        index += struct.pack(">IIiI", tag, kind, len(data), len(values))
        data += b"".join(struct.pack(">I", one) if kind == INT32 else one.encode() + b"\0" for one in values)
    return struct.pack(">II", len(index) // 16, len(data)) + index + data


def sqlite(blobs: Sequence[bytes], *, wal: bool = False) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(one,) for one in blobs])
    connection.commit()
    data = connection.serialize()
    connection.close()
    return data[:18] + b"\2\2" + data[20:] if wal else data


def ndb(blobs: Sequence[bytes]) -> bytes:
    slots, body = b"", b""
    for number, blob in enumerate(blobs, 1):
        content = struct.pack("<4sIII", b"BlbS", number, 1, len(blob)) + blob
        content += b"\0" * (-(len(content) + 12) % 16) + struct.pack("<II4s", 0, len(blob), b"BlbE")
        place = (NDB_PAGE + len(body)) // 16
        slots += struct.pack("<4sIII", b"Slot", number, place, len(content) // 16)
        body += content
    head = struct.pack("<4sIII16x", b"RpmP", 0, 1, 1)
    empty = struct.pack("<4sIII", b"Slot", 0, 0, 0)
    return head + slots + empty * ((NDB_PAGE - len(head) - len(slots)) // 16) + body


def bdb(blobs: Sequence[bytes], *, order: str = "<", page: int = 4096) -> bytes:
    """A meta page, one page of entries, and a chain of overflow pages for each header; entry 0 is the counter."""
    pages: dict[int, bytes] = {}
    following = 2
    entries: list[tuple[bytes, bytes]] = [
        (b"\x01" + struct.pack(f"{order}I", 0), b"\x01" + struct.pack(f"{order}I", len(blobs)))
    ]
    room = page - 26
    for number, blob in enumerate(blobs, 1):
        parts = [blob[at : at + room] for at in range(0, len(blob), room)]
        value = struct.pack(f"{order}B3xII", 3, following, len(blob))
        entries.append((b"\x01" + struct.pack(f"{order}I", number), value))
        for place, part in enumerate(parts):
            after = following + 1 if place + 1 < len(parts) else 0
            head = struct.pack(f"{order}8xIIIHHBB", following, 0, after, 1, len(part), 0, 7)
            pages[following] = (head + part).ljust(page, b"\0")
            following += 1
    at, places, content = page, [], b""
    for pair in entries:
        for one in pair:
            at -= len(one)
            places.append(at)
            content = one + content
    head = struct.pack(f"{order}8xIIIHHBB", 1, 0, 0, len(places), at, 0, 13) + struct.pack(
        f"{order}{len(places)}H", *places
    )
    pages[1] = head.ljust(page - len(content), b"\0") + content
    meta = struct.pack(f"{order}8xIIIIBBBxIIII", 0, 0x061561, 9, page, 0, 8, 0, 0, following - 1, 0, 0)
    return meta.ljust(page, b"\0") + b"".join(pages[number] for number in sorted(pages))
