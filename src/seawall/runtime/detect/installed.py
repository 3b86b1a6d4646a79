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

    KINDS = (Kind.CALL, Kind.EXEC, Kind.OPEN)

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
        path = ""
        if event.kind is Kind.CALL and event.syscall in MOVES and event.result >= 0 and event.paths:
            path = event.paths[-1]
        elif event.kind is Kind.OPEN and event.file is not None:
            path = event.file.path
        if path and by_package_manager(event.process):
            key = hash((container.id, path))
            self._paths[key] = None
            self._paths.move_to_end(key)
            if len(self._paths) > MAX_FILES:
                self._paths.popitem(last=False)
        return NOTHING
