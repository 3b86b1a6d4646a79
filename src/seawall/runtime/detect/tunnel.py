"""Data carried out in the names of DNS questions: many different, long, random-looking names below one domain.

Pure: it is told questions and answers with the domain once enough were seen. Its tables are bounded.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seawall.runtime.detect.dns import Question
from seawall.runtime.model import Event

WINDOW = 60.0
"""Seconds …"""
ENOUGH = 25
"""… with so many different suspicious names …"""
ENOUGH_BYTES = 1000
"""… that together carry so many bytes."""
MIN_CARRIED = 24
"""Bytes before the domain below which a name carries nothing worth it."""
MIN_ENTROPY = 3.0
"""Bits a character: words of a language, run together, have less over so few characters; hex and base32 have more."""
MAX_WATCHED = 1024
"""Domains, over all containers; the one that was asked for longest ago is forgotten first."""
MAX_NAMES = 4 * ENOUGH
NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True)
class _Window:
    since: float
    names: set[int] = field(default_factory=set)
    carried: int = 0


class Tunnels:
    """Counts what each container (or the host) asks below each domain."""

    def __init__(self) -> None:
        self._windows: OrderedDict[tuple[str, str], _Window] = OrderedDict()

    def observe(self, event: Event, question: Question) -> Mapping[str, Any]:
        """{"dns_tunnel": domain, "dns_tunnel_names": n} while a domain is over the limits, else nothing."""
        carried, domain = split(question.name)
        if not suspicious(carried):
            return NOTHING
        container = event.process.container
        key = (container.id if container else "", domain)
        window = self._windows.get(key)
        if window is None or event.time - window.since > WINDOW:
            window = self._windows[key] = _Window(event.time)
        self._windows.move_to_end(key)
        if len(self._windows) > MAX_WATCHED:
            self._windows.popitem(last=False)
        name = hash(carried)
        if name not in window.names and len(window.names) < MAX_NAMES:
            window.names.add(name)
            window.carried += len(carried)
        if len(window.names) < ENOUGH or window.carried < ENOUGH_BYTES:
            return NOTHING
        return {"dns_tunnel": domain, "dns_tunnel_names": len(window.names)}


def split(name: str) -> tuple[str, str]:
    """(what stands before it, the domain somebody owns): the last two labels, three below co.uk and its like."""
    labels = name.split(".")
    count = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[:-count]), ".".join(labels[-count:])


def suspicious(carried: str) -> bool:
    """Long enough to carry data, and as mixed as data is."""
    plain = carried.replace(".", "")
    return len(plain) >= MIN_CARRIED and entropy(plain) >= MIN_ENTROPY


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())
