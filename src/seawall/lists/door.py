"""The door between a room and the app that serves it: who asks, how to read, how to write, how to tell the browsers.

A room's `api.router(door)` builds its routes with nothing but a `Door`; the server (or a test) brings the real one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Select

from seawall.core.errors import SeawallError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """Who sent an item: a room stores this beside each row."""

    agent_id: str
    host_id: str
    host_name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that open consoles should hear of. Types are listed in docs/reference/api.md, "Live"."""

    type: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """Who calls the API: a person with a session, or a token."""

    name: str
    role: str
    """viewer, operator or admin; each may do all that the one before may."""


@dataclass(frozen=True, slots=True)
class Node:
    """An agent that orders can be given to."""

    source: Source
    online: bool
    orders: tuple[str, ...]
    """Kinds of orders that it said it can carry out."""


@dataclass(frozen=True, slots=True)
class Held:
    """Where a thing is."""

    name: str
    """For people."""
    agents: tuple[Source, ...]
    """Those online whose hosts have it."""


def _nothing(_row: Mapping[str, Any]) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Beside:
    """What other rooms know of each thing in a list: columns to be joined, and what becomes of them in a row."""

    queries: tuple[Select[Any], ...] = ()
    """Each has at most one row for a thing, and names the thing in its column `id`."""
    sorts: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    row: Callable[[Mapping[str, Any]], dict[str, Any]] = _nothing
    """From a row with the joined columns to the fields that are added."""


class Resync(SeawallError):
    """A delta whose base is not the snapshot held here; the agent is asked for the whole kind."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the {kind} of this agent are not at the delta's base")
        self.kind = kind


class Refused(SeawallError):
    """A request that cannot be served; the server answers `status` with `{"error", "hint"}`."""

    def __init__(self, message: str, hint: str = "", status: int = 422) -> None:
        super().__init__(message, hint)
        self.status = status


class Door(Protocol):
    """What a room may ask of the app. `viewer`, `operator`, `admin` and `read` are FastAPI dependencies."""

    viewer: Callable[..., User]
    operator: Callable[..., User]
    admin: Callable[..., User]
    read: Callable[..., Iterator[Connection]]
    """Yields a connection for reading: `connection: Annotated[Connection, Depends(door.read)]`."""

    def write(self, step: Callable[[Connection], tuple[T, Sequence[Change]]]) -> T:
        """Run `step` as one transaction of the only writer; once durable, publish its changes and return its value."""
        ...

    def order(self, agent_id: str, kind: str, args: Mapping[str, Any], target: str = "") -> dict[str, Any]:
        """Queue an order (docs/reference/wire.md) for an agent as a job; the job's row as `/jobs/{id}` shows it.

        `target` names for people what is worked on. Raises Refused (409) when the agent is offline.
        """
        ...

    def agents(self) -> Sequence[Source]:
        """The agents that are online now."""
        ...

    def node(self, agent_id: str) -> Node:
        """One agent, and what orders it takes. Refused (404) when there is none."""
        ...

    def about(self, connection: Connection, kind: str, id: str) -> dict[str, Any]:
        """What the other rooms know of a thing, as extra fields of its detail: rooms never ask each other.

        `kind` is host (adds `agent`), container (adds `alerts`, `image_scan`), image (adds `scan`) or profile (by its
        image's digest: adds `containers`, how many run, and `running`, the newest of them).
        """
        ...

    def beside(self, kind: str) -> Beside:
        """The same for lists: `image` adds `scan`, `image.use` adds `containers` to each image that a host holds,
        `profile` adds `containers` (running) to each image digest."""
        ...

    def held(self, kind: str, id: str) -> Held:
        """Who can reach a thing (`kind` is image). Refused (404) when there is none."""
        ...
