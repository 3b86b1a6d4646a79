"""The application of the API door, put together from the rooms' routers."""

import importlib

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from seawall import __version__
from seawall.images import api as images
from seawall.intel import api as intel
from seawall.runtime import api as runtime
from seawall.server import enrolment, feeding, overview, people, static, system, web
from seawall.server.parts import Parts

ROOMS = ("seawall.assets.api", "seawall.baseline.api")
"""Modules with `router(door)`."""
PREFIX = "/api/v1"


def build(parts: Parts) -> FastAPI:
    """Everything that is served on the API door."""
    app = FastAPI(
        title="Seawall",
        version=__version__,
        description="Container security through the whole life. docs/reference/api.md tells the manners of all lists.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    web.add_errors(app)
    to_enrol, for_nodes = enrolment.router(parts)
    app.include_router(people.router(parts), prefix=PREFIX)
    app.include_router(to_enrol, prefix=PREFIX)
    app.include_router(system.router(parts), prefix=PREFIX)
    app.include_router(overview.router(parts), prefix=PREFIX)
    app.include_router(intel.router(parts.door, parts.knowledge.current, parts.listed), prefix=PREFIX)
    app.include_router(runtime.router(parts.door, parts.plans), prefix=PREFIX)
    app.include_router(feeding.router(parts), prefix=PREFIX)
    app.include_router(images.router(parts.door, parts.vault), prefix=PREFIX)
    for routes in rooms(parts):
        app.include_router(routes, prefix=PREFIX)
    app.include_router(for_nodes)
    app.include_router(system.health(parts))
    app.include_router(static.router())
    app.add_middleware(GZipMiddleware, minimum_size=2048, compresslevel=4)
    app.add_middleware(web.Manners)
    return app


def rooms(parts: Parts) -> list[APIRouter]:
    """The routers of all rooms."""
    found: list[APIRouter] = []
    for name in ROOMS:
        module = importlib.import_module(name)
        if hasattr(module, "router"):
            found.append(module.router(parts.door))
    return found
