"""Policies on the server: what they decide of stored images, and that a change needs no image again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inside import IMAGE, World, opened
from seawall.images import policies
from seawall.intel.store import import_files
from seawall.server import judging

ADVISORY = """{"id": "PYSEC-1", "modified": "2024-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI",
"name": "x"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, "admin") as made:
        feed = tmp_path / "osv.json"
        feed.write_text(ADVISORY)
        import_files(made.parts.config.intel, [feed])
        yield made


def add(world: World, status: int = 201, **wish: Any) -> Any:
    answer = world.client.post("/api/v1/image-policies", json=wish)
    assert answer.status_code == status, answer.text
    return answer.json()


def decided(world: World) -> tuple[str, list[str]]:
    while judging.turn(world.parts):
        pass
    found = world.get(f"/image-decisions?image_id={IMAGE}")["items"]
    return (found[0]["decision"], [one["rule"] for one in found[0]["reasons"]]) if found else ("", [])


def test_a_change_decides_stored_images_anew(world: World) -> None:
    world.scan()
    assert decided(world) == ("allowed", [])
    made = add(world, name="no root", rules={"root": True})
    assert decided(world) == ("observed", ["root"])
    path = f"/api/v1/image-policies/{made['id']}"
    assert world.client.patch(path, json={"mode": "enforce"}).json()["mode"] == "enforce"
    assert decided(world) == ("denied", ["root"])
    assert world.get(f"/images/{IMAGE}")["scan"]["decision"] == "denied"
    with world.parts.database.reading() as connection:
        assert [row.image_id for row in connection.execute(policies.denied())] == [IMAGE]
    assert world.client.patch(path, json={"enabled": False}).status_code == 200
    assert decided(world) == ("allowed", [])
    world.client.patch(path, json={"enabled": True})
    assert world.client.delete(path).status_code == 204
    assert decided(world) == ("allowed", [])


def test_the_time_of_observing_ends_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.scan()
    add(world, name="soon", mode="enforce", rules={"root": True}, observe_until="2099-01-01T00:00:00.000Z")
    assert decided(world)[0] == "observed"
    monkeypatch.setattr("seawall.core.clock.now", lambda: "2099-01-02T00:00:00.000Z")
    assert decided(world)[0] == "denied"


def test_what_makes_no_sense_is_refused(world: World) -> None:
    assert "no rule" in add(world, 422, name="p", rules={})["error"]
    assert "severty" in add(world, 422, name="p", rules={"severty": "high"})["error"]
    add(world, name="p", rules={"root": True})
    add(world, 409, name="p", rules={"root": True})


def test_only_administrators_decide(tmp_path: Path) -> None:
    with opened(tmp_path) as world:
        add(world, 403, name="p", rules={"root": True})
