"""One attack, one answer: a shell stopped in the kernel while its earlier step was being answered is told once.

A shell puts a connection on its input (an event, answered from user space) and then starts a program on it (stopped in
the kernel). Whoever reads both must not be told "failed" and "blocked" of the same process. Pure.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace

from seawall.runtime.model import Alert, Event, Kind

HOLD = 0.05
"""Seconds for which an answer from user space waits for the kernel's."""
REMEMBER = 10.0
"""Seconds in which further steps of an answered process are the same attack."""
MAX_KEPT = 1024

_Key = tuple[str, int, int]


class Settle:
    """`put` takes an answered alert and yields what is to be said; `due` yields what has waited long enough."""

    def __init__(self) -> None:
        self._held: OrderedDict[_Key, tuple[float, Alert]] = OrderedDict()
        self._said: OrderedDict[_Key, float] = OrderedDict()

    def put(self, alert: Alert, event: Event, now: float) -> Iterator[Alert]:
        """`now` on any steady clock, in seconds."""
        if alert.action != "block" or alert.result == "none":
            yield alert
            return
        key = (alert.rule, event.process.pid, event.process.start)
        if alert.result == "blocked":
            held = self._held.pop(key, None)
            self._remember(key, now)
            yield alert if held is None else replace(alert, first_seen=held[1].first_seen)
        elif self._said.get(key, -REMEMBER) > now - REMEMBER or key in self._held:
            return  # a further step of a process that was answered already
        elif event.kind is Kind.EXEC:
            self._remember(key, now)
            yield alert
        else:
            self._held[key] = (now + HOLD, alert)
            if len(self._held) > MAX_KEPT:
                yield self._held.popitem(last=False)[1][1]

    def due(self, now: float) -> Iterator[Alert]:
        """Answers that no better one came for; with infinity, all that wait."""
        while self._held:
            key, (until, alert) = next(iter(self._held.items()))
            if until > now:
                return
            del self._held[key]
            self._remember(key, min(now, until))
            yield alert

    def _remember(self, key: _Key, now: float) -> None:
        self._said[key] = now
        self._said.move_to_end(key)
        if len(self._said) > MAX_KEPT:
            self._said.popitem(last=False)
