"""The runtime room's settings over HTTP, and who changed what."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from seawall.core import clock
from seawall.lists import Change, Door, Listing, User, add
from seawall.runtime.api.board import Board
from seawall.runtime.store import policy
from seawall.runtime.store.tables import AUDIT


class Wish(BaseModel):
    """What is to be another."""

    model_config = ConfigDict(extra="forbid", strict=True)
    enforce: bool | None = None
    """Whether nodes carry out a rule's `block`."""
    samples: bool | None = None
    """Whether files that containers write or run for the first time are scanned."""
    quarantine_malware: bool | None = None
    """Whether a file with a malware verdict is put into quarantine at once."""
    learning_hours: int | None = Field(None, ge=1, le=24 * 30)
    """After this long without a new program a profile is called ready to be promoted."""
    new_images: Literal["discover", "off"] | None = None
    """Whether images without a profile are learned."""


def router(door: Door, board: Board) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/runtime/audit", _audit(), door, name="list_runtime_audit")

    @routes.get("/runtime/settings", operation_id="get_runtime_settings", dependencies=[Depends(door.viewer)])
    def get_runtime_settings(connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """The settings in force."""
        return {**board.defaults(), **policy.settings(connection)}

    @routes.patch("/runtime/settings", operation_id="change_runtime_settings")
    def change_runtime_settings(wish: Wish, user: Annotated[User, Depends(door.admin)]) -> dict[str, Any]:
        """Change settings; agents work by them within seconds, and a restart keeps them."""
        named = {name: value for name, value in wish.model_dump(exclude_unset=True).items() if value is not None}

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            changes = policy.set_settings(connection, named, user.name, clock.now()) if named else []
            return {**board.defaults(), **policy.settings(connection)}, changes

        return door.write(step)

    return routes


def _audit() -> Listing:
    return Listing(
        select(AUDIT),
        key="id",
        sort="-at",
        sorts=("at", "who", "act"),
        filters=("who", "act", "thing"),
        text=("who", "act", "thing", "what"),
        time="at",
    )
