"""What an image is known to run: learned in Discover, missed in Monitor, stopped in Protect. Pure and bounded.

A profile belongs to an image digest (or id, where there is none), never to a tag: another image is another profile.
Only containers whose identity is whole are learned from or judged.
"""

from collections.abc import Mapping
from typing import Any

from seawall.core.clock import format_time
from seawall.runtime.model import Container, Event, Kind, Profile

MAX_IMAGES = 256
MAX_PAIRS = 2000
"""(program, parent) pairs that wait to be sent, of one image; more are learned later."""
MAX_SENT = 500
"""Of one item on the wire."""
BURST, BURST_WINDOW, REST = 20, 60.0, 600.0
"""So many blocks of one image within so many seconds mean that the profile is wrong: it only alerts for a while."""
OTHERS = "*"
"""Key of the profile of images that have none of their own."""
NOTHING: Mapping[str, Any] = {}


def image_key(container: Container) -> str:
    """What allow-lists and profiles go by: the digest, else the id."""
    return container.image_digest or container.image_id


class _Seen:
    __slots__ = ("count", "first", "last")

    def __init__(self, time: float) -> None:
        self.count, self.first, self.last = 0, time, time


class Profiles:
    """Learns from and judges each exec of containers whose image has a profile."""

    def __init__(self) -> None:
        self._profiles: Mapping[str, Profile] = {}
        self._learned: dict[str, dict[tuple[str, str], _Seen]] = {}
        self._names: dict[str, str] = {}
        self._blocks: dict[str, list[float]] = {}
        self._resting: dict[str, float] = {}

    def update(self, profiles: Mapping[str, Profile]) -> None:
        """Work by these from now on."""
        self._profiles = profiles
        for table in (self._learned, self._blocks, self._resting):
            for image in [image for image in table if self._of(image) is None]:
                del table[image]

    def observe(self, event: Event) -> Mapping[str, Any]:
        """{"profile": "monitor"|"protect"} when the program is not in its image's profile."""
        container = event.process.container
        if not self._profiles or event.kind is not Kind.EXEC or container is None or not container.complete:
            return NOTHING
        key = image_key(container)
        profile = self._of(key)
        if profile is None or event.result < 0:
            return NOTHING
        if profile.mode == "discover":
            self._learn(key, container, event)
            return NOTHING
        if event.process.exe in profile.programs:
            return NOTHING
        return {"profile": self._mode(key, event.time) if profile.mode == "protect" else profile.mode}

    def _of(self, image: str) -> Profile | None:
        return self._profiles.get(image) or self._profiles.get(OTHERS)

    def take(self) -> list[dict[str, Any]]:
        """What was learned since the last question, in the form of the wire's `profile` item."""
        learned, self._learned = self._learned, {}
        items = []
        for image, pairs in learned.items():
            programs = [
                {
                    "path": path,
                    "parent": parent,
                    "count": seen.count,
                    "first_seen": format_time(seen.first),
                    "last_seen": format_time(seen.last),
                }
                for (path, parent), seen in pairs.items()
            ]
            for at in range(0, len(programs), MAX_SENT):
                part = programs[at : at + MAX_SENT]
                items.append({"image_digest": image, "image": self._names.get(image, ""), "programs": part})
        return items

    def _mode(self, key: str, now: float) -> str:
        """protect, or monitor while a burst of blocks tells that what is blocked is the image's ordinary life."""
        if self._resting.get(key, 0.0) > now:
            return "monitor"
        blocks = [at for at in self._blocks.get(key, ()) if at > now - BURST_WINDOW]
        blocks.append(now)
        self._blocks[key] = blocks
        if len(blocks) > BURST:
            self._resting[key] = now + REST
            self._blocks.pop(key)
            return "monitor"
        return "protect"

    def _learn(self, key: str, container: Container, event: Event) -> None:
        """Somebody at a terminal, and what is in no file, are no part of what an image runs."""
        process = event.process
        file = process.file
        if (process.by_exec and process.tty) or (file is not None and (file.memfd or file.deleted)):
            return
        pairs = self._learned.get(key)
        if pairs is None:
            if len(self._learned) >= MAX_IMAGES:
                return
            pairs = self._learned[key] = {}
            self._names[key] = container.image
            if len(self._names) > MAX_IMAGES:
                del self._names[next(iter(self._names))]
        parent = process.parent
        inside = parent is not None and parent.container is container
        pair = process.exe, parent.exe if parent is not None and inside else ""
        seen = pairs.get(pair)
        if seen is None:
            if len(pairs) >= MAX_PAIRS:
                return
            seen = pairs[pair] = _Seen(event.time)
        seen.count += 1
        seen.last = event.time
