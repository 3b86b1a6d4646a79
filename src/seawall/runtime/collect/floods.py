"""Who floods: the kernel side keeps a small table of cgroups whose events it drops, which we read through mmap.

A table and not records: a ring that is full could not say that it is.
"""

import struct
from collections.abc import Iterator
from mmap import MAP_SHARED, PAGESIZE, PROT_READ, mmap
from typing import NamedTuple

MAX_FLOODS = 64
QUIET = 2_000_000_000
"""Nanoseconds without a loss after which a flood is over, as in bpf/maps.h."""
FLOOD = struct.Struct("<QQQQII")


class Flood(NamedTuple):
    """A flood that begins or ends; times in nanoseconds since boot."""

    cgroup: int
    begins: bool
    time: int
    lost: int
    pid: int
    """Some process of the cgroup that lost an event."""


class Floods:
    """The table in the map of this descriptor."""

    def __init__(self, descriptor: int) -> None:
        size = -(-MAX_FLOODS * FLOOD.size // PAGESIZE) * PAGESIZE
        self._table = mmap(descriptor, size, MAP_SHARED, PROT_READ)
        self._open: dict[int, Flood] = {}
        self._seen = 0

    def changed(self, total: int) -> bool:
        """Whether there may be news, by the number of all events that were dropped so far."""
        if total == self._seen and not self._open:
            return False
        self._seen = total
        return True

    def news(self, now: int) -> Iterator[Flood]:
        """Floods that began, and those that are over."""
        for place in range(MAX_FLOODS):
            cgroup, since, last, lost, pid, _ = FLOOD.unpack_from(self._table, place * FLOOD.size)
            if cgroup and now - last < QUIET:
                begun = self._open.get(cgroup)
                self._open[cgroup] = Flood(cgroup, False, last, lost, pid)
                if begun is None:
                    yield Flood(cgroup, True, since, lost, pid)
        for cgroup, flood in list(self._open.items()):
            if now - flood.time >= QUIET:
                del self._open[cgroup]
                yield flood

    def close(self) -> None:
        """Unmap."""
        self._table.close()
