"""What a package format has to offer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from seawall.images.collect.found import Found
from seawall.images.model import Package

Read = Found
"""What one file told: packages and `owned`."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. Both functions take a clean path without a leading slash."""

    wanted: Callable[[str], bool]
    read: Callable[[str, bytes], Read]
    """Raises ValueError when the file is broken."""
    limit: int = 4 << 20
    """Bytes of one file; a larger one is skipped and counted."""


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
