"""Repeats of an alert, held back and counted: one thing that happens in a loop is told once a window. Bounded."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from seawall.core.clock import format_time
from seawall.runtime.detect import alerts
from seawall.runtime.model import Alert, Category, Event, Kind, Rule

WINDOW = 10.0
"""Seconds for which repeats of an alert are held back …"""
WINDOWS = {Category.FILE_TAMPERING: 60.0, Category.RISKY_SYSCALL: 300.0}
"""… and for those that tell of states more than of acts."""
START_WINDOW = 86400.0
"""How a container was started, which is the same for every container of an image."""
MAX_HELD = 4096
"""Different alerts remembered; the oldest is handed out and forgotten first."""


@dataclass(slots=True)
class _Held:
    """An alert that has left, and its repeats that have not: the first of them whole, the others as a number."""

    until: float
    count: int = 0
    last_seen: float = 0.0
    alert: Alert | None = None


class Merging:
    """Makes the alerts of rules that fired."""

    def __init__(self, boot: float) -> None:
        """`boot`: the host's start in seconds since the epoch."""
        self._boot = boot
        self._held: OrderedDict[tuple[Any, ...], _Held] = OrderedDict()
        self._pushed: list[Alert] = []

    def take(self, rule: Rule, event: Event) -> Iterator[Alert]:
        """What is to be told now that a rule has fired: the alert, with repeats of an earlier one; or nothing yet."""
        if rule.action == "block":
            yield alerts.make(rule, event, self._boot)
            return
        key = alerts.same(rule, event)
        held = self._held.get(key)
        if held is None or held.until <= event.time:
            if held is not None:
                yield from _released(held)
            self._held[key] = _Held(event.time + _window(rule, event))
            self._held.move_to_end(key)
            if len(self._held) > MAX_HELD:
                self._pushed += _released(self._held.popitem(last=False)[1])
            yield alerts.make(rule, event, self._boot)
            return
        held.count += 1
        held.last_seen = event.time
        if held.alert is None:
            held.alert = alerts.make(rule, event, self._boot)

    def pushed(self) -> list[Alert]:
        """Repeats that had to be handed out early, because there were too many different alerts."""
        pushed, self._pushed = self._pushed, []
        return pushed

    def due(self, now: float) -> Iterator[Alert]:
        """Held repeats whose window is over at `now`; with infinity, all of them."""
        for key in [key for key, held in self._held.items() if held.until <= now]:
            yield from _released(self._held.pop(key))


def _window(rule: Rule, event: Event) -> float:
    return START_WINDOW if event.kind is Kind.START else WINDOWS.get(rule.category, WINDOW)


def _released(held: _Held) -> Iterator[Alert]:
    if held.alert is not None:
        yield replace(held.alert, count=held.count, last_seen=format_time(held.last_seen))
