"""The server fetches feeds from where it is told, judges anew by what came, and tells of what failed."""

import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from inside import World, opened
from seawall.intel import places
from seawall.server import feeding

KEV = {"title": "CISA", "catalogVersion": "2026.1", "dateReleased": "2026-01-01T00:00:00Z", "count": 1,
       "vulnerabilities": [{"cveID": "CVE-2024-1", "dateAdded": "2024-01-01", "vulnerabilityName": "x"}]}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, "admin") as made:
        yield made


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("feeds")
    (folder / "kev.json").write_text(json.dumps(KEV))

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *words: Any) -> None:
            super().__init__(*words, directory=str(folder))

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def only(world: World, address: str) -> None:
    """The defaults off, one feed on loopback on."""
    every = [f'[[source]]\nname = "{one.name}"\non = false\n' for one in places.places(Path("/nonexistent"))]
    mine = f'[[source]]\nname = "mine"\nurl = "{address}/kev.json"\n'
    (world.parts.config.intel.parent / places.FILE).write_text("\n".join([*every, mine]))


def test_an_update_is_seen_at_once(world: World, address: str) -> None:
    only(world, address)
    assert feeding.look(world.parts) == 1
    assert world.get("/intel/status")["kev"] == 1
    told = {one["name"]: one for one in world.get("/intel/feeds")["feeds"]}
    assert told["mine"]["error"] == ""
    assert told["mine"]["fetched_at"]
    assert feeding.look(world.parts) == 0, "it is not due again"


def test_a_source_that_cannot_be_had_is_told(world: World, address: str) -> None:
    only(world, f"{address}/gone")
    assert feeding.look(world.parts, True) == 1
    told = {one["name"]: one for one in world.get("/intel/feeds")["feeds"]}
    assert told["mine"]["error"]


def test_without_the_setting_nothing_is_fetched(world: World) -> None:
    assert world.get("/intel/feeds")["automatic"] is False
