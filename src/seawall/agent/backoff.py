"""How long to wait after a failure: doubling, bounded, with jitter so that a fleet does not come back as one."""

import os

FIRST = 0.5
MOST = 60.0


class Backoff:
    """Counts failures in a row."""

    def __init__(self, most: float = MOST) -> None:
        self.failures = 0
        self._most = most

    def failed(self, asked: float = 0.0) -> float:
        """Seconds to wait now, between half and the whole of 0.5, 1, 2, 4 … but no less than the peer asked for."""
        step = min(self._most, FIRST * (1 << min(self.failures, 20)))
        self.failures += 1
        return max(step * (0.5 + int.from_bytes(os.urandom(2)) / (2 << 16)), min(asked, self._most * 5))

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0
