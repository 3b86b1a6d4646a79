"""Decisions on findings over HTTP: ignore with a reason and an end, vendors' documents, what one would leave out."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, String, cast, func, or_, select

from seawall.core import clock
from seawall.images import ignores
from seawall.images.tables import FINDINGS, IGNORES, VULNERABILITIES
from seawall.lists import Change, Door, Listing, Refused, User, add

Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=1024)]], Field(max_length=1000)]


class NewIgnore(BaseModel):
    """What is not to count any more, why and until when. In names `*` stands for anything."""

    model_config = ConfigDict(extra="forbid")
    kind: str = "vulnerability"
    ids: Texts = []
    packages: Texts = []
    images: Texts = []
    paths: Texts = []
    reason: str = Field(min_length=1, max_length=2000)
    status: str = "accepted"
    owner: Annotated[str, Field(max_length=255)] = ""
    until: Annotated[str, Field(max_length=10)] = ""


class Which(BaseModel):
    """Findings by their names."""

    kind: str = "vulnerability"
    ids: Texts


def router(door: Door) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/image-ignores", _ignores(), door, name="list_image_ignores")
    operator = Annotated[User, Depends(door.operator)]

    @routes.post("/image-ignores", operation_id="create_image_ignore", status_code=201)
    def create_image_ignore(wish: NewIgnore, user: operator) -> dict[str, Any]:
        """From now on they do not count; all stored images are judged anew."""
        value = wish.model_dump()
        return door.write(lambda connection: ignores.add(connection, value, user.name, clock.now()))

    @routes.post("/image-ignores/vex", operation_id="import_image_vex", status_code=201)
    async def import_image_vex(request: Request, user: operator, name: str = "vex.json") -> dict[str, Any]:
        """A document (OpenVEX, CSAF, CycloneDX) as the body."""
        data = await request.body()
        return door.write(lambda connection: ignores.add_vex(connection, name[:255], data, user.name, clock.now()))

    @routes.post("/image-ignores/preview", operation_id="preview_image_ignore", dependencies=[Depends(door.viewer)])
    def preview_image_ignore(which: Which, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """How many findings have these names, and in how many images: at most so many would not count."""
        findings, images = _counted(connection, which)
        return {"findings": findings, "images": images}

    @routes.delete("/image-ignores/{id}", operation_id="delete_image_ignore", status_code=204)
    def delete_image_ignore(id: str, _user: operator) -> None:
        """They count again."""

        def step(connection: Connection) -> tuple[None, list[Change]]:
            return None, ignores.remove(connection, id)

        door.write(step)

    return routes


def _counted(connection: Connection, which: Which) -> tuple[int, int]:
    if which.kind == "vulnerability":
        found = VULNERABILITIES.c
        aliases = or_(*(cast(found.aliases, String).contains(f'"{name}"', autoescape=True) for name in which.ids[:50]))
        named = or_(found.id.in_(which.ids), aliases)
        return _row(connection, select(func.count(), func.count(found.image_id.distinct())).where(named))
    if which.kind not in ("secret", "malware", "config"):
        raise Refused(f"there is no kind of finding {which.kind!r}")
    columns = FINDINGS.c
    wanted = (columns.kind == which.kind, columns.rule.in_(which.ids))
    return _row(connection, select(func.count(), func.count(columns.image_id.distinct())).where(*wanted))


def _row(connection: Connection, statement: Any) -> tuple[int, int]:
    row = connection.execute(statement).one()
    return int(row[0]), int(row[1])


def _ignores() -> Listing:
    return Listing(
        select(IGNORES),
        key="id",
        sort="-created_at",
        sorts=("created_at", "until", "kind", "owner"),
        filters=("id", "kind", "owner", "status"),
        text=("reason", "owner"),
        time="created_at",
        row=ignores.shown,
    )
