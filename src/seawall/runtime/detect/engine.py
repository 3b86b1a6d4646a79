"""The judge on the node: events in, alerts out. Pure: no file, no clock but the events' own, no thread.

Repeats of one alert within a window are held back and counted, so that a loop in a container costs the spool one
alert a window and not one an event; `due` hands out what is still held. Alerts of blocking rules are never held:
each of them has to be acted upon.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from seawall.core.clock import format_time
from seawall.runtime.detect import alerts
from seawall.runtime.detect.indicators import Indicators
from seawall.runtime.detect.judges import Judge, Judges
from seawall.runtime.detect.namespaces import Namespaces
from seawall.runtime.detect.relay import Relays
from seawall.runtime.detect.tunnel import Tunnels
from seawall.runtime.model import Alert, Event, Plan, Rule

WINDOW = 10.0
"""Seconds for which repeats of an alert are held back."""
MAX_HELD = 4096
"""Different alerts remembered; the oldest is handed out and forgotten first."""


@dataclass(slots=True)
class _Held:
    """An alert that has left, and its repeats that have not: the first of them whole, the others as a number."""

    until: float
    count: int = 0
    last_seen: float = 0.0
    alert: Alert | None = None


class Engine:
    """Judges by one plan; `update` changes it without forgetting what was seen."""

    def __init__(self, plan: Plan, sockets: Collection[tuple[int, int]] = (), boot: float | None = None) -> None:
        """`sockets`: (st_dev, st_ino) of this host's runtime sockets; `boot`: its start in seconds since the epoch."""
        # The kernel writes a device as major << 20 | minor, stat(2) otherwise; either may come in an event.
        self.sockets = frozenset(sockets) | {(os.major(dev) << 20 | os.minor(dev), ino) for dev, ino in sockets}
        self.unjudged = 0
        """Times a rule was passed over because the container's identity was not known."""
        self.failed = 0
        """Times a condition could not be worked out on an event."""
        self._boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) if boot is None else boot
        self._relays = Relays()
        self._namespaces = Namespaces()
        self._tunnels = Tunnels()
        self._held: OrderedDict[tuple[Any, ...], _Held] = OrderedDict()
        self._pushed: list[Alert] = []
        self.update(plan)

    def update(self, plan: Plan) -> None:
        """Judge by another plan from now on. Raises ValueError or KeyError on a plan that load.py did not make."""
        self._judges = Judges(plan.rules, plan.lists)
        self._indicators = Indicators(plan.indicators)

    def judge(self, event: Event) -> list[Alert]:
        """The alerts of one event, in the order of the rules."""
        facts = {**self._relays.observe(event), **self._namespaces.observe(event), **self._indicators.observe(event)}
        if "dns" in facts:
            facts |= self._tunnels.observe(event, facts["dns"])
        process = event.process
        container = process.container
        if container is not None and not process.started:
            return []  # the runtime still sets the container up
        if event.socket_inode and (event.socket_dev, event.socket_inode) in self.sockets:
            facts["runtime_socket"] = True
        if facts:
            event = replace(event, raw={**event.raw, **facts})
        incomplete = container is not None and not container.complete
        found: list[Alert] = []
        for judge in self._judges.of(event):
            if judge.identity and incomplete:
                self.unjudged += 1
            elif self._fires(judge, event):
                found += self._merged(judge.rule, event)
        if self._pushed:
            found += self._pushed
            self._pushed = []
        return found

    def due(self, now: float) -> Iterator[Alert]:
        """Held repeats whose window is over at `now` (seconds since the epoch); with infinity, all of them."""
        for key in [key for key, held in self._held.items() if held.until <= now]:
            yield from _released(self._held.pop(key))

    def _fires(self, judge: Judge, event: Event) -> bool:
        try:
            return judge.check(event)
        except (TypeError, ValueError, AttributeError):
            self.failed += 1
            return False

    def _merged(self, rule: Rule, event: Event) -> Iterator[Alert]:
        if rule.action == "block":
            yield alerts.make(rule, event, self._boot)
            return
        key = alerts.same(rule, event)
        held = self._held.get(key)
        if held is None or held.until <= event.time:
            if held is not None:
                yield from _released(held)
            self._held[key] = _Held(event.time + WINDOW)
            self._held.move_to_end(key)
            if len(self._held) > MAX_HELD:
                self._pushed += _released(self._held.popitem(last=False)[1])
            yield alerts.make(rule, event, self._boot)
            return
        held.count += 1
        held.last_seen = event.time
        if held.alert is None:
            held.alert = alerts.make(rule, event, self._boot)


def _released(held: _Held) -> Iterator[Alert]:
    if held.alert is not None:
        yield replace(held.alert, count=held.count, last_seen=format_time(held.last_seen))
