"""The sensor: what the kernel side saw, as events, with processes and containers filled in.

Both rings are read in the order of time, when the kernel side wakes us: for the first event after a while, for what is
urgent or much, or, while somebody gathers, for these alone. Nothing here waits, starts a thread or talks to a runtime:
who a container is comes through `know`.
"""

import os
import select
import struct
import time
from collections import deque
from collections.abc import Iterator
from mmap import MAP_SHARED, PAGESIZE, PROT_READ, PROT_WRITE, mmap
from typing import Any

from seawall.core.errors import SeawallError
from seawall.runtime import normalise
from seawall.runtime.collect import filters, loading, past
from seawall.runtime.collect.decoding import NS, Decoding
from seawall.runtime.collect.floods import Floods
from seawall.runtime.collect.paths import Paths
from seawall.runtime.collect.people import People
from seawall.runtime.collect.recorder import Recorder
from seawall.runtime.collect.ring import Ring
from seawall.runtime.collect.table import Table
from seawall.runtime.model import Container, Event, Kind, Plan, Process

PATIENCE = 1.0
"""Seconds that events of a new container are kept until somebody says who it is."""
MAX_WAITING = 4096
SIZES = {"critical": 256 << 10, "bulk": 1 << 20}
"""Bytes of the rings, as in bpf/maps.h."""
_COUNTS = struct.Struct("<4Q")
_FORK, _EXIT = normalise.NUMBERS[Kind.FORK], normalise.NUMBERS[Kind.EXIT]


class Sensor:
    """`start`, then `read` whenever `fileno` is readable; `stop` leaves nothing behind. Not for several threads."""

    def __init__(self, plan: Plan, enforce: bool = False, recorder: Recorder | None = None) -> None:
        self._plan = plan
        self._enforce = enforce
        self._table = Table()
        self._people = People()
        self._paths = Paths()
        self._loaded: loading.Loaded | None = None
        self._rings: list[Ring] = []
        self._waiting: deque[Event] = deque()
        self._patience: dict[str, float] = {}
        self._epoll: select.epoll | None = None
        self._settings: mmap | None = None
        self._counts: mmap | None = None
        self._malformed = 0
        self._floods: Floods | None = None
        self._gathering = False
        self._forks = self._exits = False
        self._decoding = Decoding(self._table, self._look)
        self._recorder = recorder

    def start(self) -> None:
        """Load the programs and learn what runs already. Raises SeawallError with the reason and a hint."""
        if self._loaded is not None:
            raise SeawallError("the sensor has been started already")
        self._loaded = loading.load()
        try:
            maps = self._loaded.maps
            self._rings = [Ring(maps[name], size) for name, size in SIZES.items()]
            self._settings = mmap(maps["config"], PAGESIZE, MAP_SHARED, PROT_READ | PROT_WRITE)
            self._counts = mmap(maps["tally"], PAGESIZE, MAP_SHARED, PROT_READ)
            self._floods = Floods(maps["floods"])
            self._epoll = select.epoll()
            for name in SIZES:
                self._epoll.register(maps[name], select.EPOLLIN)
            self.update(self._plan, self._enforce)
            self._table.snapshot()
            if self._recorder is not None:
                self._recorder.header = lambda: past.header(self._table, self._plan)
                self._recorder.notes = lambda: past.notes(self._table)
        except BaseException:
            self.stop()
            raise

    def fileno(self) -> int:
        """A descriptor that is readable when `read` should be called."""
        return self._epoll.fileno() if self._epoll is not None else -1

    def read(self, limit: int = 2000) -> Iterator[Event]:
        """Events that wait, oldest first; looks at no more than `limit` records, so that a flood cannot hold us."""
        if self._loaded is None:
            return
        self._decoding.clock = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        yield from self._due()
        critical, bulk = self._rings
        first = second = 0
        for _ in range(limit):
            first, second = first or critical.when(), second or bulk.when()
            if not first and not second:
                break
            # In the order of time: an open must be seen before the exit of its process.
            if first and (not second or first <= second):
                ring, first = critical, 0
            else:
                ring, second = bulk, 0
            event = self._take(ring)
            if event is not None and not self._held(event):
                yield event
        yield from self._flooding()
        if not self._gathering:
            self.gather(False)

    def gather(self, on: bool) -> bool:
        """Whether events that are not urgent wait for the next `read`, so that many are read at once. Without, the next
        event is told at once; True when one has come already."""
        self._gathering = on
        if self._settings is None:
            return False
        self._settings[filters.ASLEEP_AT] = not on
        return not on and any(ring.waiting() for ring in self._rings)

    @property
    def waits(self) -> bool:
        """Whether some event waits for its container's identity: then `read` soon, whatever comes."""
        return bool(self._waiting)

    def counters(self) -> dict[str, Any]:
        """The heartbeat's `sensor` object (docs/reference/wire.md)."""
        loaded = self._loaded
        counts = self._tally()
        state = "off" if loaded is None else "degraded" if loaded.errors else "on"
        return {
            "state": state,
            "reason": "; ".join(loaded.errors) if loaded is not None else "not started",
            "programs": list(loaded.programs) if loaded is not None else [],
            "absent": list(loaded.absent) if loaded is not None else [],
            "events": counts[0],
            "dropped": {"critical": counts[1], "bulk": counts[2]},
            "throttled": counts[3],
            "malformed": self._malformed,
            "processes": len(self._table),
            "processes_forgotten": self._table.forgotten,
        }

    @property
    def throttled(self) -> int:
        """Events lost because their container caused more than its share."""
        return self._tally()[3]

    def update(self, plan: Plan, enforce: bool) -> None:
        """Work by another plan. Raises SeawallError, and keeps the old one, if its filters do not fit the kernel."""
        keys = filters.keys(plan.filters)
        settings = filters.settings(plan.filters, enforce, os.getpid())
        if self._loaded is not None and self._settings is not None:
            maps = self._loaded.maps
            loading.fill({maps[name]: (filters.SIZES[name], wanted) for name, wanted in keys.items()})
            self._settings[: filters.SETTINGS.size] = settings
            self._settings[filters.ASLEEP_AT] = not self._gathering
        self._people.begin(plan.filters)
        self._plan, self._enforce = plan, enforce
        self._forks = any(Kind.FORK in rule.kinds for rule in plan.rules)
        self._exits = any(Kind.EXIT in rule.kinds for rule in plan.rules)

    def know(self, container: Container) -> None:
        """Who a container is; events of it that wait are delivered at the next `read`."""
        self._table.know(container)
        if self._recorder is not None:
            self._recorder.note({"container": past.container(container)})

    def maps(self) -> dict[str, int]:
        """Descriptors of the kernel side's maps, for other programs beside it; empty before the start."""
        return self._loaded.maps if self._loaded is not None else {}

    def process(self, pid: int) -> Process | None:
        """Who has this number now, as far as is known."""
        return self._table.processes.get(pid)

    def forget(self, id: str) -> None:
        """A container is gone."""
        self._table.forget(id)
        self._patience.pop(id, None)

    def stop(self) -> None:
        """Take the programs out of the kernel and give all memory back."""
        for ring in self._rings:
            ring.close()
        for mapped in (self._settings, self._counts, self._floods):
            if mapped is not None:
                mapped.close()
        if self._epoll is not None:
            self._epoll.close()
        if self._loaded is not None:
            self._loaded.close()
        self._rings, self._settings, self._counts, self._floods, self._epoll, self._loaded = (
            *([], None, None, None, None, None),
        )

    def _tally(self) -> tuple[int, ...]:
        return _COUNTS.unpack_from(self._counts) if self._counts is not None else (0, 0, 0, 0)

    def _take(self, ring: Ring) -> Event | None:
        """The ring's next record, given back."""
        kind = ring.kind()
        if self._recorder is not None:
            with ring.record() as record:
                self._recorder.add(record)
        try:
            if kind == _FORK and not self._forks:
                self._table.forked(normalise.Head._make(ring.values(normalise.HEADER)))
            elif kind == _EXIT and not self._exits:
                self._table.gone(ring.values(normalise.HEADER)[3])
            else:
                with ring.record() as record:
                    return self._decoding.event(record)
        except (struct.error, LookupError, ValueError):
            self._malformed += 1
        finally:
            ring.advance()
        return None

    def _look(self, event: Event, inside: bool) -> None:
        """What only the node can tell: names of people, real paths."""
        self._people.fill(event.process, started=event.kind is Kind.EXEC)
        if inside and event.paths:
            if event.kind is Kind.MOUNT:
                event.source = self._paths.source(event, event.paths[0])
            elif event.kind is Kind.CALL:
                self._paths.resolve(event)

    def _flooding(self) -> Iterator[Event]:
        """Containers that began or ceased to cause more than their share."""
        if self._floods is None or not self._floods.changed(self.throttled):
            return
        for flood in self._floods.news(time.clock_gettime_ns(time.CLOCK_BOOTTIME)):
            process = self._table.some_of(flood.pid, flood.cgroup)
            when = self._decoding.clock + flood.time * NS
            yield Event(Kind.THROTTLE, when, process, int(flood.begins), repeats=flood.lost)

    def _held(self, event: Event) -> bool:
        """Whether an event has to wait for its container's identity."""
        container = event.process.container
        if container is None or container.complete or event.kind is Kind.EXIT:
            return False
        until = self._patience.setdefault(container.id, event.time + PATIENCE)
        if until < event.time:
            return False
        self._waiting.append(event)
        return True

    def _due(self) -> Iterator[Event]:
        """Events that have waited long enough, or whose container is known now."""
        if not self._waiting:
            return
        now = time.time()
        waiting, self._waiting = self._waiting, deque()
        excess = len(waiting) - MAX_WAITING
        for place, event in enumerate(waiting):
            container = event.process.container
            over = container is None or container.complete or now >= self._patience.get(container.id, 0.0)
            if over or place < excess:
                yield event
            else:
                self._waiting.append(event)
        if len(self._patience) > MAX_WAITING:
            self._patience = {name: until for name, until in self._patience.items() if until > now}
