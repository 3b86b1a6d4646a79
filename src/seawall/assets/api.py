"""Assets over HTTP: a list and a detail for each kind."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from sqlalchemy import Connection, func, select

from seawall.assets import model
from seawall.assets.store import CONTAINERS, HOSTS, IMAGE_HOSTS, IMAGES, KINDS, PORTS, PROCESSES, one, shown
from seawall.lists import Door, Listing, Refused, add, joined

_ON_HOSTS = select(func.count()).select_from(IMAGE_HOSTS).where(IMAGE_HOSTS.c.image_id == IMAGES.c.id).scalar_subquery()
_PLACE = ("host_id", "host_name", "agent_id")

LISTINGS = {
    "hosts": Listing(
        select(HOSTS),
        key="id",
        sort="name",
        sorts=("name", "os", "containers", "first_seen", "last_seen"),
        filters=("name", "os", "agent_id"),
        text=("name", "os", "kernel"),
        time="last_seen",
        row=shown,
    ),
    "containers": Listing(
        select(CONTAINERS),
        key="id",
        sort="-created_at",
        sorts=("name", "state", "image", "created_at", "process_count", "host_name", "first_seen", "last_seen"),
        filters=("id", "name", "state", "image", "image_id", "privileged", "runtime", *_PLACE),
        text=("id", "name", "image", "host_name"),
        time="created_at",
        row=shown,
    ),
    "images": Listing(
        select(IMAGES, _ON_HOSTS.label("hosts")),
        key="id",
        sort="name",
        sorts=("name", "size", "created_at", "containers", "layers", "first_seen", "last_seen"),
        filters=("id", "name", *_PLACE),
        text=("id", "name", "tags"),
        time="created_at",
        row=shown,
    ),
    "processes": Listing(
        select(PROCESSES),
        key="id",
        sort="-started_at",
        sorts=("name", "exe", "user", "memory", "pid", "started_at", "container_name", "host_name", "first_seen"),
        filters=("name", "exe", "user", "pid", "container_id", "container_name", *_PLACE),
        text=("name", "exe", "args", "container_name", "host_name"),
        time="started_at",
        row=shown,
    ),
    "ports": Listing(
        select(PORTS),
        key="id",
        sort="port",
        sorts=("port", "proto", "process", "exposure", "container_name", "host_name", "first_seen"),
        filters=("port", "proto", "address", "process", "exposure", "container_id", "container_name", "pid", *_PLACE),
        text=("process", "address", "container_name", "host_name"),
        time="first_seen",
        row=shown,
    ),
}
ITEMS = {
    "hosts": model.Host,
    "containers": model.Container,
    "images": model.Image,
    "processes": model.Process,
    "ports": model.Port,
}
SINGULAR = {"hosts": "host", "containers": "container", "images": "image", "processes": "process", "ports": "port"}


def router(door: Door) -> APIRouter:
    """`/hosts`, `/containers`, `/images`, `/processes`, `/ports`, each with `/{id}`."""
    routes = APIRouter(tags=["assets"])
    for kind in KINDS:
        listing = joined(LISTINGS[kind], KINDS[kind].table.c.id, door.beside(SINGULAR[kind]))
        add(routes, f"/{kind}", listing, door, item=ITEMS[kind])
        routes.add_api_route(
            f"/{kind}/{{id}}",
            _detail(kind, door),
            methods=["GET"],
            dependencies=[Depends(door.viewer)],
            response_model=dict[str, Any],
            operation_id=f"get_{SINGULAR[kind]}",
            summary=f"One of the {kind}, with what other rooms know of it",
        )
    return routes


def _detail(kind: str, door: Door) -> Callable[..., dict[str, Any]]:
    def serve(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        found = one(connection, kind, id)
        if found is None:
            raise Refused(f"there is no {SINGULAR[kind]} {id}", "it may be gone since", 404)
        return {**found, **door.about(connection, SINGULAR[kind], id)}

    return serve
