"""Waivers (加白) over HTTP: what one would have silenced, those there are, and their life."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, case, literal, or_, select

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.core.ids import new_id
from seawall.lists import Change, Door, Listing, Refused, User, add
from seawall.runtime import compose, load, scope
from seawall.runtime.api.board import Board
from seawall.runtime.compose import Silence
from seawall.runtime.model import Waiver
from seawall.runtime.store import policy, waivers
from seawall.runtime.store.tables import WAIVERS

MAX_HOURS = 168
MAX_DAYS = 730
MAX_WAIVERS = 1000
Value = str | int | bool
Fields = Annotated[
    dict[Annotated[str, Field(max_length=128)], Value | Annotated[list[Value], Field(max_length=200)]],
    Field(max_length=20),
]


class What(BaseModel):
    """Which alerts: of these rules (none: of all) that fit the fields and the condition."""

    rules: list[Annotated[str, Field(max_length=128)]] = Field([], max_length=200)
    fields: Fields = {}
    condition: str = Field("", max_length=20_000)


class Preview(What):
    """The same, over so many hours back."""

    hours: int = Field(MAX_HOURS, ge=1, le=MAX_HOURS)


class NewWaiver(What):
    """A waiver: by whom, why, until when."""

    owner: str = Field("", max_length=255)
    reason: str = Field(min_length=1, max_length=2000)
    expires_at: str | None = None


class Changed(BaseModel):
    """What of a waiver is to be another; what is not named stays."""

    model_config = ConfigDict(extra="forbid")
    rules: list[Annotated[str, Field(max_length=128)]] | None = Field(None, max_length=200)
    fields: Fields | None = None
    condition: str | None = Field(None, max_length=20_000)
    owner: str | None = Field(None, max_length=255)
    reason: str | None = Field(None, min_length=1, max_length=2000)
    expires_at: str | None = None

    @model_validator(mode="after")
    def _something(self) -> "Changed":
        if not self.model_fields_set:
            raise ValueError("name what is to be another")
        return self


def router(door: Door, board: Board) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/waivers", lambda _connection, _words: _waivers(board), door, name="list_runtime_waivers")

    @routes.post("/waivers/preview", operation_id="preview_waiver", dependencies=[Depends(door.viewer)])
    def preview_waiver(wish: Preview, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """What it would have silenced of the alerts that are stored."""
        waiver = _compiled(wish.rules, _text(wish.rules, wish.fields, wish.condition))
        since = clock.format_time(time.time() - wish.hours * 3600)
        return waivers.preview(connection, waiver, load.system_plan().lists, since)

    @routes.get("/waivers/{id}", operation_id="get_runtime_waiver", dependencies=[Depends(door.viewer)])
    def get_runtime_waiver(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One waiver."""
        return waivers.row_shown(policy.find(connection, WAIVERS, id), clock.now())

    @routes.post("/waivers", operation_id="create_runtime_waiver", status_code=201)
    def create_runtime_waiver(wish: NewWaiver, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Silence alerts from now on; the nodes count what they hold back."""
        text = _text(wish.rules, wish.fields, wish.condition)
        _compiled(wish.rules, text)
        until = _until(wish.expires_at, user)

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            now = clock.now()
            row = {
                "id": new_id("waiver"),
                "rules": wish.rules,
                "fields": wish.fields,
                "condition": text,
                "owner": wish.owner or user.name,
                "reason": wish.reason,
                "expires_at": until,
                "silenced": 0,
                "last_silenced": None,
                **policy.made(user.name, now),
            }
            stored = waivers.row_shown(policy.add(connection, WAIVERS, row, MAX_WAIVERS, now), now)
            return stored, [Change("waivers/add", stored)]

        return door.write(step)

    @routes.patch("/waivers/{id}", operation_id="change_runtime_waiver")
    def change_runtime_waiver(id: str, wish: Changed, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Change a waiver."""
        named = wish.model_dump(exclude_unset=True)

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            held = policy.find(connection, WAIVERS, id)
            values = {name: value for name, value in named.items() if value is not None}
            if "fields" in values and "condition" not in values:
                values["condition"] = ""
            if "condition" in values:
                values.setdefault("fields", {})
                rules = values.get("rules", held["rules"])
                values["condition"] = _text(rules, values["fields"], values["condition"])
            if "expires_at" in named:
                values["expires_at"] = _until(named["expires_at"], user)
            both = {**held, **values}
            _compiled(both["rules"], both["condition"])
            now = clock.now()
            row = policy.change(connection, WAIVERS, id, values, user=user.name, now=now)
            stored = waivers.row_shown(row, now)
            return stored, [Change("waivers/change", stored)]

        return door.write(step)

    @routes.delete("/waivers/{id}", operation_id="delete_runtime_waiver", status_code=204)
    def delete_runtime_waiver(id: str, user: Annotated[User, Depends(door.operator)]) -> None:
        """Take a waiver back; such alerts come again."""

        def step(connection: Connection) -> tuple[None, Sequence[Change]]:
            return None, policy.remove(connection, WAIVERS, id, user=user.name, now=clock.now())

        door.write(step)

    return routes


def _text(rules: Sequence[str], fields: dict[str, Any], condition: str) -> str:
    """Fields and condition as one condition. Refused when nothing is named: that would silence everything."""
    equal = scope.equalities(fields)
    given = condition.strip()
    if equal and given and given != equal:
        return f"{equal} and ({given})"
    if not (equal or given or rules):
        raise Refused("a waiver needs rules, fields or a condition", "without any it would silence everything")
    return equal or given


def _compiled(rules: Sequence[str], text: str) -> Waiver:
    try:
        return compose.waiver(Silence("preview", tuple(rules), text), load.system())
    except SeawallError as error:
        raise Refused(str(error), error.hint) from error


def _until(text: str | None, user: User) -> str | None:
    """When it ends. Refused: in the past, further than two years, or never for one who is no administrator."""
    if text is None:
        if user.role != "admin":
            raise Refused("a waiver ends some day", "set expires_at; only an administrator may leave it out", 403)
        return None
    try:
        until = clock.parse_time(text)
    except (ValueError, OverflowError):
        raise Refused(f"expires_at is a time such as {clock.now()}, not {text[:40]!r}") from None
    if not time.time() < until <= time.time() + MAX_DAYS * 86400:
        raise Refused(f"a waiver ends within {MAX_DAYS} days from now", "it can be prolonged later")
    return clock.format_time(until)


def _titled(row: Mapping[str, Any], titles: Mapping[str, Any]) -> dict[str, Any]:
    """With the titles of its rules, as far as there are such rules."""
    return {**row, "titles": {rule: titles[rule] for rule in row["rules"] if rule in titles}}


def _waivers(board: Board) -> Listing:
    titles = {rule.id: {"en": rule.title, "zh": rule.title_zh} for rule in board.composed().rules}
    now = literal(clock.now())
    ended = case((or_(WAIVERS.c.expires_at.is_(None), WAIVERS.c.expires_at > now), "active"), else_="expired")
    return Listing(
        select(WAIVERS, ended.label("state")),
        key="id",
        sort="-created_at",
        sorts=("created_at", "updated_at", "expires_at", "owner", "silenced", "last_silenced", "state"),
        filters=("id", "owner", "state", "created_by"),
        text=("owner", "reason", "condition"),
        time="created_at",
        row=lambda row: _titled(row, titles),
    )
