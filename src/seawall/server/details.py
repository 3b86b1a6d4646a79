"""What rooms know of each other's things: rooms never ask each other, so the server does."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, String, cast, func, literal, or_, select, union, union_all

from seawall.assets import store as assets
from seawall.images import store as images
from seawall.images.tables import REGISTRY_IMAGES
from seawall.lists import Beside, Change, Held, Refused
from seawall.server import agents, jobs
from seawall.server.tables import AGENTS

_SCAN = "image.inventory"
MAX_RUNNING = 100
"""Containers that a profile names."""


def about(connection: Connection, kind: str, id: str) -> dict[str, Any]:
    """Extra fields of the detail of a host, a container or an image. An unknown kind has none."""
    known = _ABOUT.get(kind)
    return known(connection, id) if known else {}


def beside(kind: str) -> Beside:
    """The same for lists (`lists.Door.beside`)."""
    known = _BESIDE.get(kind)
    return known() if known else Beside()


def held(connection: Connection, kind: str, id: str) -> Held:
    """Which online agents have a thing. Refused (404) when nobody has it."""
    if kind != "image":
        raise ValueError(f"nobody holds a {kind}")
    image = assets.one(connection, "images", id)
    if image is None:
        raise Refused(f"there is no image {id}", "it may be gone since", 404)
    holders = set(assets.holders(connection, id))
    there = tuple(one for one in agents.online(connection) if one.agent_id in holders)
    return Held(image["name"], there)


def has_image(connection: Connection, agent_id: str, name: str) -> bool:
    """Whether an agent's host runs or holds an image, named by its digest or its id (as profiles are)."""
    if not name:
        return False
    containers, images, holders = assets.CONTAINERS.c, assets.IMAGES.c, assets.IMAGE_HOSTS.c
    digest = containers.data["image_digest"].as_string()
    runs = select(containers.id).where(
        containers.agent_id == agent_id, or_(containers.image_id == name, digest == name)
    )
    held = select(images.id).join(assets.IMAGE_HOSTS, holders.image_id == images.id)
    named = or_(images.id == name, cast(images.data["digests"], String).contains(name, autoescape=True))
    held = held.where(holders.agent_id == agent_id, named)
    return any(connection.execute(wanted.limit(1)).first() is not None for wanted in (runs, held))


def completed(connection: Connection, changes: list[Change]) -> list[Change]:
    """Changes of images that a room tells by their id alone, with what lists show of their scan."""
    return [
        Change(change.type, {**change.payload, **_image(connection, change.payload["id"])})
        if change.type == "images/change" and change.payload.keys() == {"id"}
        else change
        for change in changes
    ]


def _host(connection: Connection, id: str) -> dict[str, Any]:
    mine = select(AGENTS).where(AGENTS.c.host_id == id, AGENTS.c.deleted_at.is_(None))
    row = connection.execute(mine.order_by(AGENTS.c.last_seen.desc()).limit(1)).mappings().first()
    return {"agent": agents.shown(row) if row is not None else None}


def _container(connection: Connection, id: str) -> dict[str, Any]:
    from seawall.runtime import store as runtime

    container = assets.one(connection, "containers", id) or {}
    scan = _image(connection, container.get("image_id", ""))["scan"]
    return {"alerts": runtime.counts(connection, id), "image_scan": scan}


def _image(connection: Connection, id: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for query in _scans().queries:
        rows = query.subquery()
        found = connection.execute(select(rows).where(rows.c.id == id)).mappings().first()
        row |= dict(found) if found is not None else {}
    return _scan(row)


def _scans() -> Beside:
    """What is known of each image, and how far its newest order is."""
    sorts = ("critical", "high", "kev", "packages", "scanned_at", "secrets", "malware", "config", "risk")
    return Beside((images.scans(), jobs.newest(_SCAN)), sorts, ("scan_state", "judged", "decision"), _scan)


def _scan(row: Mapping[str, Any]) -> dict[str, Any]:
    scanned = row.get("scanned_at") is not None
    if not scanned and row.get("scan_state") is None:
        return {"scan": None}
    # An inventory outlives the order that brought it.
    order = {
        "state": row.get("scan_state") or "done",
        "job_id": row.get("job_id"),
        "progress": row.get("progress"),
        "message": row.get("message") or "",
        "error": row.get("job_error") or "",
    }
    verdict = images.scan_shown(row) if scanned else images.NEVER_SCANNED
    return {"scan": {**verdict, **order, "error": order["error"] or verdict["error"]}}


def present() -> Select[Any]:
    """Every image that some host or registry holds, once, with a name."""
    held = select(assets.IMAGES.c.id, assets.IMAGES.c.name, literal(0).label("rank"))
    columns = REGISTRY_IMAGES.c
    name = (columns.repository + ":" + columns.tag).label("name")
    stored = select(columns.image_id.label("id"), name, literal(1).label("rank")).where(columns.image_id != "")
    every = union_all(held, stored).subquery("every")
    first = func.row_number().over(partition_by=every.c.id, order_by=(every.c.rank, every.c.name))
    numbered = select(every.c.id, every.c.name, first.label("first")).subquery("numbered")
    return select(numbered.c.id, numbered.c.name).where(numbered.c.first == 1)


def known() -> Select[Any]:
    """The ids of them all, quicker."""
    held, stored = select(assets.IMAGES.c.id), select(REGISTRY_IMAGES.c.image_id)
    return select(union(held, stored).subquery("known").c.id)


def _use() -> Beside:
    """Each image that some host or registry holds, with its name and its running containers."""
    return _with_containers(present())


def _held() -> Beside:
    """The same of those alone that hosts hold."""
    return _with_containers(select(assets.IMAGES.c.id, assets.IMAGES.c.name))


def _with_containers(images: Select[Any]) -> Beside:
    running = assets.CONTAINERS.c.state == "running"
    containers = (
        select(assets.CONTAINERS.c.image_id, func.count().label("n"))
        .where(running)
        .group_by(assets.CONTAINERS.c.image_id)
        .subquery("running")
    )
    there = images.subquery("there")
    number = func.coalesce(containers.c.n, 0).label("containers")
    query = select(there.c.id, there.c.name, number).outerjoin(containers, containers.c.image_id == there.c.id)
    return Beside((query,), ("containers",), (), lambda row: {"containers": row["containers"] or 0})


def _image_key() -> Any:
    """As profiles are named: by the image's digest, else by its id."""
    containers = assets.CONTAINERS.c
    return func.coalesce(func.nullif(containers.data["image_digest"].as_string(), ""), containers.image_id)


def _running(connection: Connection, digest: str) -> dict[str, Any]:
    """The containers that a profile speaks of: how many run, and the newest of them."""
    containers = assets.CONTAINERS.c
    mine = (containers.state == "running", _image_key() == digest)
    wanted = select(containers.id, containers.name, containers.host_name).where(*mine)
    rows = connection.execute(wanted.order_by(containers.created_at.desc(), containers.id).limit(MAX_RUNNING))
    count = connection.execute(select(func.count()).select_from(assets.CONTAINERS).where(*mine)).scalar_one()
    return {"containers": count, "running": [dict(row) for row in rows.mappings()]}


def _profile() -> Beside:
    """Running containers of each image digest."""
    containers = assets.CONTAINERS.c
    digest = _image_key()
    # In two steps: PostgreSQL does not see that an expression with a parameter is the one it groups by.
    named = select(digest.label("id")).where(containers.state == "running").subquery("named")
    query: Select[Any] = select(named.c.id, func.count().label("containers")).group_by(named.c.id)
    return Beside((query,), ("containers",), (), lambda row: {"containers": row["containers"] or 0})


_ABOUT: dict[str, Callable[[Connection, str], dict[str, Any]]] = {
    "host": _host,
    "container": _container,
    "image": _image,
    "profile": _running,
}
_BESIDE: dict[str, Callable[[], Beside]] = {
    "image": _scans,
    "image.use": _use,
    "image.held": _held,
    "profile": _profile,
}
