"""Image policies over HTTP: what images have to be like, what would change, what was decided."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from seawall.core import clock
from seawall.images import policies
from seawall.images.tables import INVENTORIES, POLICIES
from seawall.lists import Change, Door, Listing, User, add

Texts = Annotated[list[Annotated[str, Field(max_length=512)]], Field(max_length=1000)]


class NewPolicy(BaseModel):
    """A policy; docs/guides/image-policies.md has its rules."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=255)
    mode: str = "observe"
    rules: dict[str, Any]
    include: Texts = []
    exclude: Texts = []
    observe_until: str = ""


class Changed(BaseModel):
    """What of a policy is to be another."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = None
    enabled: bool | None = None
    mode: str | None = None
    rules: dict[str, Any] | None = None
    include: Texts | None = None
    exclude: Texts | None = None
    observe_until: str | None = None


def router(door: Door) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/image-policies", _policies(), door, name="list_image_policies")
    add(routes, "/image-decisions", _decisions(), door, name="list_image_decisions")
    admin = Annotated[User, Depends(door.admin)]

    @routes.post("/image-policies", operation_id="create_image_policy", status_code=201)
    def create_image_policy(wish: NewPolicy, user: admin) -> dict[str, Any]:
        """From now on images are judged by it; all stored ones too, within moments."""
        value = wish.model_dump()
        return door.write(lambda connection: policies.add(connection, value, user.name, clock.now()))

    @routes.patch("/image-policies/{id}", operation_id="change_image_policy")
    def change_image_policy(id: str, wish: Changed, user: admin) -> dict[str, Any]:
        """Other rules, another mode, on and off."""
        values = {name: value for name, value in wish.model_dump().items() if value is not None}
        return door.write(lambda connection: policies.change(connection, id, values, user.name, clock.now()))

    @routes.delete("/image-policies/{id}", operation_id="delete_image_policy", status_code=204)
    def delete_image_policy(id: str, _user: admin) -> None:
        """What it denied is allowed again."""

        def step(connection: Connection) -> tuple[None, list[Change]]:
            return None, policies.remove(connection, id)

        door.write(step)

    return routes


def _policies() -> Listing:
    return Listing(
        select(POLICIES),
        key="id",
        sort="name",
        sorts=("name", "mode", "enabled", "updated_at"),
        filters=("id", "mode", "enabled"),
        text=("name",),
        row=policies.shown,
    )


def _decisions() -> Listing:
    """Images that were judged, with what policies said of them."""
    names = ("image_id", "name", "decision", "reasons", "judged_at", "risk")
    return Listing(
        select(*(INVENTORIES.c[name] for name in names)).where(INVENTORIES.c.decision != ""),
        key="image_id",
        sort="-decision",
        sorts=("decision", "name", "judged_at", "risk"),
        filters=("decision", "image_id"),
        text=("name",),
    )
