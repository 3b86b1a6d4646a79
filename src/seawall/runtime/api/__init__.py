"""The runtime room over HTTP: alerts, rules, waivers, profiles, responses. Paths: docs/reference/api.md."""

from fastapi import APIRouter

from seawall.lists import Door
from seawall.runtime.api import alerts, files, profiles, replays, responses, rules, settings, waivers
from seawall.runtime.api.board import Board, Packaged

__all__ = ["Board", "Packaged", "router"]


def router(door: Door, board: Board | None = None) -> APIRouter:
    """The room's routes, without their common prefix. Without a board, the packaged rules are what is in force."""
    board = board or Packaged()
    routes = APIRouter(tags=["runtime"])
    routes.include_router(alerts.router(door))
    routes.include_router(responses.router(door))
    routes.include_router(replays.router(door))
    routes.include_router(files.router(door, board))
    routes.include_router(rules.router(door, board))
    routes.include_router(waivers.router(door, board))
    routes.include_router(profiles.router(door, board))
    routes.include_router(settings.router(door, board))
    return routes
