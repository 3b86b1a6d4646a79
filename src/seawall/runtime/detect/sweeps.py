"""One process that knocks at many doors: ports of one host, or one port of many hosts. Pure; the tables are bounded."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from seawall.runtime.detect.fields import is_loopback
from seawall.runtime.model import Event, Kind

WINDOW = 10.0
"""Seconds."""
MANY = 20
"""More different ports of a host, or hosts at a port, than this within the window are a sweep."""
MAX_PROCESSES = 512
PATIENCE = 60.0
"""Seconds until a process that goes on is told of again."""
_WELL_KNOWN = (21, 22, 23, 25, 135, 139, 445, 1433, 1521, 2049, 2181, 2375, 2376, 2379, 3306, 3389, 4243, 5432, 5900)
TARGETS = frozenset([*_WELL_KNOWN, 5984, 5985, 6379, 6443, 7001, 8009, 9200, 10250, 10255, 11211, 27017])
"""Ports at which strangers look for a way on. Many hosts at others: proxies, crawlers and monitors do that."""
NOTHING: Mapping[str, Any] = {}


class _Process:
    __slots__ = ("began", "doors", "told")

    def __init__(self, time: float) -> None:
        self.began, self.told = time, 0.0
        self.doors: set[tuple[str, int]] = set()


class Sweeps:
    """{"sweep": "ports"|"hosts"} when a process has knocked at too many."""

    KINDS = (Kind.CONNECT, Kind.EXIT)

    def __init__(self) -> None:
        self._processes: OrderedDict[tuple[int, int], _Process] = OrderedDict()

    def observe(self, event: Event) -> Mapping[str, Any]:
        """Facts about this event."""
        identity = event.process.pid, event.process.start
        if event.kind is Kind.EXIT:
            self._processes.pop(identity, None)
            return NOTHING
        peer = event.peer
        if peer is None or peer.family == "unix" or not peer.port or is_loopback(peer.host):
            return NOTHING
        process = self._processes.get(identity)
        if process is None:
            process = self._processes[identity] = _Process(event.time)
            if len(self._processes) > MAX_PROCESSES:
                self._processes.popitem(last=False)
        self._processes.move_to_end(identity)
        if event.time - process.began > WINDOW:
            process.began = event.time
            process.doors.clear()
        process.doors.add((peer.host, peer.port))
        if len(process.doors) <= MANY or event.time - process.told < PATIENCE:
            return NOTHING
        return self._sweep(process, peer.host, peer.port, event.time)

    @staticmethod
    def _sweep(process: _Process, host: str, port: int, now: float) -> Mapping[str, Any]:
        ports = sum(1 for door in process.doors if door[0] == host)
        hosts = sum(1 for door in process.doors if door[1] == port)
        what = "ports" if ports > MANY else "hosts" if hosts > MANY and port in TARGETS else ""
        if what:
            process.told = now
            process.doors.clear()
        elif len(process.doors) > 50 * MANY:
            process.doors.clear()
        return {"sweep": what} if what else NOTHING
