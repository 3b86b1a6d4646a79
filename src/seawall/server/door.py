"""The real door: how rooms read, write, give orders and know who asks, in this server."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from seawall.lists import Beside, Change, Held, Node, Refused, Source, User
from seawall.server import agents, details, jobs
from seawall.server.db import Database
from seawall.server.guard import Guard

T = TypeVar("T")


class ServerDoor:
    """Implements `lists.Door`."""

    def __init__(self, database: Database, guard: Guard, bell: jobs.Bell) -> None:
        self.viewer: Callable[..., User] = guard.require("viewer")
        self.operator: Callable[..., User] = guard.require("operator")
        self.admin: Callable[..., User] = guard.require("admin")
        self.read: Callable[..., Iterator[Connection]] = database.read
        self._database = database
        self._bell = bell

    def write(self, step: Callable[[Connection], tuple[T, Sequence[Change]]]) -> T:
        """Run `step` as one transaction; once durable, publish its changes and return its value."""
        return self._database.write(step)

    def order(self, agent_id: str, kind: str, args: Mapping[str, Any], target: str = "") -> dict[str, Any]:
        """Queue an order as a job and wake the agent's long poll. Refused (409) when the agent is not there."""

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            agent = agents.find(connection, agent_id)
            if agent["state"] == "offline":
                raise Refused(
                    f"the agent of {agent['name']} is offline",
                    "start it, or choose another node that has the same",
                    409,
                )
            return jobs.create(connection, agent_id, kind, args, target=target, seconds=time.time())

        job = self._database.write(step)
        self._bell.ring(agent_id)
        return job

    def agents(self) -> Sequence[Source]:
        """The agents that are online now."""
        with self._database.reading() as connection:
            return agents.online(connection)

    def node(self, agent_id: str) -> Node:
        """One agent, and what orders it takes. Refused (404) when there is none."""
        with self._database.reading() as connection:
            return agents.node(connection, agent_id)

    def about(self, connection: Connection, kind: str, id: str) -> dict[str, Any]:
        """What the other rooms know of a thing (`details.py`)."""
        return details.about(connection, kind, id)

    def beside(self, kind: str) -> Beside:
        """The same for lists (`details.py`)."""
        return details.beside(kind)

    def held(self, kind: str, id: str) -> Held:
        """Which online agents have a thing; Refused (404) when nobody has it."""
        with self._database.reading() as connection:
            return details.held(connection, kind, id)
