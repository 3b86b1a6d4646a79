"""Tar archives from a stream, made for input that may be hostile: nothing is unpacked, every length has a limit.

The standard library's reader trusts lengths in extended headers and keeps every member in memory; this one does not.
Formats: POSIX ustar and pax, GNU long names. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from seawall.core.errors import Hostile

BLOCK = 512
MAX_HEADER = 1 << 20
"""Bytes of an extended header; real ones are below 10 KB."""
MAX_ENTRIES = 2_000_000
MAX_NAME = 4096

REGULAR, DIRECTORY, HARD_LINK, SYMBOLIC_LINK, SPECIAL, SPARSE = (
    "file",
    "directory",
    "hard link",
    "link",
    "special",
    "sparse",
)
_TYPES = {
    b"0": REGULAR, b"\0": REGULAR, b"7": REGULAR, b"5": DIRECTORY, b"1": HARD_LINK, b"2": SYMBOLIC_LINK,
    b"3": SPECIAL, b"4": SPECIAL, b"6": SPECIAL, b"S": SPARSE,
}  # fmt: skip

_KEYS = {"path", "linkpath", "size", *(f"GNU.sparse.{name}" for name in ("major", "map", "name", "numblocks"))}
"""Of pax records; nothing else of them is looked at."""
_LENGTH = re.compile(rb"(\d{1,8}) ")


class Reader(Protocol):
    """A stream: gives up to `size` bytes, fewer only near its end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; empty at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One member's head."""

    name: str
    """As written; may be absolute, may hold "..": see layers.clean."""
    type: str
    size: int
    link: str = ""
    mode: int = 0
    """Permission bits with set-uid, set-gid and sticky."""
    uid: int = 0
    gid: int = 0


class Seeking:
    """A file on disk as a stream: what is passed over is not read."""

    def __init__(self, file: BinaryIO, start: int = 0, size: int | None = None) -> None:
        self._file = file
        self.at = start
        self._end = os.fstat(file.fileno()).st_size if size is None else start + size

    def read(self, size: int, /) -> bytes:
        """From `at` on, up to the end."""
        data = os.pread(self._file.fileno(), max(min(size, self._end - self.at), 0), self.at)
        self.at += len(data)
        return data

    def skip(self, size: int) -> None:
        """Raises Hostile behind the end."""
        if size > self._end - self.at:
            raise Hostile("the archive is cut off inside a member")
        self.at += size


class Body:
    """A member's content; what is not read is passed over when the next member is asked for."""

    def __init__(self, stream: Reader, size: int) -> None:
        self._stream = stream
        self._left = size
        self._padding = -size % BLOCK

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes. Raises Hostile when the archive ends before the member does."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = _exactly(self._stream, wanted)
        self._left -= wanted
        return data

    def skip(self) -> None:
        """Go to the next member."""
        left = self._left + self._padding
        self._left = self._padding = 0
        if left > 0 and isinstance(self._stream, Seeking):
            self._stream.skip(left)
            return
        while left > 0:
            left -= len(_exactly(self._stream, min(left, 1 << 20)))


def members(stream: Reader) -> Iterator[tuple[Entry, Body]]:
    """Each member with its content. Raises Hostile when the archive is broken, cut off or over a limit."""
    extended: dict[str, str] = {}
    for _ in range(MAX_ENTRIES):
        header = stream.read(BLOCK)
        if not header.strip(b"\0"):
            return  # the end, by mark or by the end of the file
        if len(header) < BLOCK:
            raise Hostile("the archive is cut off inside a header")
        _check(header)
        kind, size = header[156:157], _number(header[124:136])
        if kind == b"S":
            _pass_map(stream, header)
        if kind in (b"x", b"g", b"L", b"K"):
            content = _extension(stream, size)
            if kind != b"g":  # global headers carry comments (git archive), never a name of the next member
                extended |= _extended(kind, content)
            continue
        name = extended.get("path") or _name(header)
        link = extended.get("linkpath") or _text(header[157:257])
        size = _long(extended["size"]) if "size" in extended else size
        type_ = _TYPES.get(kind, SPECIAL)
        if any(key.startswith("GNU.sparse.") for key in extended):
            name, type_ = extended.get("GNU.sparse.name", name), SPARSE
        extended = {}
        body = Body(stream, size if type_ in (REGULAR, SPARSE) else 0)
        if len(name) > MAX_NAME:
            raise Hostile(f"a name of {len(name)} characters, the limit is {MAX_NAME}")
        yield Entry(name, type_, size, link, *_owner(header)), body
        body.skip()
    raise Hostile(f"more than {MAX_ENTRIES} entries")


def _extension(stream: Reader, size: int) -> bytes:
    if size > MAX_HEADER:
        raise Hostile(f"an extended header of {size} bytes, the limit is {MAX_HEADER}")
    body = Body(stream, size)
    content = body.read()
    body.skip()
    return content


def _extended(kind: bytes, content: bytes) -> dict[str, str]:
    if kind == b"L":
        return {"path": _text(content)}
    if kind == b"K":
        return {"linkpath": _text(content)}
    found = {}
    at = 0
    while match := _LENGTH.match(content, at):
        end = at + int(match[1])
        equals = content.find(b"=", match.end(), end)
        if equals < 0 or end > len(content):
            break  # what is behind a broken record cannot be found again
        if (key := content[match.end() : equals].decode("utf-8", "replace")) in _KEYS:
            found[key] = content[equals + 1 : end - 1].decode("utf-8", "surrogateescape")
        at = end
    return found


def _pass_map(stream: Reader, header: bytes) -> None:
    """Over the blocks in which GNU's old sparse format goes on with its map."""
    more = header[482]
    for _ in range(MAX_HEADER // BLOCK):
        if not more:
            return
        more = _exactly(stream, BLOCK)[504]
    raise Hostile("a sparse file of too many pieces")


def _long(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise Hostile("a member's size is no number")
    return int(text)


def _check(header: bytes) -> None:
    try:
        said = int(header[148:156].strip(b" \0") or b"0", 8)
    except ValueError:
        raise Hostile("the archive is broken: no header where one has to be") from None
    # Adler-32 holds the sum of all bytes, modulo 65521, and is had at a twentieth of the time.
    wanted = said + sum(header[148:156]) - 8 * 0x20 + 1
    if zlib.adler32(header) & 0xFFFF != wanted % 65521:
        raise Hostile("the archive is broken: a header's checksum is wrong")


def _number(field: bytes) -> int:
    """Octal text, or GNU's binary form for what is too large for it."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") & ~(0x80 << 8 * (len(field) - 1))
        if field[0] == 0xFF or value >= 1 << 60:
            raise Hostile("a member of negative or absurd size")
        return value
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise Hostile("a member's size is no number") from None


def _owner(header: bytes) -> tuple[int, int, int]:
    """Mode, uid and gid; 0 for what is no number, which costs nobody the file."""
    found = []
    for field in (header[100:108], header[108:116], header[116:124]):
        try:
            found.append(_number(field))
        except Hostile:
            found.append(0)
    return found[0] & 0o7777, found[1], found[2]


def _name(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _exactly(stream: Reader, size: int) -> bytes:
    data = stream.read(size)
    if len(data) == size:
        return data
    parts = [data]
    got = len(data)
    while got < size:
        part = stream.read(size - got)
        if not part:
            raise Hostile("the archive is cut off inside a member")
        parts.append(part)
        got += len(part)
    return b"".join(parts)
