"""Registries over HTTP: which there are, what they hold, look now, webhooks."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select, update

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.images import registries
from seawall.images.collect.registry.access import Access, Credentials
from seawall.images.collect.registry.client import Registry
from seawall.images.registries import Vault
from seawall.images.tables import REGISTRIES, REGISTRY_IMAGES
from seawall.lists import Change, Door, Listing, Refused, User, add, joined


class NewRegistry(BaseModel):
    """A registry."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=255)
    url: str = Field(min_length=1, max_length=1024)
    kind: str = "generic"
    username: Annotated[str, Field(max_length=255)] = ""
    password: Annotated[str, Field(max_length=20_000)] = ""
    settings: dict[str, Any] = {}


class Changed(BaseModel):
    """What of a registry is to be another."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = Field(None, min_length=1, max_length=255)
    url: str | None = None
    kind: str | None = None
    username: str | None = None
    password: str | None = None
    settings: dict[str, Any] | None = None
    enabled: bool | None = None


def router(door: Door, vault: Vault) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/registries", _registries(), door, name="list_registries")
    add(routes, "/registry-images", lambda _connection, _words: _images(door), door, name="list_registry_images")
    _keep(routes, door, vault)
    _hooks(routes, door)
    return routes


def _keep(routes: APIRouter, door: Door, vault: Vault) -> None:
    """Make, change, remove, look."""
    admin = Annotated[User, Depends(door.admin)]

    @routes.post("/registries", operation_id="create_registry", status_code=201)
    def create_registry(wish: NewRegistry, user: admin) -> dict[str, Any]:
        """From now on its images are listed, and scanned when they are new. The webhook's token is shown this once."""
        value = wish.model_dump()
        return door.write(lambda connection: registries.add(connection, value, vault, user.name, clock.now()))

    @routes.get("/registries/{id}", operation_id="get_registry", dependencies=[Depends(door.viewer)])
    def get_registry(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One registry; its password is never shown."""
        return registries.shown(registries.find(connection, id))

    @routes.patch("/registries/{id}", operation_id="change_registry")
    def change_registry(id: str, wish: Changed, user: admin) -> dict[str, Any]:
        """Other settings. A new address needs the password again: it is sent to no place it was not given for."""
        values = {name: value for name, value in wish.model_dump().items() if value is not None}
        stamps = {"updated_by": user.name, "updated_at": clock.now()}
        return door.write(lambda connection: registries.change(connection, id, values, vault, stamps))

    @routes.delete("/registries/{id}", operation_id="delete_registry", status_code=204)
    def delete_registry(id: str, _user: admin) -> None:
        """Its images leave the lists."""

        def step(connection: Connection) -> tuple[None, list[Change]]:
            return None, registries.remove(connection, id)

        door.write(step)

    @routes.post("/registries/{id}/sync", operation_id="sync_registry", status_code=202)
    def sync_registry(id: str, _user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Look into it now."""

        def step(connection: Connection) -> tuple[dict[str, Any], list[Change]]:
            row = registries.find(connection, id)
            if not row["enabled"]:
                raise Refused(f"the registry {row['name']} is switched off", "switch it on first", 409)
            registries.wake(connection, id, clock.now())
            return registries.shown(registries.find(connection, id)), []

        return door.write(step)

    @routes.post("/registries/test", operation_id="test_registry")
    def test_registry(wish: NewRegistry, _user: admin) -> dict[str, Any]:
        """Whether it answers, and lets us in; nothing is stored."""
        return _tried(wish)


def _hooks(routes: APIRouter, door: Door) -> None:
    """How a registry tells that something was pushed."""
    admin = Annotated[User, Depends(door.admin)]

    @routes.post("/registries/{id}/webhook-token", operation_id="renew_registry_webhook")
    def renew_registry_webhook(id: str, _user: admin) -> dict[str, Any]:
        """A new token; the old one ends now."""
        token = secrets.token_urlsafe(24)

        def step(connection: Connection) -> tuple[dict[str, Any], list[Change]]:
            registries.find(connection, id)
            values = {"webhook": registries.hashed(token)}
            connection.execute(update(REGISTRIES).where(REGISTRIES.c.id == id).values(values))
            return {"webhook_token": token}, []

        return door.write(step)

    @routes.post("/registries/{id}/webhook", operation_id="registry_webhook", status_code=202)
    def registry_webhook(id: str, token: str) -> dict[str, Any]:
        """For the registry itself, with its token in the address: something was pushed, look soon.

        What the registry writes is not read: a look tells better.
        """

        def step(connection: Connection) -> tuple[dict[str, Any], list[Change]]:
            row = connection.execute(select(REGISTRIES).where(REGISTRIES.c.id == id)).mappings().first()
            if row is None or not secrets.compare_digest(row["webhook"], registries.hashed(token)):
                raise Refused("there is no such webhook", status=404)
            if row["enabled"]:
                registries.wake(connection, id, clock.now())
            return {"accepted": True}, []

        return door.write(step)


def _tried(wish: NewRegistry) -> dict[str, Any]:
    settings = registries.settings(wish.settings)
    host = registries.host_of(wish.url)
    if not host:
        raise Refused(f"{wish.url[:200]!r} is no registry's address", "for example harbor.example:8443")
    if settings.ca:
        raise Refused("a test with own certificates is not made here", "save the registry; its first look tells")
    entered = Credentials(wish.username, wish.password) if wish.username or wish.password else None
    access = Access(entered, insecure=settings.insecure, plain_http=settings.plain_http, timeout=10.0)
    try:
        with Registry(host.partition("/")[0], access) as registry:
            registry.ping()
    except SeawallError as error:
        return {"ok": False, "error": str(error), "hint": error.hint}
    return {"ok": True, "error": "", "hint": ""}


def _registries() -> Listing:
    return Listing(
        select(REGISTRIES),
        key="id",
        sort="name",
        sorts=("name", "kind", "state", "images", "synced_at"),
        filters=("id", "kind", "state", "enabled"),
        text=("name", "url"),
        row=registries.shown,
    )


def _images(door: Door) -> Listing:
    """Each tag of each registry, with what is known of its image."""
    names = tuple(column.name for column in REGISTRY_IMAGES.c)
    rows = select(REGISTRY_IMAGES, REGISTRIES.c.name.label("registry_name")).join(
        REGISTRIES, REGISTRIES.c.id == REGISTRY_IMAGES.c.registry
    )
    listing = Listing(
        rows,
        key="id",
        sort="-changed_at",
        sorts=("changed_at", "repository", "tag", "size", "last_seen"),
        filters=("id", "registry", "repository", "tag", "image_id", "digest"),
        text=("repository", "tag", "digest"),
        time="changed_at",
        row=lambda row: {name: row[name] for name in (*names, "registry_name")},
    )
    return joined(listing, REGISTRY_IMAGES.c.image_id, door.beside("image"))
