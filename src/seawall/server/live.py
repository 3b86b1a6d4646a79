"""What open consoles hear: a ring of recent changes and one bounded queue a listener.

A listener that cannot follow is let go, never waited for: it comes back with the id of the last message it saw and gets
what it missed from the ring, or is told to reload.
"""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence

from seawall.core import clock, ids
from seawall.lists import Change

RING = 2000
QUEUE = 500
"""Messages that may wait for one listener."""
MAX_LISTENERS = 500
PING_SECONDS = 15.0


class Hub:
    """Takes changes from any thread, hands them to listeners in the event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        # Ids of another life of the server can never be mistaken for ours: their prefix differs.
        self._life = ids.new_id()[-8:]
        self._numbers = itertools.count(1)
        self._last = 0
        self._ring: deque[tuple[int, str]] = deque(maxlen=RING)
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._closed = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on changes are handed to listeners in `loop`."""
        self._loop = loop

    def publish(self, changes: Sequence[Change]) -> None:
        """Hand out changes; callable from every thread, never blocks."""
        loop = self._loop
        if changes and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._spread, changes)

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._closed = True
        for queue in self._listeners:
            self._end(queue)

    async def listen(self, last_id: str | None) -> AsyncIterator[str]:
        """The stream of one listener, as text of Server-Sent Events."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE)
        missed = self._since(last_id)
        self._listeners.add(queue)
        try:
            # The first message carries an id, so that even a client that saw no change can say where it was.
            yield self._ping()
            for text in missed:
                yield text
            while not self._closed:
                try:
                    message = await asyncio.wait_for(queue.get(), PING_SECONDS)
                except TimeoutError:
                    yield self._ping()
                    continue
                if message is None:
                    return
                yield message
        finally:
            self._listeners.discard(queue)

    def full(self) -> bool:
        """Whether there are as many listeners as the server takes."""
        return len(self._listeners) >= MAX_LISTENERS

    def _spread(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._last = next(self._numbers)
            text = self._event(self._last, {"type": change.type, "payload": change.payload})
            self._ring.append((self._last, text))
            for queue in list(self._listeners):
                try:
                    queue.put_nowait(text)
                except asyncio.QueueFull:
                    self._listeners.discard(queue)
                    self._end(queue)

    @staticmethod
    def _end(queue: "asyncio.Queue[str | None]") -> None:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def _since(self, last_id: str | None) -> list[str]:
        """Messages after the one named; one `reload` when that cannot be told."""
        if not last_id:
            return []
        life, _, number = last_id.partition("-")
        if life == self._life and number.isdigit():
            seen = int(number)
            oldest = self._ring[0][0] if self._ring else self._last + 1
            if oldest - 1 <= seen <= self._last:
                return [text for place, text in self._ring if place > seen]
        return [self._event(self._last, {"type": "reload", "payload": {}})]

    def _ping(self) -> str:
        return self._event(self._last, {"type": "ping", "payload": {"time": clock.now()}})

    def _event(self, number: int, data: object) -> str:
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self._life}-{number}\nevent: message\ndata: {body}\n\n"
