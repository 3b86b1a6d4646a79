"""What a package format has to offer."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from seawall.images.collect.files import Buffer
from seawall.images.collect.found import Found
from seawall.images.model import Package

Read = Found
"""What one file told: packages and `owned`. A package that lies inside of the file (a jar in a jar) is given one
location, whose path is that of the member; a package of the file itself has none.
"""


@dataclass(frozen=True, slots=True)
class Format:
    """One format; docs/reference/packages.md is made of these."""

    files: tuple[str, ...]
    """Which files, as globs of clean paths: `*` stands for a part of a name, `**/` for any folders."""
    read: Callable[[str, Buffer], Read]
    """From a clean path without a leading slash and the content. Raises ValueError when the file is broken."""
    kinds: tuple[str, ...]
    """Types of the purls."""
    limit: int = 4 << 20
    """Bytes of one file; a larger one is skipped and counted."""
    begins: tuple[bytes, ...] = ()
    """What the file has to begin with, one of them; (): anything."""
    fields: tuple[str, ...] = field(default=("name", "version"))
    """Of images.model.Package, those that are filled."""
    declared: bool = False
    """It names what shall be installed, not what is."""

    def wanted(self, path: str) -> bool:
        """Whether one of the globs fits."""
        return any(glob(one).fullmatch(path) for one in self.files)


@lru_cache(512)
def glob(pattern: str) -> re.Pattern[str]:
    """As `Format.files` means it."""
    parts = re.split(r"(\*\*/|\*)", pattern)
    meant = {"**/": "(?:.*/)?", "*": "[^/]*"}
    return re.compile("".join(meant.get(part, re.escape(part)) for part in parts), re.DOTALL)


LONGEST = 512
MAX_PACKAGES = 50_000
"""Of one database; the largest distributions have about that many to choose from."""


def listed(packages: Iterable[Package]) -> list[Package]:
    """All of a database. Raises ValueError when there are too many to be true."""
    found = list(islice(packages, MAX_PACKAGES + 1))
    if len(found) > MAX_PACKAGES:
        raise ValueError(f"more than {MAX_PACKAGES} packages")
    return found


def clean(text: str) -> str:
    """A name or version as it may be shown: one line, of bounded length."""
    return " ".join(text.split())[:LONGEST]


def text(data: Buffer) -> str:
    """The content of a file that ought to be UTF-8."""
    return bytes(data).decode("utf-8-sig", "replace")
