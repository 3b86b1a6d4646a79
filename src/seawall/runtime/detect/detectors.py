"""The stateful detectors, one line each: each is shown the events of its kinds and adds facts to them.

Facts go into `Event.raw`, where detect/fields/findings.py makes them words of conditions.
"""

from collections.abc import Callable, Mapping
from typing import Any

from seawall.runtime.detect.crossings import Crossings, Find
from seawall.runtime.detect.followups import Followups
from seawall.runtime.detect.installed import Installed
from seawall.runtime.detect.namespaces import Namespaces
from seawall.runtime.detect.relay import Relays
from seawall.runtime.detect.splices import Splices
from seawall.runtime.detect.sweeps import Sweeps
from seawall.runtime.model import Event, Kind

Observe = Callable[[Event], Mapping[str, Any]]

_ALL = (Installed, Relays, Namespaces, Followups, Splices, Sweeps)
NOTHING: Mapping[str, Any] = {}


class Detectors:
    """All of them, by the kinds of events each wants."""

    def __init__(self, find: Find | None = None) -> None:
        """`find`: the process of a pid of the host, as far as it is known."""
        by_kind: dict[Kind, list[Observe]] = {}
        for detector in (Crossings(find), *(make() for make in _ALL)):
            for kind in detector.KINDS:
                by_kind.setdefault(kind, []).append(detector.observe)
        self._by_kind = by_kind

    def observe(self, event: Event) -> Mapping[str, Any]:
        """What they add to this event."""
        facts: Mapping[str, Any] = NOTHING
        for observe in self._by_kind.get(event.kind, ()):
            found = observe(event)
            if found:
                facts = {**facts, **found}
        return facts
