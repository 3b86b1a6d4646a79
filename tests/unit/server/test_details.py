"""What a host has: by containers, by images, by digest or id; nothing of another host."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import IMAGE, OTHER, World, opened, whole
from seawall.server import details

DIGEST = "sha256:" + "d" * 64


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as made:
        yield made


def test_a_host_has_the_images_it_runs_or_holds(world: World) -> None:
    pulled = {"id": OTHER, "name": "db:1", "size": 1, "digests": [f"registry.test/db@{DIGEST}"]}
    running = {"id": "c1", "name": "web", "state": "running", "image": "web:1", "image_id": IMAGE}
    world.tell(("snapshot", whole("images", [pulled])))
    world.tell(("snapshot", whole("containers", [{**running, "image_digest": "sha256:" + "e" * 64}])))
    with world.parts.database.reading() as connection:
        for name in (IMAGE, OTHER, DIGEST, "sha256:" + "e" * 64):
            assert details.has_image(connection, world.agent, name), name
            assert not details.has_image(connection, "agent_other", name)
        for name in ("", "%", "sha256:" + "f" * 64):
            assert not details.has_image(connection, world.agent, name), name


def test_a_profile_names_the_containers_that_run(world: World) -> None:
    one = {"id": "c1", "name": "web", "state": "running", "image": "web:1", "image_id": IMAGE, "image_digest": DIGEST}
    others = [
        {**one, "id": "c2", "name": "ended", "state": "exited"},
        {**one, "id": "c3", "name": "by-id", "image_digest": ""},
    ]
    world.tell(("snapshot", whole("containers", [one, *others])))
    with world.parts.database.reading() as connection:
        found = details.about(connection, "profile", DIGEST)
        assert (found["containers"], [each["name"] for each in found["running"]]) == (1, ["web"])
        assert details.about(connection, "profile", IMAGE)["running"][0]["name"] == "by-id"
        assert details.about(connection, "profile", "nothing") == {"containers": 0, "running": []}
