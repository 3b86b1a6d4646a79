"""Judging in the background: new inventories, newer knowledge, broken knowledge, an inventory that cannot be judged."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from inside import IMAGE, OTHER, World, opened, whole
from seawall.images import tables
from seawall.intel.store import import_files
from seawall.server import judging


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(judging, "TURN_SECONDS", 60)  # a busy machine must not cut a turn short
    with opened(tmp_path) as made:
        yield made


def bring(world: World, name: str, package: str) -> None:
    """Import an advisory against all versions of a Debian package before 2.0."""
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}
    affected = [{"package": {"ecosystem": "Debian:12", "name": package}, "ranges": [span]}]
    advisory = {"schema_version": "1.6.0", "id": name, "modified": "2024-01-01T00:00:00Z", "affected": affected}
    file = world.parts.config.state / f"{name}.json"
    file.write_text(json.dumps(advisory))
    import_files(world.parts.config.intel, [file])


def scan_of(world: World, image: str = IMAGE) -> dict[str, Any]:
    found: dict[str, Any] = world.get(f"/images/{image}")["scan"]
    return found


def test_without_knowledge_nothing_is_judged(world: World) -> None:
    world.scan()
    assert judging.turn(world.parts) == 0
    assert scan_of(world)["judged"] is False


def test_newer_knowledge_judges_again_and_reads_nothing_again(world: World) -> None:
    world.scan()
    bring(world, "CVE-2024-1", "a")
    assert judging.turn(world.parts) == 1
    assert judging.turn(world.parts) == 0, "once is enough"
    first = scan_of(world)
    assert (first["judged"], first["fixable"], first["unchecked"]) == (True, 1, 3), "one advisory is a sample, no cover"
    bring(world, "CVE-2024-2", "b")
    assert judging.turn(world.parts) == 1
    listed = world.get(f"/images/{IMAGE}/vulnerabilities")["items"]
    assert {(row["id"], row["package"], row["fixed"]) for row in listed} == {
        ("CVE-2024-1", "a", "2.0"),
        ("CVE-2024-2", "b", "2.0"),
    }
    assert scan_of(world)["scanned_at"] == first["scanned_at"]
    assert world.get("/intel/status")["advisories"] == 2


def test_broken_knowledge_leaves_what_was_known(world: World) -> None:
    world.scan()
    bring(world, "CVE-2024-1", "a")
    judging.turn(world.parts)
    world.parts.config.intel.unlink()
    world.parts.config.intel.write_bytes(b"no database at all")
    assert judging.turn(world.parts) == 0
    assert world.get("/intel/status")["advisories"] == 1
    world.scan(OTHER)
    assert judging.turn(world.parts) == 1
    assert scan_of(world, OTHER)["judged"]


def test_one_that_cannot_be_judged_costs_no_other(world: World) -> None:
    for image in (IMAGE, OTHER):
        world.scan(image)
    bad = update(tables.INVENTORIES).where(tables.INVENTORIES.c.image_id == IMAGE).values(data={"target": 7})
    world.parts.database.write(lambda connection: (connection.execute(bad), ()))
    bring(world, "CVE-2024-1", "a")
    assert judging.turn(world.parts) == 2
    assert judging.turn(world.parts) == 0, "it is not tried for ever"
    assert scan_of(world, OTHER)["judged"]
    scan = scan_of(world)
    assert (scan["judged"], scan["vulnerabilities"]) == (False, None)
    assert "ValidationError" in scan["error"]
    assert "ValidationError" in world.get(f"/images/{IMAGE}/vulnerabilities", 409)["error"]


def test_an_image_that_is_gone_leaves_the_lists_and_comes_back(world: World) -> None:
    world.scan()
    bring(world, "CVE-2024-1", "a")
    judging.turn(world.parts)
    assert world.get("/vulnerabilities")["total"] == 1
    world.tell(("snapshot", whole("images", [{"id": OTHER, "name": "db:1"}])))
    assert judging.turn(world.parts) == 1
    assert judging.turn(world.parts) == 0
    assert world.get("/vulnerabilities")["total"] == 0
    world.tell(("snapshot", whole("images", [{"id": IMAGE, "name": "web:1"}])))
    assert judging.turn(world.parts) == 1
    assert world.get("/vulnerabilities")["total"] == 1
    assert scan_of(world)["judged"]
