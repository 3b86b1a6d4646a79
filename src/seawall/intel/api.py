"""What the console asks about intelligence: feeds and their age, indicators, and the entries that people make."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.intel import collect
from seawall.intel.collect.documents import Document
from seawall.intel.listed import ALLOWED, BLOCKED, OWN, Listed, listing
from seawall.intel.model import Indicator
from seawall.intel.store import EMPTY_STATUS, Store
from seawall.lists import Change, Door, Listing, Refused, User, add


class NewIndicator(BaseModel):
    """An entry of one's own (黑白名单)."""

    model_config = ConfigDict(extra="forbid")
    value: str = Field(min_length=1, max_length=2048)
    """An address, a network, a domain (its subdomains are meant too), a URL or a SHA-256."""
    kind: str = BLOCKED
    """`blocked` (黑名单), `allowed` (白名单: no list counts for it), or a feed's kind."""
    about: str = Field("", max_length=300)
    expires_at: str | None = None


MAX_LIST = 3 << 20
"""Bytes of a list that a browser brings; a larger one is imported on the server."""


class NewList(BaseModel):
    """A list of indicators as it lies in a file: plain, hosts, CSV, STIX 2.1 or MISP."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, pattern=r"^[^/\\\x00-\x1f]+$")
    """The file's name: the list is called so, tells its kind by it, and replaces the list of that name."""
    text: str = Field(min_length=1, max_length=MAX_LIST)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What `lists.add` needs of a door, over the indicators' own file."""

    viewer: Callable[..., User]
    read: Callable[..., Iterator[Connection]]


def router(door: Door, current: Callable[[], Store | None], listed: Listed) -> APIRouter:
    """`current` gives the store in use, or None before the first import."""
    routes = APIRouter(tags=["intelligence"])

    def read() -> Iterator[Connection]:
        with listed.reading() as connection:
            yield connection

    def tell(change: Change) -> None:
        def step(_connection: Connection) -> tuple[None, Sequence[Change]]:
            return None, (change,)

        door.write(step)

    @routes.get("/intel/status", dependencies=[Depends(door.viewer)], operation_id="intel_status")
    def status() -> dict[str, Any]:
        """Feeds with their age, how many advisories there are, and how many indicators of which kind and source."""
        store = current()
        return {**(store.status() if store else EMPTY_STATUS), "indicators": listed.status()}

    reader: Any = _Reader(door.viewer, read)
    add(routes, "/indicators", lambda _connection, _path: _listing(), reader, name="list_indicators")

    _entries(routes, door, listed, tell)
    _lists(routes, door, listed, tell)
    return routes


def _entries(routes: APIRouter, door: Door, listed: Listed, tell: Callable[[Change], None]) -> None:
    """Entries of people's own."""

    @routes.post("/indicators", status_code=201, operation_id="add_indicator")
    def put(body: NewIndicator, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Block or allow an address, a network, a domain or a file; an entry of one's own for the same is replaced."""
        try:
            row = listed.put(body.value, body.kind, user.name, body.about, _end(body.expires_at))
        except ValueError as error:
            raise Refused(str(error), "for instance 203.0.113.7, 203.0.113.0/24, evil.example or a SHA-256") from error
        shown = _shown({**row, "ended": False})
        tell(Change("indicators/add", shown))
        return shown

    @routes.delete("/indicators/{id}", status_code=204, operation_id="remove_indicator")
    def remove(id: str, _user: Annotated[User, Depends(door.operator)]) -> None:
        """Remove an entry of one's own. One of a list is not removed but allowed, or the list imported anew."""
        row = listed.get(id)
        if row is None:
            raise Refused("there is no such indicator", status=404)
        if not listed.remove(id):
            raise Refused(
                f"{row['value']} belongs to the list {row['source']}", f"add it with the kind {ALLOWED} instead", 409
            )
        tell(Change("indicators/remove", {"id": id}))


def _lists(routes: APIRouter, door: Door, listed: Listed, tell: Callable[[Change], None]) -> None:
    """Lists as a whole."""

    @routes.post("/indicators/lists", status_code=201, operation_id="import_indicators")
    def bring(body: NewList, _user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Import a list; one of the same name is replaced as a whole."""
        lists, unread = _lists_of(body)
        try:
            brought = [{"name": name, "entries": listed.replace(name, entries)} for name, entries in lists.items()]
        except SeawallError as error:
            raise Refused(str(error), error.hint) from error
        tell(Change("indicators/add", {"lists": brought}))
        return {"lists": brought, "entries": sum(len(entries) for entries in lists.values()), "unread": unread}

    @routes.delete("/indicators/sources/{source}", operation_id="remove_indicator_list")
    def drop(source: str, _user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Remove an imported list as a whole."""
        count = listed.drop(source)
        if not count:
            raise Refused("there is no such list", status=404)
        tell(Change("indicators/remove", {"source": source}))
        return {"removed": count}


def _lists_of(body: NewList) -> tuple[dict[str, tuple[Indicator, ...]], int]:
    """(entries of each list in the text, how many lines are none). Raises Refused when it is no list."""
    known = "use a plain list, a hosts file, CSV, a STIX 2.1 bundle or MISP"
    try:
        parts = list(collect.parse(Document(body.name, body.text.encode("utf-8", "replace"))) or ())
    except ValueError as error:
        raise Refused(f"{body.name} cannot be read: {error}"[:300], known) from error
    lists = {part.origin: part.indicators for part in parts if part.indicators}
    if not lists:
        if any(part.advisories or part.exploited for part in parts):
            raise Refused(
                f"{body.name} holds advisories, not indicators", "import it on the server: seawall intel import"
            )
        raise Refused(f"{body.name} holds no indicators that could be read", known)
    if OWN in lists:
        raise Refused(f"no list may be called {OWN}: so are entries of people's own", "give the file another name")
    return lists, sum(part.unread for part in parts)


def _listing() -> Listing:
    return Listing(
        listing(),
        key="id",
        sort="-created_at",
        sorts=("value", "type", "kind", "source", "confidence", "expires_at", "created_at"),
        filters=("id", "type", "value", "kind", "source", "own", "ended", "created_by"),
        text=("value", "about", "source"),
        time="created_at",
        row=_shown,
    )


def _shown(row: Any) -> dict[str, Any]:
    return {**row, "expires_at": row["expires_at"] or None, "own": bool(row["own"]), "ended": bool(row["ended"])}


def _end(text: str | None) -> str:
    if not text:
        return ""
    try:
        found = clock.format_time(clock.parse_time(text))
    except ValueError:
        raise Refused(f"{text[:40]!r} is no time", "2026-12-31T00:00:00Z is one") from None
    if found <= clock.now():
        raise Refused("the entry would have ended already")
    return found
