"""What lists say of an event, and what DNS gives away by itself: the plan's indicators and the tracker of tunnels."""

from collections.abc import Mapping
from typing import Any

from seawall.runtime.detect.indicators import Indicators
from seawall.runtime.detect.tunnel import Tunnels
from seawall.runtime.model import Event, Kind

KINDS = frozenset({Kind.CONNECT, Kind.SEND, Kind.SCAN})
NOTHING: Mapping[str, Any] = {}


class Intelligence:
    """Adds facts to connections, questions and verdicts; another plan's lists do not make it forget what was asked."""

    def __init__(self) -> None:
        self._tunnels = Tunnels()
        self._indicators = Indicators({})

    def update(self, packed: Mapping[str, Any]) -> None:
        """Answer by these tables (`Plan.indicators`) from now on."""
        self._indicators = Indicators(packed)

    def observe(self, event: Event) -> Mapping[str, Any]:
        """See Indicators.observe and Tunnels.observe."""
        if event.kind not in KINDS:
            return NOTHING
        facts = self._indicators.observe(event)
        if "dns" in facts:
            return {**facts, **self._tunnels.observe(event, facts["dns"])}
        return facts
