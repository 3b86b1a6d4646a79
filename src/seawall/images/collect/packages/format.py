"""What a package format has to offer."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

from seawall.images.collect.files import Buffer
from seawall.images.collect.found import Found
from seawall.images.collect.programs import Program
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
    inspect: Callable[[str, Program], Read] | None = None
    """As `read`, for formats of programs: the headers are read once for all of them."""
    declared: bool = False
    """It names what shall be installed, not what is."""

    def wanted(self, path: str) -> bool:
        """Whether one of the globs fits. Lock files that an installed package brought along speak of its own making."""
        if self.declared and _SHIPPED.search(path):
            return False
        return any(glob(one).fullmatch(path) for one in self.files)


_SHIPPED = re.compile(
    r"(?:^|/)(?:node_modules|site-packages|dist-packages|gems|vendor|pkg/mod|registry/src|usr/(?:lib|share))/"
)


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


def parsed(data: Buffer, what: str) -> dict[str, Any]:
    """An object in JSON. Raises ValueError when it is none."""
    try:
        found = json.loads(text(data))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is no JSON: {str(error)[:200]}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{what} is no object")
    return found


def named(kind: str, pairs: Iterable[Sequence[Any]], evidence: str = "lock file", *, declared: bool = True) -> Read:
    """A package for each pair of name and version; whatever is no text, or empty, is left out.

    Raises ValueError when there are too many.
    """
    told = dict.fromkeys(
        (clean(name), clean(version))
        for name, version in islice(pairs, MAX_PACKAGES * 10)
        if isinstance(name, str) and isinstance(version, str)
    )
    return Read(
        listed(
            Package(name, version, kind, "", declared=declared, evidence=evidence)
            for name, version in told
            if name and version
        )
    )
