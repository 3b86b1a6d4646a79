"""Scans of many images: scopes, a few orders a node at a time, stop, deadline, schedules, a restart in between."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inside import IMAGE, OTHER, World, inventory, opened, whole
from seawall.assets.store import IMAGE_HOSTS
from seawall.core import clock
from seawall.images import scans
from seawall.images.scans import Candidate, Scope, Wish, chosen
from seawall.images.tables import SCHEDULES
from seawall.server import scanning


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as made:
        yield made


def begin(world: World, status: int = 202, **wish: Any) -> Any:
    answer = world.client.post("/api/v1/image-scans", json=wish)
    assert answer.status_code == status, answer.text
    return answer.json()


def turn(world: World, later: float = 0.0) -> None:
    scanning.turn(world.parts, time.time() + later)


def jobs(world: World) -> dict[str, str]:
    return {one["args"]["image_id"]: one["id"] for one in world.get("/jobs?state=waiting,running")["items"]}


def targets(world: World, scan: str) -> dict[str, str]:
    return {one["target"]: one["state"] for one in world.get(f"/image-scans/{scan}/targets")["items"]}


def finish(world: World, open_jobs: dict[str, str]) -> None:
    for image, job in open_jobs.items():
        world.tell(inventory(job, image), ("order", {"id": job, "state": "done"}))


CANDIDATES = (
    Candidate("i1", "web:1", running=True, scanned=True),
    Candidate("i2", "team/db:1"),
    Candidate("i3", "r.example/app:2", registry="reg"),
    Candidate("i3", "r.example/app:latest", registry="reg"),
)


@pytest.mark.parametrize(
    ("scope", "wanted"),
    [
        (Scope("all"), ["i1", "i2", "i3"]),
        (Scope("running"), ["i1"]),
        (Scope("new"), ["i2", "i3"]),
        (Scope("chosen", images=("i2", "gone")), ["i2"]),
        (Scope("registry"), ["i3"]),
        (Scope("registry", registries=("other",)), []),
        (Scope("all", exclude=("team/*",)), ["i1", "i3"]),
        (Scope("all", include=("*:latest",)), ["i3"]),
    ],
)
def test_scopes(scope: Scope, wanted: list[str]) -> None:
    assert [one.image_id for one in chosen(scope, CANDIDATES)] == wanted


def test_a_scan_of_all_images_goes_to_its_end(world: World) -> None:
    scan = begin(world, scanners=["secret"])
    assert (scan["total"], scan["state"], scan["progress"]) == (2, "running", 0)
    turn(world)
    assert targets(world, scan["id"]) == {"web:1": "running", "db:1": "running"}
    open_jobs = jobs(world)
    assert world.get(f"/jobs/{open_jobs[IMAGE]}")["args"]["scanners"] == "secret"
    world.tell(inventory(open_jobs[IMAGE]), ("order", {"id": open_jobs[IMAGE], "state": "done"}))
    world.tell(("order", {"id": open_jobs[OTHER], "state": "failed", "error": "no space"}))
    turn(world)
    found = world.get(f"/image-scans/{scan['id']}")
    assert (found["state"], found["done"], found["failed"], found["progress"]) == ("done", 1, 1, 1.0)
    failed = world.get(f"/image-scans/{scan['id']}/targets?state=failed")["items"][0]
    assert (failed["target"], failed["error"]) == ("db:1", "no space")
    assert begin(world, scope={"kind": "new"})["total"] == 1


def test_a_node_has_only_a_few_orders_at_a_time(world: World) -> None:
    images = [{"id": f"sha256:{number}", "name": f"many:{number}", "size": 1} for number in range(6)]
    world.tell(("snapshot", whole("images", images)))
    scan = begin(world)
    turn(world)
    turn(world)
    states = targets(world, scan["id"])
    assert sorted(states.values()) == ["running"] * scanning.AT_ONCE + ["waiting"] * 4
    finish(world, dict([next(iter(jobs(world).items()))]))
    turn(world)
    assert sorted(targets(world, scan["id"]).values()).count("waiting") == 3
    stopped = world.client.post(f"/api/v1/image-scans/{scan['id']}/stop").json()
    assert (stopped["state"], stopped["skipped"]) == ("running", 3)
    finish(world, jobs(world))
    turn(world)
    found = world.get(f"/image-scans/{scan['id']}")
    assert (found["state"], found["done"], found["skipped"]) == ("stopped", 3, 3)
    assert world.client.post(f"/api/v1/image-scans/{scan['id']}/stop").status_code == 409


def test_images_that_nobody_can_read_now_hold_up_no_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "PORTION", 3)
    images = [{"id": f"sha256:{number}", "name": f"a{number}:1", "size": 1} for number in range(9)]
    world.tell(("snapshot", whole("images", images)))
    scan = begin(world)
    gone = IMAGE_HOSTS.c.image_id != "sha256:8"
    world.parts.database.write(lambda connection: (None, connection.execute(IMAGE_HOSTS.delete().where(gone)) and []))
    turn(world)
    states = targets(world, scan["id"])
    assert states.pop("a8:1") == "running"
    assert set(states.values()) == {"waiting"}


def test_more_workers_are_given_more(world: World) -> None:
    rows = [Candidate(f"sha256:{number}", f"r.example/a:{number}", registry="reg") for number in range(9)]
    wish = Wish("w", Scope("registry"), (), "test", time.time() + 3600)
    scan = world.parts.database.write(lambda connection: scans.create(connection, wish, rows, clock.now()))["id"]
    object.__setattr__(world.parts.config, "scan_workers", 4)
    turn(world)
    assert sorted(targets(world, scan).values()).count("running") == 8


def test_time_that_is_over_is_said(world: World) -> None:
    scan = begin(world, hours=1)
    turn(world, later=3700)
    found = world.get(f"/image-scans/{scan['id']}")
    assert (found["state"], found["skipped"]) == ("stopped", 2)
    assert "time of the scan" in world.get(f"/image-scans/{scan['id']}/targets")["items"][0]["error"]


def test_what_makes_no_sense_is_refused(world: World) -> None:
    assert "no image" in begin(world, 422, scope={"kind": "registry"})["error"]
    assert "no scope" in begin(world, 422, scope={"kind": "some"})["error"]
    assert "no scanner" in begin(world, 422, scanners=["luck"])["error"]
    begin(world, 422, hours=1000)
    assert world.get("/image-scans/none", 404)


def schedule(world: World, **table: Any) -> dict[str, Any]:
    wish = {"name": "nightly", "form": {"scope": {"kind": "running"}, "timetable": table}}
    answer = world.client.post("/api/v1/image-schedules", json=wish)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_schedule_begins_by_itself(world: World) -> None:
    made = schedule(world, start="02:00", end="04:00")
    again = world.client.post("/api/v1/image-schedules", json={"name": "nightly"})
    assert again.status_code == 409
    due = clock.parse_time(made["next_at"])
    scanning.turn(world.parts, due - 1)
    assert world.get("/image-scans")["total"] == 0
    scanning.turn(world.parts, due + 1)
    found = world.get("/image-scans")["items"][0]
    assert (found["schedule"], found["total"], found["created_by"]) == (made["id"], 1, "seawall")
    assert clock.parse_time(found["deadline"]) == due + 7200
    row = world.get("/image-schedules")["items"][0]
    assert (row["last_scan"], row["scans"]) == (found["id"], 1)
    assert clock.parse_time(row["next_at"]) == due + 86400
    scanning.turn(world.parts, due + 7200)
    assert world.get(f"/image-scans/{found['id']}")["state"] == "stopped"
    scanning.turn(world.parts, due + 86400 + 1)
    assert world.get("/image-scans")["total"] == 2


def test_a_window_that_was_slept_through_is_left_out(world: World) -> None:
    made = schedule(world, start="02:00", end="03:00")
    scanning.turn(world.parts, clock.parse_time(made["next_at"]) + 7200)
    assert world.get("/image-scans")["total"] == 0
    assert world.get("/image-schedules")["items"][0]["next_at"] > made["next_at"]


def test_a_schedule_can_be_switched_off_and_removed(world: World) -> None:
    made = schedule(world)
    path = f"/api/v1/image-schedules/{made['id']}"
    assert world.client.patch(path, json={"enabled": False}).json()["next_at"] is None
    scanning.turn(world.parts, time.time() + 10 * 86400)
    assert world.get("/image-scans")["total"] == 0
    assert world.client.patch(path, json={"enabled": True}).json()["next_at"]
    wrong = {"form": {"timetable": {"zone": "nowhere"}}}
    assert "time zone" in world.client.patch(path, json=wrong).json()["error"]
    assert world.client.delete(path).status_code == 204
    with world.parts.database.reading() as connection:
        assert connection.execute(SCHEDULES.select()).all() == []


def test_scopes_can_be_tried(world: World) -> None:
    found = world.client.post("/api/v1/image-scans/preview", json={"kind": "all"}).json()
    assert (found["total"], sorted(found["first"])) == (2, ["db:1", "web:1"])
