"""The images room over HTTP: what is inside, scans of many, schedules. Paths: docs/reference/api.md."""

from fastapi import APIRouter

from seawall.images.api import ignores, images, policies, registries, scans
from seawall.images.registries import Vault
from seawall.lists import Door


def router(door: Door, vault: Vault) -> APIRouter:
    """The room's routes, without their common prefix."""
    routes = APIRouter(tags=["images"])
    routes.include_router(scans.router(door))
    routes.include_router(ignores.router(door))
    routes.include_router(registries.router(door, vault))
    routes.include_router(policies.router(door))
    routes.include_router(images.router(door))
    return routes
