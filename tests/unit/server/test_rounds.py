"""What happens by the clock: agents fall silent and their jobs fail, old things are swept, waivers end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inside import IMAGE, World, inventory, opened
from seawall.baseline.model import Asset, Fact, Facts
from seawall.baseline.normalise import plain
from seawall.core import clock
from seawall.server import rounds
from serving import heartbeat

DAY = 86400.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as made:
        yield made


def seconds(text: str) -> float:
    return clock.parse_time(text)


def test_a_silent_agent_is_late_then_offline_and_its_jobs_fail(world: World) -> None:
    job = world.client.post(f"/api/v1/images/{IMAGE}/scan").json()
    heard = seconds(world.get(f"/agents/{world.agent}")["last_seen"])
    config = world.parts.config
    assert rounds.look(world.parts, heard + config.agent_late - 1) == 1
    for after, state in ((config.agent_late, "late"), (config.agent_offline, "offline")):
        rounds.look(world.parts, heard + after + 1)
        assert world.get(f"/agents/{world.agent}")["state"] == state
    failed = world.get(f"/jobs/{job['id']}")
    assert (failed["state"], failed["error"]) == ("failed", "the agent went away")
    assert world.client.post(f"/api/v1/images/{IMAGE}/scan").status_code == 409
    world.tell(("order", {"id": job["id"], "state": "done"}))
    assert world.get(f"/agents/{world.agent}")["state"] == "online", "it is back with its first word"


def test_an_order_that_nobody_takes_fails_in_time(world: World) -> None:
    job = world.client.post(f"/api/v1/images/{IMAGE}/scan").json()
    created = seconds(job["created_at"])
    rounds.look(world.parts, created + 60)
    assert world.get(f"/jobs/{job['id']}")["state"] == "waiting"
    rounds.look(world.parts, created + 1801)
    assert "did not take the order" in world.get(f"/jobs/{job['id']}")["error"]


def test_a_response_that_nobody_finishes_fails_in_time(world: World) -> None:
    world.tell(heartbeat(capabilities={"orders": ["response.container"]}))
    body = {"action": "pause", "agent_id": world.agent, "container_id": "c" * 64}
    row = world.client.post("/api/v1/responses", json=body).json()
    assert row["state"] == "waiting"
    created = seconds(row["created_at"])
    rounds.look(world.parts, created + 30)
    assert world.get(f"/responses/{row['id']}")["state"] == "waiting"
    rounds.look(world.parts, created + 95)
    found = world.get(f"/responses/{row['id']}")
    assert (found["state"], found["reason"]) == ("failed", "timeout")
    rounds.look(world.parts, created + world.parts.config.agent_offline + 60)
    away = world.client.post("/api/v1/responses", json=body).json()
    assert (away["state"], away["reason"]) == ("failed", "agent_offline")


def test_old_jobs_and_scans_that_broke_off_are_swept(world: World) -> None:
    done = world.scan()
    broken = world.client.post(f"/api/v1/images/{IMAGE}/scan").json()
    kind, data = inventory(broken["id"])
    world.tell((kind, data | {"parts": 2}))
    now = seconds(broken["created_at"])
    rounds.tidy(world.parts, now + 3600)
    assert world.get("/jobs")["total"] == 2
    rounds.tidy(world.parts, now + 31 * DAY)
    assert [job["id"] for job in world.get("/jobs")["items"]] == [broken["id"]], "an open job is not swept"
    assert world.get(f"/images/{IMAGE}/packages")["total"] == 3
    kind, data = inventory(broken["id"])
    world.tell((kind, data | {"part": 2, "parts": 2, "inventory": {"packages": []}}))
    assert world.get(f"/images/{IMAGE}/inventory")["scanned_at"], "the whole one stays"
    assert done["id"] != broken["id"]


def test_a_waiver_that_ends_fails_again(world: World) -> None:
    facts = Facts(Asset("container", "c1", "web", "h1"), {"privileged": Fact(True, "test")}, clock.now())
    assert world.tell(("facts", plain(facts))).rejected == 0

    def outcome() -> Any:
        (row,) = world.get("/baselines/docker/results?check=docker-5.5")["items"]
        return row["outcome"]

    assert outcome() == "fail"
    until = clock.format_time(seconds(clock.now()) + DAY)
    wish = {"check": "docker-5.5", "owner": "ann", "reason": "until it is rebuilt", "expires_at": until}
    assert world.client.post("/api/v1/baselines/waivers", json=wish).status_code == 201
    rounds.look(world.parts, seconds(until) - 1)
    assert outcome() == "waived"
    rounds.look(world.parts, seconds(until) + 1)
    assert outcome() == "fail"
