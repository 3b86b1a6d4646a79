"""Reaching into processes of another container, or of the host: what is ordinary among one's own is an escape there.

It takes the host's pid namespace to name such a process, so only callers that stand in it are looked at: the pids they
name are the host's own. Pure; the table of pid descriptors is bounded.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from seawall.runtime.detect.fields import ancestors
from seawall.runtime.model import Event, Kind, Process

MAX_DESCRIPTORS = 1024
PROC = 0x9FA0
BY_PID = frozenset(["process_vm_writev", "process_vm_readv", "pidfd_open", "kcmp", "process_madvise", "ptrace"])
"""Calls whose first argument names the process."""
NOTHING: Mapping[str, Any] = {}

_FILE = re.compile(r"^/(\d+)/(?:task/\d+/)?(mem|environ|maps|auxv|syscall|stack)$")

Find = Callable[[int], Process | None]
Caller = tuple[int, int]


class Crossings:
    """{"crosses": "host"|"container", "crossed_pid": pid} when the target is not of the caller's container."""

    KINDS = (Kind.PTRACE, Kind.CALL, Kind.OPEN, Kind.READ)

    def __init__(self, find: Find | None = None) -> None:
        """`find`: the process of a pid of the host, as far as it is known."""
        self._find = find
        self._opened: OrderedDict[Caller, int] = OrderedDict()

    def observe(self, event: Event) -> Mapping[str, Any]:
        """Facts about this event."""
        if self._find is None or event.process.container is None:
            return NOTHING
        pid = self._named(event)
        return self._crossed(event.process, pid, self._find) if pid > 0 else NOTHING

    def _named(self, event: Event) -> int:
        if event.kind is Kind.PTRACE:
            return event.target
        if event.kind is Kind.CALL:
            caller = event.process.pid, event.process.start
            if event.syscall == "pidfd_getfd":
                return self._opened.get(caller, 0)
            if event.syscall not in BY_PID or not event.args:
                return 0
            if event.syscall == "pidfd_open":
                self._opened[caller] = event.args[0]
                if len(self._opened) > MAX_DESCRIPTORS:
                    self._opened.popitem(last=False)
                return 0
            return event.args[0]
        file = event.file
        found = _FILE.match(file.inner_path) if file is not None and file.fs_magic == PROC else None
        return int(found[1]) if found else 0

    @staticmethod
    def _crossed(process: Process, pid: int, find: Find) -> Mapping[str, Any]:
        target, space = find(pid), process.namespaces.get("pid", 0)
        if target is None or not space or space != _outside(process, find):
            return NOTHING
        if target.container is process.container:
            return NOTHING
        return {"crosses": "host" if target.container is None else "container", "crossed_pid": pid}


def _outside(process: Process, find: Find) -> int:
    """The host's pid namespace: that of the runtime above the container, else of process 1. 0 if neither is known."""
    above = (parent for parent in ancestors(process) if parent.container is None)
    for one in (*above, find(1)):
        space = one.namespaces.get("pid", 0) if one is not None else 0
        if space:
            return space
    return 0
