"""From files, folders and archives to single documents, streamed and with limits. Nothing is unpacked to disk."""

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from seawall.core.errors import SeawallError
from seawall.core.skipped import Skipped

MAX_DOCUMENT = 512 << 20
"""Bytes of one document; the largest real one (a whole ecosystem as one JSON) is about 100 MB."""
MAX_TOTAL = 16 << 30
MAX_COUNT = 2_000_000

Skip = Callable[[Skipped], None]


@dataclass(frozen=True, slots=True)
class Document:
    """One file of a feed."""

    name: str
    """Its path, inside an archive after the archive's own: "osv-go.tar.gz:data/osv/GO-2024-1.json"."""
    data: bytes


def documents(path: Path, skip: Skip) -> Iterator[Document]:
    """Every document of a file, a folder or an archive (tar, zip, gz).

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
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
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
        head = file.read(4)
        file.seek(0)
        if head.startswith(b"PK\x03\x04"):
            yield from _of_zip(path.name, file, budget, skip)
        elif head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zX")) or _is_tar(file):
            yield from _of_packed(path, budget, skip)
        else:
            yield from _one(path.name, file, budget, skip)


def _is_tar(file: IO[bytes]) -> bool:
    file.seek(257)
    magic = file.read(5)
    file.seek(0)
    return magic == b"ustar"


def _of_packed(path: Path, budget: _Budget, skip: Skip) -> Iterator[Document]:
    if not tarfile.is_tarfile(path):
        with gzip.open(path) as inner:
            yield from _one(path.name.removesuffix(".gz"), cast(IO[bytes], inner), budget, skip)
        return
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            if member.isreg():
                name = f"{path.name}:{member.name}"
                if member.size > MAX_DOCUMENT:
                    skip(Skipped(name, f"{member.size} bytes, the limit is {MAX_DOCUMENT}"))
                    continue
                content = archive.extractfile(member)
                if content is not None:
                    yield from _one(name, content, budget, skip)


def _of_zip(name: str, file: IO[bytes], budget: _Budget, skip: Skip) -> Iterator[Document]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as content:
                    yield from _one(f"{name}:{member.filename}", content, budget, skip)


def _one(name: str, content: IO[bytes], budget: _Budget, skip: Skip) -> Iterator[Document]:
    data = content.read(MAX_DOCUMENT + 1)
    budget.take(len(data))
    if len(data) > MAX_DOCUMENT:
        skip(Skipped(name, f"more than {MAX_DOCUMENT} bytes"))
        return
    yield Document(name, data)
