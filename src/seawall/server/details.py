"""What other rooms know of a thing: rooms never ask each other, so the server does."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from seawall.server import agents
from seawall.server.tables import AGENTS


def about(connection: Connection, kind: str, id: str) -> dict[str, Any]:
    """Extra fields of the detail of a host, a container or an image. An unknown kind has none."""
    known = _KINDS.get(kind)
    return known(connection, id) if known else {}


def _host(connection: Connection, id: str) -> dict[str, Any]:
    mine = select(AGENTS).where(AGENTS.c.host_id == id, AGENTS.c.deleted_at.is_(None))
    row = connection.execute(mine.order_by(AGENTS.c.last_seen.desc()).limit(1)).mappings().first()
    return {"agent": agents.shown(row) if row is not None else None}


def _container(connection: Connection, id: str) -> dict[str, Any]:
    from seawall.runtime import store as runtime

    return {"alerts": runtime.counts(connection, id)}


_KINDS: dict[str, Callable[[Connection, str], dict[str, Any]]] = {"host": _host, "container": _container}
