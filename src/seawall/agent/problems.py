"""What is wrong at the moment, by name, in words for people: the heartbeat's `errors`."""

import sys

from seawall.core.clock import now


class Problems:
    """Shared by all threads of the agent; each part says and clears its own names."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def say(self, name: str, text: str) -> None:
        """Something is wrong from now on. A new text is also a line in the log (stderr)."""
        if self._found.get(name) != text:
            self._found[name] = text
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
