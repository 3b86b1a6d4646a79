"""A header of rpm: the tags of one installed package. Source: rpm, docs/manual/format_header.md"""

import struct
from collections.abc import Callable

MAX_ENTRIES = 65_535
MAX_BYTES = 256 << 20
MAX_VALUES = 1_000_000
"""Of one tag: a package of that many files does not exist."""
NAME, VERSION, RELEASE, EPOCH, VENDOR, LICENSE, ARCH = 1000, 1001, 1002, 1003, 1011, 1014, 1022
SOURCE, MODULE, OLD_FILES, FOLDERS_OF, BASENAMES, FOLDERS = 1044, 5096, 1027, 1116, 1117, 1118
_TEXTS = (6, 8, 9)
_INT32 = 4


class Header:
    """Finds tags; a value is only read when somebody asks for it."""

    def __init__(self, blob: bytes) -> None:
        """Raises ValueError when the blob is no header."""
        if len(blob) < 8:
            raise ValueError("an rpm header is cut off")
        entries, size = struct.unpack_from(">II", blob)
        self._data = 8 + entries * 16
        if not entries or entries > MAX_ENTRIES or size > MAX_BYTES or self._data + size > len(blob):
            raise ValueError("an rpm header says sizes that are not true")
        self._blob = blob
        self._end = self._data + size
        self._index = {
            tag: (kind, offset, count) for tag, kind, offset, count in struct.iter_unpack(">IIiI", blob[8 : self._data])
        }

    def text(self, tag: int) -> str:
        """A text, of a list the first; "" when there is none. Raises ValueError when it is broken."""
        found = self.texts(tag, 1)
        return found[0] if found else ""

    def texts(self, tag: int, most: int = MAX_VALUES) -> list[str]:
        """A list of texts, not more than `most`. Raises ValueError when it is broken."""
        kind, offset, count = self._index.get(tag, (0, 0, 0))
        if kind not in _TEXTS or not count:
            return []
        start = self._data + offset
        if count > MAX_VALUES or offset < 0 or start >= self._end:
            raise ValueError("a text of an rpm header lies outside of it")
        count = min(count, most)
        found: list[str] = []
        while len(found) < count:
            end = self._blob.find(b"\0", start, self._end)
            if end < 0:
                raise ValueError("a text of an rpm header has no end")
            found.append(self._blob[start:end].decode("utf-8", "surrogateescape"))
            start = end + 1
        return found

    def numbers(self, tag: int) -> tuple[int, ...]:
        """32-bit numbers. Raises ValueError when they are not in the header."""
        kind, offset, count = self._index.get(tag, (0, 0, 0))
        if kind != _INT32 or not count:
            return ()
        start = self._data + offset
        if count > MAX_VALUES or offset < 0 or start + 4 * count > self._end:
            raise ValueError("numbers of an rpm header lie outside of it")
        return struct.unpack_from(f">{count}I", self._blob, start)

    def files(self, evidence: Callable[[str], bool]) -> list[str]:
        """Paths, without the leading slash, for which `evidence` is true. Raises ValueError when the lists disagree."""
        names = self.texts(BASENAMES)
        if not names:
            old = (path.lstrip("/") for path in self.texts(OLD_FILES))
            return [path for path in old if evidence(path)]
        folders = [folder.lstrip("/") for folder in self.texts(FOLDERS)]
        indexes = self.numbers(FOLDERS_OF)
        if len(indexes) != len(names) or (indexes and max(indexes) >= len(folders)):
            raise ValueError("the file list of an rpm header is broken")
        paths = (folders[index] + name for index, name in zip(indexes, names, strict=True))
        return [path for path in paths if evidence(path)]
