"""What follows from an order's state: the room that asked for it hears of it, whoever changed the state."""

from collections.abc import Sequence

from sqlalchemy import Connection

from seawall.lists import Change
from seawall.server import jobs


def followed(connection: Connection, changes: Sequence[Change], now: str) -> list[Change]:
    """The changes of jobs, and what they mean for responses and tests of rules."""
    found = list(changes)
    for change in changes:
        kind = str(change.payload.get("kind", ""))
        if change.type == "jobs/change" and kind.startswith(("response.", "runtime.")):
            found += _runtime(connection, kind, str(change.payload["id"]), now)
    return found


def _runtime(connection: Connection, kind: str, id: str, now: str) -> list[Change]:
    from seawall.runtime.store import replays, responses

    job = jobs.find(connection, id)
    return responses.told(connection, job, now) if kind.startswith("response.") else replays.told(connection, job, now)
