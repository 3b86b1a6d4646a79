"""What is in force: the server keeps it, the room's routes show it."""

import functools
from collections.abc import Mapping
from typing import Any, Protocol

from seawall.runtime import load
from seawall.runtime.compose import Composed, Policy, compose

SETTINGS: Mapping[str, Any] = {
    "enforce": False,
    "samples": True,
    "quarantine_malware": False,
    "learning_hours": 24,
    "new_images": "discover",
}
"""What is set where neither an administrator nor the configuration says otherwise."""


class Board(Protocol):
    """The policy in force on this server."""

    def composed(self) -> Composed:
        """The newest good plan, with what the rules page says of it."""
        ...

    def state(self) -> dict[str, Any]:
        """{version, compiled_at, error, pending, problems}: what is in force, and what of the policy is not."""
        ...

    def defaults(self) -> Mapping[str, Any]:
        """Settings that nobody has set."""
        ...


class Packaged:
    """The packaged rules alone."""

    @functools.cache  # noqa: B019 - there is one for the whole process
    def composed(self) -> Composed:
        """The plan of the packaged rules."""
        return compose(Policy())

    def state(self) -> dict[str, Any]:
        """Always in force."""
        version = load.system_plan().version
        return {"version": version, "compiled_at": None, "error": "", "pending": False, "problems": []}

    def defaults(self) -> Mapping[str, Any]:
        """The house's."""
        return SETTINGS
