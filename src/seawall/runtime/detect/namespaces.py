"""An invariant instead of a list of tricks: a container's process does not stand in the host's namespaces.

Whatever way it got there (setns, a leaked descriptor, a kernel bug), once it runs something its namespaces tell. What
the container was started with (`--pid host` …) is its own and no finding. Pure; the table is bounded.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from seawall.runtime.detect.fields import ancestors
from seawall.runtime.model import Event, Kind, Process

MAX_CONTAINERS = 4096
"""Remembered; the one that ran something longest ago is forgotten first."""
NOTHING: Mapping[str, Any] = {}


class Namespaces:
    """Remembers with which namespaces each container was started."""

    KINDS = (Kind.EXEC, Kind.SETNS)

    def __init__(self) -> None:
        self._own: OrderedDict[str, Mapping[str, int]] = OrderedDict()

    def observe(self, event: Event) -> Mapping[str, Any]:
        """{"joined_host": ("mnt", …)} when the process stands in the host's namespaces and its container does not."""
        process = event.process
        if event.kind not in self.KINDS or process.container is None or not process.started:
            return NOTHING
        if not any(process.namespaces.values()):
            return NOTHING
        own = self._remembered(process, process.container.id)
        if own == process.namespaces:
            return NOTHING
        host = _outside(process)
        joined = tuple(
            kind
            for kind, inode in process.namespaces.items()
            if inode and inode == host.get(kind) and own.get(kind) not in (None, 0, inode)
        )
        return {"joined_host": joined} if joined else NOTHING

    def _remembered(self, process: Process, container: str) -> Mapping[str, int]:
        own = self._own.get(container)
        if own is None:
            # Copied: a process table may renew a process's namespaces in place.
            own = self._own[container] = dict(_first(process, container).namespaces)
            if len(self._own) > MAX_CONTAINERS:
                self._own.popitem(last=False)
        self._own.move_to_end(container)
        return own


def _first(process: Process, container: str) -> Process:
    """The oldest known process of the container above this one, else itself."""
    first = process
    for ancestor in ancestors(process):
        if ancestor.container is None or ancestor.container.id != container:
            break
        if any(ancestor.namespaces.values()):
            first = ancestor
    return first


def _outside(process: Process) -> Mapping[str, int]:
    """The namespaces of the oldest known process above that belongs to no container: the host's.

    Zeros mean that they could not be read, as of process 1 in some sandboxes.
    """
    found: Mapping[str, int] = NOTHING
    for ancestor in ancestors(process):
        if ancestor.container is None and any(ancestor.namespaces.values()):
            found = ancestor.namespaces
    return found
