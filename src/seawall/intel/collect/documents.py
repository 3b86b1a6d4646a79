"""From files, folders and archives to single documents, streamed and with limits. Nothing is unpacked to disk."""

import io
import re
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from seawall.core.bolt import is_bolt
from seawall.core.errors import SeawallError
from seawall.core.skipped import Skipped
from seawall.intel.collect.unpacking import BROKEN, Ahead, unpacking

MAX_DOCUMENT = 512 << 20
"""Bytes of one document; the largest real one (a whole ecosystem as one JSON) is about 100 MB."""
MAX_TOTAL = 64 << 30
MAX_DATABASE = 8 << 30
"""Bytes of a database (trivy.db is about 1 GB)."""
MAX_DEPTH = 3
"""Packings in each other: .tar.gz is two."""
HEAD = 1024
SMALL = 4 << 20
"""Bytes of a member that is read at once."""
PACKED = re.compile(r"\.(gz|bz2|xz|zst)$")
MAX_COUNT = 2_000_000

BAD: tuple[type[Exception], ...] = (
    *BROKEN, tarfile.TarError, zipfile.BadZipFile, RuntimeError, ValueError, struct.error,
)  # fmt: skip
"""What reading of broken or hostile archives raises."""

Skip = Callable[[Skipped], None]


@dataclass(frozen=True, slots=True)
class Document:
    """One file of a feed."""

    name: str
    """Its path, inside an archive after the archive's own: "osv-go.tar.gz:data/osv/GO-2024-1.json"."""
    data: bytes
    file: IO[bytes] | None = None
    """A database as a file, as long as the document is looked at; `data` is then its head."""


def documents(path: Path, skip: Skip) -> Iterator[Document]:
    """Every document of a file, a folder or an archive (zip, tar; gzip, bzip2, xz, zstd).

    What is too large or broken goes to `skip`. Raises SeawallError if `path` itself is not there.
    """
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.is_symlink() and not file.name.startswith("."):
                yield from documents(file, skip)
        return
    if not path.is_file():
        raise SeawallError(f"cannot read {path}: no such file", "name a feed's file, archive or folder")
    budget = _Budget()
    try:
        yield from _of_file(path, budget, skip)
    except BAD as error:
        skip(Skipped(str(path), f"the archive is broken or cut off: {error}"))
    except _OverLimit as error:
        skip(Skipped(str(path), str(error)))


class _OverLimit(Exception):
    pass


@dataclass(slots=True)
class _Budget:
    count: int = 0
    total: int = 0

    def take(self, size: int) -> None:
        self.count += 1
        self.total += size
        if self.count > MAX_COUNT or self.total > MAX_TOTAL:
            raise _OverLimit(f"more than {MAX_COUNT} documents or {MAX_TOTAL >> 30} GB: the rest was not read")


def _of_file(path: Path, budget: _Budget, skip: Skip) -> Iterator[Document]:
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            yield from _of_zip(path.name, file, budget, skip)
            return
        file.seek(0)
        yield from _read(path.name, file, budget, skip, 0)


def _read(name: str, content: IO[bytes], budget: _Budget, skip: Skip, depth: int) -> Iterator[Document]:
    """What a stream holds, however packed: a document, or those of an archive in it."""
    head = content.read(HEAD)
    whole = cast(IO[bytes], io.BufferedReader(Ahead(head, content), 1 << 16))
    unpacked = unpacking(head, whole) if depth < MAX_DEPTH else None
    if unpacked is not None:
        yield from _read(name, unpacked, budget, skip, depth + 1)
    elif head[257:262] == b"ustar" and depth < MAX_DEPTH:
        yield from _of_tar(name, whole, budget, skip, depth)
    elif is_bolt(head):
        yield from _database(name, head, whole, budget, skip)
    else:
        yield from _one(PACKED.sub("", name) if depth else name, whole, budget, skip)


def _holds_more(data: bytes) -> bool:
    """Whether it is packed, an archive or a database."""
    return data[:2] in (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5") or data[257:262] == b"ustar" or is_bolt(data[:80])


def _of_tar(name: str, stream: IO[bytes], budget: _Budget, skip: Skip, depth: int) -> Iterator[Document]:
    with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 18) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            if member.size <= SMALL and not _holds_more(data := content.read()):
                budget.take(len(data))
                yield Document(f"{name}:{member.name}", data)
            elif member.size <= SMALL:
                yield from _read(f"{name}:{member.name}", io.BytesIO(data), budget, skip, depth + 1)
            else:
                yield from _read(f"{name}:{member.name}", content, budget, skip, depth + 1)


def _of_zip(name: str, file: IO[bytes], budget: _Budget, skip: Skip) -> Iterator[Document]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                try:
                    with archive.open(member) as content:
                        yield from _one(f"{name}:{member.filename}", content, budget, skip)
                except BAD as error:
                    skip(Skipped(f"{name}:{member.filename}", str(error)))


def _database(name: str, head: bytes, content: IO[bytes], budget: _Budget, skip: Skip) -> Iterator[Document]:
    """A database is read by place, so it is spooled into a file that has no name."""
    with tempfile.TemporaryFile() as file:
        size = 0
        while piece := content.read(1 << 20):
            size += len(piece)
            if size > MAX_DATABASE:
                skip(Skipped(name, f"more than {MAX_DATABASE} bytes"))
                return
            file.write(piece)
        budget.take(size)
        file.flush()
        yield Document(name, head, file)


def _one(name: str, content: IO[bytes], budget: _Budget, skip: Skip) -> Iterator[Document]:
    data = content.read(MAX_DOCUMENT + 1)
    budget.take(len(data))
    if len(data) > MAX_DOCUMENT:
        skip(Skipped(name, f"more than {MAX_DOCUMENT} bytes"))
        return
    yield Document(name, data)
