"""What is wrong at the moment, by name, in words for people: the heartbeat's `errors`."""

import sys
import time

from seawall.core.clock import now

LOG_GAP = 10.0
"""Seconds."""


class Problems:
    """Shared by all threads of the agent; each part says and clears its own names."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}
        self._logged: dict[str, float] = {}

    def say(self, name: str, text: str) -> None:
        """Something is wrong from now on. A new text is also a line in the log, one a name and LOG_GAP at most."""
        if self._found.get(name) == text:
            return
        self._found[name] = text
        if time.monotonic() - self._logged.get(name, -LOG_GAP) >= LOG_GAP:
            self._logged[name] = time.monotonic()
            log(f"{name}: {text}")

    def clear(self, name: str) -> None:
        """It is well again."""
        if self._found.pop(name, None) is not None:
            log(f"{name}: well again")

    def texts(self) -> list[str]:
        """One line each."""
        return [f"{name}: {text}" for name, text in sorted(self._found.items())]


def log(text: str) -> None:
    """One line on stderr, which systemd or `seawall up` keep. `logging` would cost a megabyte."""
    sys.stderr.write(f"{now()} {text}\n")
    sys.stderr.flush()
