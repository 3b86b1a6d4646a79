"""What the main loop does again and again."""

import time
from collections.abc import Callable


class Timer:
    """Something that is due again and again."""

    def __init__(self, every: float | Callable[[], float], body: Callable[[], None], first: float = 0.0) -> None:
        self._every = every
        self._body = body
        self.at = time.monotonic() + first

    def now(self) -> None:
        """It is due at the next turn."""
        self.at = 0.0

    def run(self, now: float) -> None:
        """Do it, if it is due."""
        if now >= self.at:
            self.at = now + (self._every() if callable(self._every) else self._every)
            self._body()
