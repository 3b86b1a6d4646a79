"""Learned profiles over HTTP: what each image is known to run, and how strictly that is taken."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from seawall.core import clock
from seawall.lists import Change, Door, Listing, Refused, User, add, joined
from seawall.runtime.api.board import Board
from seawall.runtime.store import policy, profiles
from seawall.runtime.store.tables import MAX_PATH, PROFILES

NEXT = {"discover": "monitor", "monitor": "protect"}
Path = Annotated[str, Field(min_length=1, max_length=MAX_PATH)]


class Mode(BaseModel):
    """How strictly a profile is taken."""

    mode: Literal["discover", "monitor", "protect"]


class Edit(BaseModel):
    """Programs by hand."""

    add: list[Path] = Field([], max_length=1000)
    remove: list[Path] = Field([], max_length=1000)


def router(door: Door, board: Board) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/profiles", lambda connection, _words: _profiles(connection, door, board), door, name="list_profiles")

    def detail(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
        found = profiles.shown(row, clock.now(), learning_hours(connection, board))
        found |= door.about(connection, "profile", row["image_digest"])
        return {**found, "program_count": row["programs"], "programs": profiles.programs(connection, row["id"])}

    @routes.get("/profiles/{id}", operation_id="get_profile", dependencies=[Depends(door.viewer)])
    def get_profile(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One profile with its programs (`program_count` is how many) and the containers that run (`running`)."""
        return detail(connection, profiles.one(connection, id))

    def changed(connection: Connection, row: dict[str, Any]) -> tuple[dict[str, Any], Sequence[Change]]:
        shown = profiles.shown(row, clock.now(), learning_hours(connection, board))
        return shown, [Change("profiles/change", shown)]

    @routes.patch("/profiles/{id}", operation_id="change_profile")
    def change_profile(id: str, wish: Mode, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Put a profile into a mode."""
        return door.write(
            lambda connection: changed(
                connection, profiles.set_mode(connection, id, wish.mode, user=user.name, now=clock.now())
            )
        )

    @routes.post("/profiles/{id}/promote", operation_id="promote_profile")
    def promote_profile(id: str, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """One step stricter: discover → monitor → protect."""

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            mode = NEXT.get(profiles.one(connection, id)["mode"])
            if mode is None:
                raise Refused("this profile protects already", "there is no stricter mode", 409)
            return changed(connection, profiles.set_mode(connection, id, mode, user=user.name, now=clock.now()))

        return door.write(step)

    @routes.put("/profiles/{id}/programs", operation_id="edit_profile")
    def edit_profile(id: str, wish: Edit, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Add and remove programs by hand."""
        return door.write(
            lambda connection: changed(
                connection, profiles.edit(connection, id, wish.add, wish.remove, user=user.name, now=clock.now())
            )
        )

    @routes.delete("/profiles/{id}", operation_id="delete_profile", status_code=204)
    def delete_profile(id: str, user: Annotated[User, Depends(door.operator)]) -> None:
        """Delete a profile: what the image runs is learned anew."""
        door.write(lambda connection: (None, profiles.drop(connection, id, user=user.name, now=clock.now())))

    return routes


def learning_hours(connection: Connection, board: Board) -> float:
    """Hours after which a profile that finds nothing new is called ready."""
    return float({**board.defaults(), **policy.settings(connection)}["learning_hours"])


def _profiles(connection: Connection, door: Door, board: Board) -> Listing:
    hours = learning_hours(connection, board)
    now = clock.now()
    listing = Listing(
        profiles.listed(now),
        key="id",
        sort="-last_new",
        sorts=("image", "mode", "programs", "learned_since", "last_new", "violations_7d", "created_at"),
        filters=("id", "image", "image_digest", "mode"),
        text=("image", "image_digest"),
        time="learned_since",
        row=lambda row: profiles.shown(row, now, hours),
    )
    return joined(listing, PROFILES.c.image_digest, door.beside("profile"))
