"""Keeps the knowledge up to date: fetches feeds when their time has come, where the configuration wants it.

Beside the requests, one update at a time. What comes in is seen by `Knowledge` as after an import, and stored images
are judged anew.
"""

import asyncio
import threading
from typing import Any

import structlog
from fastapi import APIRouter, Depends

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.intel.update import configured, due, history, update
from seawall.lists import Refused
from seawall.server.parts import Parts

LOG = structlog.get_logger("seawall.feeding")

LOOK_SECONDS = 900.0
FIRST_SECONDS = 30.0
"""After the start: a server that is tried out for a moment fetches nothing."""
_working = threading.Lock()


async def watch(parts: Parts) -> None:
    """Until cancelled. Does nothing unless `feed_updates` is on."""
    if not parts.config.feed_updates:
        return
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        await asyncio.to_thread(look, parts)
        await asyncio.sleep(LOOK_SECONDS)


def look(parts: Parts, all_of_them: bool = False) -> int:
    """Fetch what is due, or everything; how many sources were asked. Failures are told in the log and in `history`."""
    if not _working.acquire(blocking=False):
        return 0
    try:
        every = configured(parts.config.intel)
        wanted = [one for one in every if one.on] if all_of_them else due(parts.config.intel, every)
        if not wanted:
            return 0
        outcomes, _ = update(parts.config.intel, tuple(wanted))
        for one in outcomes:
            if not one.good:
                LOG.warning("feed not updated", feed=one.name, state=one.state, why=one.why)
        LOG.info("feeds updated", asked=len(wanted), new=sum(one.state == "new" for one in outcomes))
        return len(wanted)
    except SeawallError as error:
        LOG.warning("feeds cannot be updated", error=str(error), hint=error.hint)
    except Exception as error:
        LOG.exception("feeds cannot be updated", error=repr(error))
    finally:
        _working.release()
    return 0


def _when(seconds: float) -> str | None:
    return clock.format_time(seconds) if seconds else None


def router(parts: Parts) -> APIRouter:
    """`GET /intel/feeds`, `POST /intel/update`."""
    routes = APIRouter(tags=["intel"])

    @routes.get("/intel/feeds", operation_id="list_intel_feeds", dependencies=[Depends(parts.door.viewer)])
    def list_intel_feeds() -> dict[str, Any]:
        """Where feeds are fetched from, and how that went the last time."""
        db = parts.config.intel
        found = []
        for place in configured(db):
            kept = history(db, place)
            told = {name: getattr(place, name) for name in ("name", "url", "hours", "on", "about")}
            found.append(
                {
                    **told,
                    "checked_at": _when(kept.checked_at),
                    "fetched_at": _when(kept.fetched_at),
                    "error": kept.error,
                }
            )
        return {"automatic": parts.config.feed_updates, "running": _working.locked(), "feeds": found}

    @routes.post(
        "/intel/update", operation_id="update_intel", status_code=202, dependencies=[Depends(parts.door.admin)]
    )
    def update_intel() -> dict[str, Any]:
        """Fetch all feeds now; `GET /intel/feeds` tells how it goes."""
        if _working.locked():
            raise Refused("an update is running", status=409)
        threading.Thread(target=look, args=(parts, True), name="feeds", daemon=True).start()
        return {"accepted": True}

    return routes
