"""Files that should not be in an image: judged by path, mode, the first bytes, and for accounts by content. Pure."""

from collections.abc import Iterator

from seawall.images.detect.sensitive import accounts, modes
from seawall.images.detect.sensitive.kind import Kind
from seawall.images.detect.sensitive.paths import AUTHENTICATION, LEAKS, known
from seawall.images.model import Risk

KINDS: tuple[Kind, ...] = (*AUTHENTICATION, *LEAKS, *modes.KINDS, *accounts.KINDS)
"""All there are, for references and titles in both languages."""


def concerns(path: str, mode: int) -> bool:
    """Whether `risks` may have something to say."""
    return accounts.looks_at(path) or modes.concerns(path, mode) or bool(known(path))


def risks(path: str, mode: int, uid: int, head: bytes) -> Iterator[Risk]:
    """Of one regular file."""
    kind = next((kind for kind in known(path) if kind.holds(head)), None)
    if kind is not None:
        yield kind.risk()
    yield from modes.risks(path, mode, uid)
