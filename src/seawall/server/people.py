"""Routes for people: log in and out, change the password, users, API tokens."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from seawall.core import clock
from seawall.lists import Change, Door, Refused, User
from seawall.server import accounts
from seawall.server.accounts import Login
from seawall.server.db import alone
from seawall.server.guard import COOKIE
from seawall.server.parts import Parts


class Credentials(BaseModel):
    """What a person types to log in."""

    username: str = Field(max_length=64)
    password: str = Field(max_length=accounts.MAX_PASSWORD)


class NewPassword(BaseModel):
    """The old password and the new one."""

    old: str = Field(max_length=accounts.MAX_PASSWORD)
    new: str = Field(max_length=accounts.MAX_PASSWORD)


class Person(BaseModel):
    """Who is logged in."""

    name: str
    role: str
    must_change_password: bool


class SessionAnswer(BaseModel):
    """A session: its user, and the value that changing calls send as X-Seawall-CSRF."""

    user: Person
    csrf: str


class NewToken(BaseModel):
    """An API token to be made."""

    name: str
    role: str = "viewer"


class TokenRow(BaseModel):
    """An API token without its secret."""

    id: str
    name: str
    role: str
    created_at: str
    created_by: str
    used_at: str | None


class TokenCreated(TokenRow):
    """A new API token; the secret is shown this once."""

    token: str


class NewUser(BaseModel):
    """A user to be made; the password has to be changed at the first login."""

    name: str
    password: str
    role: str = "viewer"


class UserRow(BaseModel):
    """A user."""

    name: str
    role: str
    must_change_password: bool
    created_at: str


def router(parts: Parts) -> APIRouter:
    """Everything under /session, /tokens and /users."""
    routes = APIRouter(tags=["people"])
    _sessions(routes, parts)
    _tokens(routes, parts.door)
    _users(routes, parts.door)
    return routes


def _sessions(routes: APIRouter, parts: Parts) -> None:
    database, guard, config = parts.database, parts.guard, parts.config

    def check(name: str, password: str, address: str) -> None:
        guard.logins.check(address)
        with database.reading() as connection:
            right = accounts.check_password(connection, name, password)
        if not right:
            guard.logins.failed(address)
            raise Refused("user name or password is wrong", "`seawall server reset-password` gives a new one", 401)
        guard.logins.passed(address)

    @routes.post("/session", operation_id="login")
    def log_in(body: Credentials, request: Request, response: Response) -> SessionAnswer:
        """Log in: sets the session's cookie."""
        address = request.client.host if request.client else ""
        check(body.username, body.password, address)

        def step(connection: Connection) -> tuple[tuple[str, Login | None], tuple[Change, ...]]:
            seconds = time.time()
            accounts.sweep_sessions(connection, seconds, guard.idle, guard.longest)
            secret, _ = accounts.open_session(connection, body.username, address, clock.format_time(seconds))
            login = accounts.session(connection, secret, seconds=seconds, idle=guard.idle, longest=guard.longest)
            return (secret, login), ()

        secret, login = database.write(step)
        if login is None:
            raise Refused("the user was deleted just now", status=401)
        response.set_cookie(
            COOKIE, secret, max_age=config.session_days * 86400, secure=True, httponly=True, samesite="strict"
        )
        return _answer(login)

    @routes.get("/session", operation_id="whoami")
    def who_am_i(login: Annotated[Login, Depends(guard.login)]) -> SessionAnswer:
        """Who is logged in."""
        return _answer(login)

    @routes.delete("/session", operation_id="logout", status_code=204)
    def log_out(login: Annotated[Login, Depends(guard.login)], response: Response) -> None:
        """Log out."""
        database.write(alone(lambda connection: accounts.close_session(connection, login.session)))
        response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")

    @routes.post("/session/password", operation_id="change_password")
    def change_password(
        body: NewPassword, request: Request, login: Annotated[Login, Depends(guard.login)]
    ) -> SessionAnswer:
        """Change the own password; all other sessions of the user end."""
        check(login.user.name, body.old, request.client.host if request.client else "")
        if body.old == body.new:
            raise Refused("the new password is the old one", "choose another")
        database.write(alone(lambda connection: accounts.change_password(connection, login, body.new)))
        if login.user.name == accounts.FIRST_USER:
            config.first_password.unlink(missing_ok=True)
        return _answer(Login(login.user, login.csrf, False, login.session))


def _tokens(routes: APIRouter, door: Door) -> None:
    @routes.get("/tokens", operation_id="list_tokens", dependencies=[Depends(door.admin)])
    def list_tokens(connection: Annotated[Connection, Depends(door.read)]) -> dict[str, list[TokenRow]]:
        """All API tokens, without their secrets."""
        return {"items": [TokenRow(**row) for row in accounts.tokens(connection)]}

    @routes.post("/tokens", operation_id="create_token", status_code=201)
    def create_token(body: NewToken, user: Annotated[User, Depends(door.admin)]) -> TokenCreated:
        """A new API token; its secret is in this answer and never again."""

        def step(connection: Connection) -> tuple[dict[str, Any], tuple[Change, ...]]:
            return accounts.create_token(connection, body.name, body.role, user.name, clock.now()), ()

        return TokenCreated(**door.write(step))

    @routes.delete("/tokens/{id}", operation_id="revoke_token", status_code=204, dependencies=[Depends(door.admin)])
    def revoke_token(id: str) -> None:
        """Revoke a token by id or name; it stops to work at once."""
        door.write(alone(lambda connection: accounts.revoke_token(connection, id)))


def _users(routes: APIRouter, door: Door) -> None:
    @routes.get("/users", operation_id="list_users", dependencies=[Depends(door.admin)])
    def list_users(connection: Annotated[Connection, Depends(door.read)]) -> dict[str, list[UserRow]]:
        """All users."""
        return {"items": [UserRow(**row) for row in accounts.users(connection)]}

    @routes.post("/users", operation_id="create_user", status_code=201, dependencies=[Depends(door.admin)])
    def create_user(body: NewUser) -> UserRow:
        """A new user, who has to change the password at the first login."""

        def step(connection: Connection) -> tuple[dict[str, Any], tuple[Change, ...]]:
            row = accounts.add_user(
                connection, body.name, body.password, role=body.role, now=clock.now(), must_change=True
            )
            return row, ()

        return UserRow(**door.write(step))

    @routes.delete("/users/{name}", operation_id="delete_user", status_code=204, dependencies=[Depends(door.admin)])
    def delete_user(name: str) -> None:
        """Delete a user and end its sessions."""
        door.write(alone(lambda connection: accounts.remove_user(connection, name)))


def _answer(login: Login) -> SessionAnswer:
    person = Person(name=login.user.name, role=login.user.role, must_change_password=login.must_change_password)
    return SessionAnswer(user=person, csrf=login.csrf)
