"""A server's parts in the test's own process, with an agent whose host holds two images and runs one container."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Connection

from seawall.core import clock
from seawall.core.envelope import Batch, Item
from seawall.core.plain import to_plain
from seawall.images.model import ImageConfig, Inventory, Location, OperatingSystem, Package
from seawall.lists import Change
from seawall.server import accounts, agents, app, ingest, run
from seawall.server.config import load
from seawall.server.live import Hub
from seawall.server.parts import Installer, Parts

IMAGE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


class World:
    """A server with one agent whose host holds two images and runs one container."""

    def __init__(self, parts: Parts, role: str = "operator") -> None:
        self.parts = parts
        self.seq = 0

        def first(connection: Connection) -> tuple[tuple[str, str], tuple[Change, ...]]:
            token = accounts.create_token(connection, "test", role, "test", clock.now())["token"]
            agent_id, _ = agents.enrol(connection, agents.Newcomer("alpha", "h1", "1", "::1"), clock.now())
            return (token, agent_id), ()

        token, self.agent = parts.database.write(first)
        self.client = TestClient(app.build(parts), headers={"Authorization": f"Bearer {token}"})
        images = [{"id": image, "name": name, "size": 1} for image, name in ((IMAGE, "web:1"), (OTHER, "db:1"))]
        container = {"id": "c1", "name": "web", "state": "running", "image": "web:1", "image_id": IMAGE}
        self.tell(("snapshot", whole("images", images)), ("snapshot", whole("containers", [container])))

    def tell(self, *items: tuple[str, dict[str, Any]]) -> ingest.Taken:
        """A batch of the agent; what became of it."""
        self.seq += 1
        batch = Batch("i", self.seq, clock.now(), [Item(kind, data) for kind, data in items])

        def step(connection: Connection) -> Any:
            return ingest.take(
                connection, self.agent, batch, malformed=0, address="::1", seconds=clock.parse_time(clock.now())
            )

        return self.parts.database.write(step)

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(f"/api/v1{path}")
        assert answer.status_code == status, answer.text
        return answer.json()

    def scan(self, image: str = IMAGE) -> dict[str, Any]:
        """Order a scan and carry it out, as the agent does."""
        job = self.client.post(f"/api/v1/images/{image}/scan").json()
        assert self.tell(inventory(job["id"], image), ("order", {"id": job["id"], "state": "done"})).rejected == 0
        return job


@contextlib.contextmanager
def opened(state: Path, role: str = "operator") -> Iterator[World]:
    """A world over a state folder; `role` is that of its token."""
    config = load(state, environment={})
    hub = Hub()
    database = run.open_database(config, hub)
    try:
        yield World(run.assemble(config, database, hub, lambda: Installer(b"", b"")), role)
    finally:
        database.close()


def whole(kind: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """A snapshot that replaces all."""
    return {"kind": kind, "base": None, "hash": "h", "upsert": records, "remove": []}


def inventory(order: str, image: str = IMAGE) -> tuple[str, dict[str, Any]]:
    packages = tuple(
        Package(name, "1.0", "deb", f"pkg:deb/debian/{name}@1.0", locations=(Location("status", 0),)) for name in "abc"
    )
    system = OperatingSystem("debian", "12")
    value = Inventory("docker:web:1", "web:1", ImageConfig(image), os=system, packages=packages)
    return "inventory", {"order": order, "image_id": image, "part": 1, "parts": 1, "inventory": to_plain(value)}
