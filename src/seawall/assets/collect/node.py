"""What all collectors of a node share: the daemon, and what need not be read twice."""

from dataclasses import dataclass, field
from typing import Any

from seawall.assets.model import Process
from seawall.core.errors import SeawallError
from seawall.node.docker import Docker

CACHED = 20_000
"""Things remembered of each sort; beyond it everything is read anew."""


@dataclass(slots=True)
class Node:
    """One node. `docker` of None means that this host has no daemon to ask."""

    docker: Docker | None
    processes: dict[tuple[int, int, str], Process] = field(default_factory=dict)
    """(pid, start, name) → what does not change of a process."""
    sockets: dict[int, int] = field(default_factory=dict)
    """Inode of a listening socket → pid that holds it."""
    digests: dict[str, str] = field(default_factory=dict)
    """Image id → repository digest."""

    def running(self) -> list[dict[str, Any]]:
        """`GET /containers/json` of what runs; empty without a daemon (`hosts` says why)."""
        if self.docker is None:
            return []
        try:
            return self.docker.containers(all=False)
        except SeawallError:
            return []

    def names(self) -> dict[str, str]:
        """Container id → name, of what runs."""
        return {
            str(summary.get("Id", "")): str((summary.get("Names") or [""])[0]).lstrip("/") for summary in self.running()
        }
