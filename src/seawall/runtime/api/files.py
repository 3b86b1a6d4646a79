"""Users' rules over HTTP: files in either language, and simple rules that are filled in as a form."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import Connection, select

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.core.ids import new_id
from seawall.lists import Change, Door, Listing, Refused, User, add
from seawall.runtime import compose, forms, scope
from seawall.runtime.api.board import Board
from seawall.runtime.api.rules import MAX_FILE, Draft, check
from seawall.runtime.detect.parse import parse
from seawall.runtime.forms import Form
from seawall.runtime.model import Category
from seawall.runtime.store import policy
from seawall.runtime.store.tables import RULE_FILES, USER_RULES

Word = Annotated[str, Field(min_length=1, max_length=500)]
Words = Annotated[list[Word], Field(max_length=100)]


class ScopeWish(BaseModel):
    """Where rules hold; of each list one is enough, empty means everywhere."""

    model_config = ConfigDict(extra="forbid")
    images: Words = []
    digests: Words = []
    namespaces: Words = []
    labels: Annotated[dict[Word, Word], Field(max_length=50)] = {}


class NewFile(BaseModel):
    """A rule file."""

    name: str = Field(min_length=1, max_length=255)
    format: Literal["native", "falco"] = "native"
    text: str = Field(max_length=MAX_FILE)
    enabled: bool = True
    scope: ScopeWish = ScopeWish()


class FormWish(BaseModel):
    """A simple rule. Every list means "one of"; everything that is given must fit."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    action: Literal["alert", "block", "allow"] = "alert"
    severity: Literal["critical", "high", "medium", "low", "info"] = "medium"
    enabled: bool = True
    process: Words = []
    arguments: Words = []
    parent: Words = []
    file: Words = []
    access: Literal["write", "read", "any"] = "write"
    syscall: Words = []
    where: Literal["container", "host", "all"] = "container"
    category: Category | None = None
    scope: ScopeWish = ScopeWish()

    @field_validator("process", "arguments", "parent", "file", "syscall", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return ([value] if value else []) if isinstance(value, str) else value


def router(door: Door, board: Board) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    _add_files(routes, door, board)
    _add_forms(routes, door, board)
    return routes


def _add_files(routes: APIRouter, door: Door, board: Board) -> None:
    add(routes, "/rule-files", lambda _connection, _words: _files(board), door, name="list_rule_files")

    @routes.get("/rule-files/{id}", operation_id="get_rule_file", dependencies=[Depends(door.viewer)])
    def get_rule_file(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One file with its text."""
        return _file_shown(policy.find(connection, RULE_FILES, id), board)

    @routes.post("/rule-files", operation_id="create_rule_file", status_code=201)
    def create_rule_file(wish: NewFile, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Store a rule file. One with errors is stored too; its broken items are not in force, and `errors` says so."""

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            now = clock.now()
            row = {"id": new_id("rules"), **_file(connection, wish, "", None), **policy.made(user.name, now)}
            stored = policy.add(connection, RULE_FILES, row, policy.MAX_FILES, now)
            return stored, [Change("rule-files/add", _brief(_file_shown(stored, board)))]

        return _file_shown(door.write(step), board)

    @routes.put("/rule-files/{id}", operation_id="change_rule_file")
    def change_rule_file(id: str, wish: NewFile, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Replace a rule file. While the new text has errors, the last good one stays in force."""

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            held = policy.find(connection, RULE_FILES, id)
            values = _file(connection, wish, id, held["good"])
            stored = policy.change(connection, RULE_FILES, id, values, user=user.name, now=clock.now())
            return stored, [Change("rule-files/change", _brief(_file_shown(stored, board)))]

        return _file_shown(door.write(step), board)

    @routes.delete("/rule-files/{id}", operation_id="delete_rule_file", status_code=204)
    def delete_rule_file(id: str, user: Annotated[User, Depends(door.operator)]) -> None:
        """Delete a rule file; its rules are out of force."""
        door.write(lambda connection: (None, _removed(connection, RULE_FILES, id, user)))


def _add_forms(routes: APIRouter, door: Door, board: Board) -> None:
    add(routes, "/user-rules", lambda _connection, _words: _forms(board), door, name="list_user_rules")

    @routes.post("/user-rules", operation_id="create_user_rule", status_code=201)
    def create_user_rule(wish: FormWish, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Store a simple rule; `text` shows the rule file that it stands for."""

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            now, made_id = clock.now(), new_id("user")
            row = {"id": made_id, **_form(made_id, wish), **policy.made(user.name, now)}
            stored = policy.add(connection, USER_RULES, row, policy.MAX_RULES, now)
            return stored, [Change("user-rules/add", _form_shown(stored, board))]

        return _form_shown(door.write(step), board)

    @routes.put("/user-rules/{id}", operation_id="change_user_rule")
    def change_user_rule(id: str, wish: FormWish, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Replace a simple rule."""

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            policy.find(connection, USER_RULES, id)
            stored = policy.change(connection, USER_RULES, id, _form(id, wish), user=user.name, now=clock.now())
            return stored, [Change("user-rules/change", _form_shown(stored, board))]

        return _form_shown(door.write(step), board)

    @routes.post("/user-rules/preview", operation_id="preview_user_rule", dependencies=[Depends(door.viewer)])
    def preview_user_rule(wish: FormWish) -> dict[str, Any]:
        """What a simple rule would be written out as; 422 says what is wrong with it."""
        return {"text": _form("user_rule", wish)["text"]}

    @routes.delete("/user-rules/{id}", operation_id="delete_user_rule", status_code=204)
    def delete_user_rule(id: str, user: Annotated[User, Depends(door.operator)]) -> None:
        """Delete a simple rule."""
        door.write(lambda connection: (None, _removed(connection, USER_RULES, id, user)))


def _removed(connection: Connection, table: Any, id: str, user: User) -> list[Change]:
    return policy.remove(connection, table, id, user=user.name, now=clock.now())


def _file(connection: Connection, wish: NewFile, id: str, good: str | None) -> dict[str, Any]:
    """The columns of a file. Raises Refused on a name that is taken or a scope that cannot be judged."""
    if policy.named(connection, wish.name, id):
        raise Refused(f"there is a rule file {wish.name!r} already", "choose another name", 409)
    _scoped(wish.scope)
    found = check(connection, Draft(text=wish.text, format=wish.format, id=id))
    return {
        "name": wish.name,
        "format": wish.format,
        "text": wish.text,
        "good": good if found["errors"] else wish.text,
        "enabled": wish.enabled,
        "rules": len(found["rules"]),
        "errors": found["errors"],
        "scope": wish.scope.model_dump(),
    }


def _scoped(wish: ScopeWish) -> None:
    text = scope.condition(scope.scope(wish.model_dump()))
    if text:
        _judged(lambda: parse(text, {}, {}))


def _judged(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except SeawallError as error:
        raise Refused(str(error), error.hint) from error


def _form(id: str, wish: FormWish) -> dict[str, Any]:
    """The columns of a simple rule. Raises Refused on what cannot be judged."""
    filled = wish.model_dump(mode="json")
    lists = {name: tuple(filled[name]) for name in ("process", "arguments", "parent", "file", "syscall")}
    form = Form(**lists, access=wish.access, where=wish.where, category=wish.category or "")
    _scoped(wish.scope)
    text = _judged(lambda: forms.native(id, wish.title, wish.action, wish.severity, form))
    wrong = compose.compiled_texts([(id, text)], compose.words()).errors
    if wrong:
        message, _, hint = wrong[0].message.partition(" — ")
        raise Refused(message, hint)
    kept = ("process", "arguments", "parent", "file", "access", "syscall", "where", "category")
    return {
        "title": wish.title,
        "action": wish.action,
        "severity": wish.severity,
        "enabled": wish.enabled,
        "form": {name: filled[name] for name in kept},
        "scope": filled["scope"],
        "text": text,
    }


def _in_force(row: Mapping[str, Any], board: Board) -> str:
    """all, part, last_good, none, off, or pending until the plan is made."""
    if not row["enabled"]:
        return "off"
    state = board.composed().files.get(row["id"])
    return "pending" if state is None else state.in_force


def _file_shown(row: Mapping[str, Any], board: Board) -> dict[str, Any]:
    return {**{name: value for name, value in row.items() if name != "good"}, "in_force": _in_force(row, board)}


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "text"}


def _form_shown(row: Mapping[str, Any], board: Board) -> dict[str, Any]:
    rest = {name: value for name, value in row.items() if name != "form"}
    return {**rest, **row["form"], "in_force": _in_force(row, board)}


def _files(board: Board) -> Listing:
    return Listing(
        select(RULE_FILES),
        key="id",
        sort="-updated_at",
        sorts=("name", "format", "rules", "enabled", "created_at", "updated_at"),
        filters=("id", "name", "format", "enabled", "created_by"),
        text=("name", "text"),
        time="updated_at",
        row=lambda row: _brief(_file_shown(row, board)),
    )


def _forms(board: Board) -> Listing:
    return Listing(
        select(USER_RULES),
        key="id",
        sort="-updated_at",
        sorts=("title", "action", "severity", "enabled", "created_at", "updated_at"),
        filters=("id", "action", "severity", "enabled", "created_by"),
        text=("title", "text"),
        time="updated_at",
        row=lambda row: _form_shown(row, board),
    )
