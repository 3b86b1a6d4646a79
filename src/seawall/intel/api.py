"""What the console asks about intelligence."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends

from seawall.intel.store import EMPTY_STATUS, Store
from seawall.lists import Door


def router(door: Door, current: Callable[[], Store | None]) -> APIRouter:
    """`current` gives the store in use, or None before the first import."""
    routes = APIRouter(tags=["intelligence"])

    @routes.get("/intel/status", dependencies=[Depends(door.viewer)], operation_id="intel_status")
    def status() -> dict[str, Any]:
        """Feeds with their age, and how many advisories there are."""
        store = current()
        return store.status() if store else EMPTY_STATUS

    return routes
