"""What a package manager has put into a container since its start: written later, and yet no stranger. Bounded."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from seawall.runtime.detect.fields.trust import by_package_manager
from seawall.runtime.model import Event, Kind

MAX_FILES = 8192
"""Paths remembered, as numbers; the oldest are forgotten first."""
MOVES = frozenset(["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"])
NOTHING: Mapping[str, Any] = {}


class Installed:
    """{"installed": True} of a program that was installed."""

    KINDS = (Kind.CALL, Kind.EXEC)

    def __init__(self) -> None:
        self._paths: OrderedDict[int, None] = OrderedDict()

    def observe(self, event: Event) -> Mapping[str, Any]:
        """Facts about this event. Package managers write beside a file's place and then move it there."""
        container = event.process.container
        if container is None:
            return NOTHING
        if event.kind is Kind.EXEC:
            known = hash((container.id, event.process.exe)) in self._paths
            return {"installed": True} if known else NOTHING
        if event.syscall in MOVES and event.result >= 0 and event.paths and by_package_manager(event.process):
            key = hash((container.id, event.paths[-1]))
            self._paths[key] = None
            self._paths.move_to_end(key)
            if len(self._paths) > MAX_FILES:
                self._paths.popitem(last=False)
        return NOTHING
