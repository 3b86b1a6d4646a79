"""Registries that the server looks into, and the images they hold."""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from seawall.core import clock
from seawall.core.ids import new_id
from seawall.images.tables import REGISTRIES, REGISTRY_IMAGES
from seawall.lists import Change, Refused

MAX_REGISTRIES = 200
MAX_IMAGES = 200_000
KINDS = ("generic", "harbor", "acr", "ecr", "gar", "tcr", "gitlab", "quay", "docker_hub", "jfrog", "nexus")
"""For people and for what is asked by default; all of them speak the distribution protocol."""
HIDDEN = ("secret", "webhook")


class Vault(Protocol):
    """Keeps secrets."""

    def seal(self, text: str) -> str: ...

    def unseal(self, sealed: str) -> str: ...


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be said of a registry."""

    repositories: tuple[str, ...] = ()
    """Patterns; none: all. Registries that list nothing to this user are asked for those without a pattern."""
    exclude: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Patterns; none: all."""
    newest: int = 50
    """Tags of one repository that are kept, from the end of the registry's list; 0: all."""
    platform: str = ""
    """os/architecture of images with several; "": linux/amd64."""
    sync_minutes: int = 1440
    """Between two looks; 0: only when asked, or told by a webhook."""
    scan_new: bool = True
    """Scan what a look has found for the first time."""
    insecure: bool = False
    """Do not check the certificate."""
    plain_http: bool = False
    ca: str = ""
    """Certificates (PEM) to trust beside the system's."""
    per_second: float = 0.0
    """Requests at most; 0: as many as the registry takes."""


def settings(value: Mapping[str, Any]) -> Settings:
    """Stored settings. Refused for what makes no sense."""
    try:
        found = msgspec.convert(value, Settings)
    except msgspec.ValidationError as error:
        raise Refused(f"the registry's settings are not understood: {error}") from error
    if not 0 <= found.sync_minutes <= 525_600 or not 0 <= found.newest <= 10_000 or found.per_second < 0:
        raise Refused("sync_minutes is up to a year, newest up to 10000, per_second not negative")
    if len(found.ca) > 200_000 or (found.ca and "BEGIN CERTIFICATE" not in found.ca):
        raise Refused("ca is one or more certificates in PEM form")
    return found


def add(
    connection: Connection, value: Mapping[str, Any], vault: Vault, by: str, now: str
) -> tuple[dict[str, Any], list[Change]]:
    """A new one, with the webhook's token, which is shown this once. Refused (409, 422)."""
    names = list(connection.execute(select(REGISTRIES.c.name)).scalars())
    if value["name"] in names:
        raise Refused(f"there is a registry {value['name']!r} already", status=409)
    if len(names) >= MAX_REGISTRIES:
        raise Refused(f"there are {MAX_REGISTRIES} registries, which is the limit")
    token = secrets.token_urlsafe(24)
    row = {
        "id": new_id("reg"),
        **{name: value[name] for name in ("name", "url", "kind", "username")},
        "secret": vault.seal(value["password"]),
        "settings": msgspec.to_builtins(settings(value["settings"])),
        "enabled": True,
        "state": "new",
        "error": "",
        "progress": 0.0,
        "message": "",
        "images": 0,
        "webhook": hashed(token),
        "synced_at": None,
        "next_at": now,
        "created_by": by,
        "created_at": now,
        "updated_by": by,
        "updated_at": now,
    }
    _check(row)
    connection.execute(insert(REGISTRIES).values(row))
    return {**shown(row), "webhook_token": token}, [Change("registries/change", shown(row))]


def change(
    connection: Connection, id: str, values: Mapping[str, Any], vault: Vault, stamps: Mapping[str, str]
) -> tuple[dict[str, Any], list[Change]]:
    """Other settings; `stamps` are updated_by and updated_at. Without a password the old one stays, unless the
    registry is another: a password is never sent to a place it was not given for. Refused (404, 422).
    """
    row = find(connection, id)
    merged = {**row, **{name: value for name, value in values.items() if name in row}, **stamps}
    if "settings" in values:
        merged["settings"] = msgspec.to_builtins(settings(values["settings"]))
    if "password" in values:
        merged["secret"] = vault.seal(values["password"])
    elif merged["url"] != row["url"]:
        merged["secret"] = ""
    if merged["enabled"]:
        merged["next_at"] = stamps["updated_at"]
    _check(merged)
    connection.execute(update(REGISTRIES).where(REGISTRIES.c.id == id).values(merged))
    return shown(merged), [Change("registries/change", shown(merged))]


def remove(connection: Connection, id: str) -> list[Change]:
    """With what is known of its images that nobody else holds. Refused (404)."""
    if not connection.execute(delete(REGISTRIES).where(REGISTRIES.c.id == id)).rowcount:
        raise Refused(f"there is no registry {id[:60]!r}", status=404)
    connection.execute(delete(REGISTRY_IMAGES).where(REGISTRY_IMAGES.c.registry == id))
    return [Change("registries/remove", {"id": id})]


def find(connection: Connection, id: str) -> dict[str, Any]:
    """One row. Refused (404)."""
    row = connection.execute(select(REGISTRIES).where(REGISTRIES.c.id == id)).mappings().first()
    if row is None:
        raise Refused(f"there is no registry {id[:60]!r}", status=404)
    return dict(row)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the API shows it: no secret, only whether there is one."""
    return {
        **{str(name): value for name, value in row.items() if name not in HIDDEN},
        "has_password": bool(row["secret"]),
    }


def hashed(token: str) -> str:
    """How a webhook's token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def due(connection: Connection, now: str) -> list[dict[str, Any]]:
    """Those whose time has come."""
    wanted = select(REGISTRIES).where(
        REGISTRIES.c.enabled, REGISTRIES.c.next_at <= now, REGISTRIES.c.state != "syncing"
    )
    return [dict(row) for row in connection.execute(wanted).mappings()]


def wake(connection: Connection, id: str, now: str) -> None:
    """Look into it as soon as possible."""
    connection.execute(update(REGISTRIES).where(REGISTRIES.c.id == id).values(next_at=now))


def cut_off(connection: Connection, going_on: Collection[str], now: str) -> None:
    """Registries that seem to be looked into and are not: their look ended without a word. They are due at once."""
    lost = (REGISTRIES.c.state == "syncing", REGISTRIES.c.id.not_in(going_on))
    values = {"state": "failed", "error": "the server stopped in the middle of the look", "next_at": now}
    connection.execute(update(REGISTRIES).where(*lost).values(values))


def state(connection: Connection, id: str, **values: Any) -> list[Change]:
    """How a look into it is going."""
    connection.execute(update(REGISTRIES).where(REGISTRIES.c.id == id).values(**values))
    row = connection.execute(select(REGISTRIES).where(REGISTRIES.c.id == id)).mappings().first()
    return [Change("registries/change", shown(dict(row)))] if row is not None else []


def seen(connection: Connection, registry: str, found: Iterable[Mapping[str, Any]], now: str) -> int:
    """Write what a look has found; how many were not known, or are another image now."""
    mine = select(REGISTRY_IMAGES).where(REGISTRY_IMAGES.c.registry == registry)
    known = {(row["repository"], row["tag"]): row for row in connection.execute(mine).mappings()}
    changed = 0
    for one in found:
        before = known.get((one["repository"], one["tag"]))
        values = {name: one[name] for name in ("repository", "tag", "digest", "platform", "image_id", "size")}
        if before is None:
            row = {"id": new_id("rimg"), "registry": registry, **values, "created_at": one.get("created_at")}
            stamps = {"first_seen": now, "last_seen": now, "changed_at": now}
            connection.execute(insert(REGISTRY_IMAGES).values({**row, **stamps}))
            changed += 1
        else:
            new = before["digest"] != one["digest"]
            stamps = {"last_seen": now, "changed_at": now if new else before["changed_at"]}
            if one.get("created_at"):
                stamps["created_at"] = one["created_at"]
            where = REGISTRY_IMAGES.c.id == before["id"]
            connection.execute(update(REGISTRY_IMAGES).where(where).values({**values, **stamps}))
            changed += new
    return changed


def still(connection: Connection, registry: str, names: Iterable[str], now: str) -> None:
    """Note that these (`REPOSITORY:TAG`) are there as they were."""
    columns = REGISTRY_IMAGES.c
    for name in names:
        repository, _, tag = name.rpartition(":")
        mine = (columns.registry == registry, columns.repository == repository, columns.tag == tag)
        connection.execute(update(REGISTRY_IMAGES).where(*mine).values(last_seen=now))


def settle(connection: Connection, registry: str, since: str) -> int:
    """A look has come to its end: what it did not see is gone. How many there are."""
    mine = REGISTRY_IMAGES.c.registry == registry
    connection.execute(delete(REGISTRY_IMAGES).where(mine, REGISTRY_IMAGES.c.last_seen < since))
    number = connection.execute(select(func.count()).select_from(REGISTRY_IMAGES).where(mine)).scalar_one()
    connection.execute(update(REGISTRIES).where(REGISTRIES.c.id == registry).values(images=number))
    return int(number)


def digests(connection: Connection, registry: str) -> dict[str, str]:
    """What each tag was the last time, as `REPOSITORY:TAG` → digest: an incremental look asks no further where
    that is the same."""
    columns = REGISTRY_IMAGES.c
    rows = connection.execute(
        select(columns.repository, columns.tag, columns.digest).where(columns.registry == registry)
    )
    return {f"{row.repository}:{row.tag}": row.digest for row in rows}


def next_look(row: Mapping[str, Any], seconds: float) -> str | None:
    """When it is due again."""
    minutes = settings(row["settings"]).sync_minutes
    return clock.format_time(seconds + minutes * 60) if minutes else None


def fits(name: str, include: Iterable[str], exclude: Iterable[str] = ()) -> bool:
    """Whether patterns mean this name; none means all."""
    patterns = tuple(include)
    if any(fnmatchcase(name, pattern) for pattern in exclude):
        return False
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _check(row: Mapping[str, Any]) -> None:
    if row["kind"] not in KINDS:
        raise Refused(f"there is no kind of registry {row['kind']!r}", f"use one of: {', '.join(KINDS)}")
    host = host_of(row["url"])
    if not host:
        raise Refused(f"{row['url'][:200]!r} is no registry's address", "for example harbor.example:8443")


def host_of(url: str) -> str:
    """The registry's host, with a port and a prefix where it has one; "" when it is none."""
    from seawall.images.collect.registry import names

    rest = url.strip().removeprefix("https://").removeprefix("http://").rstrip("/")
    host, slash, prefix = rest.partition("/")
    fine = names.is_host(host) and (not slash or names.is_repository(prefix))
    return rest if fine else ""
