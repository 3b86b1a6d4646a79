"""How far a reading is."""

import time
from collections.abc import Callable

from seawall.images.collect.tar import Reader

Progress = Callable[[float, str], None]
"""Hears the share that is done, 0 to 1, and what is done now."""
SECONDS = 0.25


def silent(_share: float, _message: str) -> None:
    """Tell nobody."""


class Counted:
    """Passes on what it reads and tells how much it was, a few times a second."""

    def __init__(self, stream: Reader, total: int, progress: Progress) -> None:
        self._stream = stream
        self._total = total
        self._progress = progress
        self._read = 0
        self._next = 0.0

    def read(self, size: int, /) -> bytes:
        """As the stream below."""
        data = self._stream.read(size)
        self._read += len(data)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + SECONDS
            share = min(self._read / self._total, 0.99) if self._total else 0.0
            self._progress(share, f"{self._read / 1e6:.0f} MB read")
        return data
