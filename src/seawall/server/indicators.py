"""Indicators for the plan: packed when they have changed, and no more often than agents should fetch a plan."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from seawall.core import clock
from seawall.intel.listed import Listed
from seawall.runtime.detect import indicators
from seawall.runtime.detect.indicators import MAX_ADDRESSES, MAX_DOMAINS, MAX_HASHES, MAX_NETWORKS, Indicator

GAP_SECONDS = 15.0
"""Between two versions for the sake of indicators alone: people who add ten entries make one or two plans of them."""
LIMITS = {"ip": MAX_ADDRESSES, "net": MAX_NETWORKS, "domain": MAX_DOMAINS, "sha256": MAX_HASHES}


class Indicators:
    """Keeps the packed tables of the newest state that was asked for. Used under the lock of server/plans.py."""

    def __init__(self, listed: Listed, clock_: Callable[[], float] = time.monotonic) -> None:
        self._listed = listed
        self._clock = clock_
        self._packed: Mapping[str, Any] = {}
        self._revision = -1
        self._until: str | None = None
        self._made_at = float("-inf")

    def due(self) -> bool:
        """Whether entries were added, removed or have ended, and the last change is long enough ago."""
        if self._clock() - self._made_at < GAP_SECONDS:
            return False
        ended = self._until is not None and self._until <= clock.now()
        return ended or self._listed.revision() != self._revision

    def packed(self) -> Mapping[str, Any]:
        """The tables; made anew if `due`."""
        if self.due():
            now = clock.now()
            revision = self._listed.revision()  # first: a change that comes meanwhile is seen as a change again
            rows = self._listed.in_force(now, LIMITS)
            packed = pack(rows)
            types = self._listed.status()["types"]
            packed["left_out"] += sum(max(0, types.get(name, 0) - limit) for name, limit in LIMITS.items())
            self._packed, self._revision, self._until = packed, revision, self._listed.next_end(now)
            self._made_at = self._clock()
        return self._packed

    def summary(self) -> dict[str, int]:
        """How many are in the plan, and how many did not fit."""
        return {"count": int(self._packed.get("count", 0)), "left_out": int(self._packed.get("left_out", 0))}


def pack(rows: Any) -> dict[str, Any]:
    """Rows of `Listed.in_force` as the plan's tables."""
    return indicators.pack(Indicator(*row) for row in rows)
