"""Docker's events, for ever: comes back to a daemon that went away."""

import time
from collections.abc import Callable
from typing import Any

from seawall.core.errors import SeawallError
from seawall.node.docker import Docker

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two tries to reach a daemon that is away."""


def watch(docker: Docker, on_event: Callable[[dict[str, Any]], None]) -> None:
    """Calls `on_event` with each container and image event. Does not return: it is made for a thread.

    After each reconnection it sends `{"Type": "container", "Action": "start", "id": ID}` for every running container,
    because their events have been missed.
    """
    pause = FIRST_PAUSE
    first = True
    while True:
        try:
            if not first:
                for summary in docker.containers(all=False):
                    on_event({"Type": "container", "Action": "start", "id": str(summary.get("Id", ""))})
            for event in docker.events(type=["container", "image"]):
                pause, first = FIRST_PAUSE, False
                if isinstance(event, dict):
                    on_event(event)
        except (SeawallError, OSError, ValueError):
            first = False
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
