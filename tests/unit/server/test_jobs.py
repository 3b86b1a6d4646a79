"""Jobs: handed out until accepted, told by their own agent only, never hanging."""

import asyncio
import time
from typing import Any

import pytest
from sqlalchemy import Connection

from seawall.core import clock
from seawall.server import jobs
from seawall.server.jobs import Bell

NOW = 1_800_000_000.0


def made(connection: Connection, agent: str = "agent_1", kind: str = "image.inventory", **args: Any) -> dict[str, Any]:
    job, _ = jobs.create(connection, agent, kind, args or {"image_id": "i"}, target="nginx", seconds=NOW)
    return job


def say(connection: Connection, job: dict[str, Any], agent: str = "agent_1", **said: Any) -> dict[str, Any]:
    jobs.report(connection, agent, {"id": job["id"], **said}, clock.format_time(NOW + 1))
    return jobs.find(connection, job["id"])


def test_an_order_goes_its_way(connection: Connection) -> None:
    job = made(connection)
    now = clock.format_time(NOW)
    (order,) = jobs.waiting(connection, "agent_1", now)
    assert (order["id"], order["kind"], order["args"]) == (job["id"], "image.inventory", {"image_id": "i"})
    assert jobs.waiting(connection, "agent_2", now) == []
    assert say(connection, job, state="accepted")["state"] == "running"
    assert jobs.waiting(connection, "agent_1", now) == []
    assert say(connection, job, state="running", progress=0.4, message="layer 2")["progress"] == 0.4
    assert say(connection, job, state="running", progress=7)["progress"] == 1.0
    done = say(connection, job, state="done")
    assert (done["state"], done["finished_at"]) == ("done", clock.format_time(NOW + 1))


def test_only_its_own_agent_may_speak_of_an_open_job(connection: Connection) -> None:
    job = made(connection)
    with pytest.raises(ValueError, match="not an open one"):
        say(connection, job, agent="agent_2", state="done")
    with pytest.raises(ValueError, match="state"):
        say(connection, job, state="exploded")
    assert say(connection, job, state="failed")["error"]
    with pytest.raises(ValueError, match="not an open one"):
        say(connection, job, state="done")


def test_asking_twice_is_one_job(connection: Connection) -> None:
    assert made(connection)["id"] == made(connection)["id"]
    assert made(connection)["id"] != made(connection, agent="agent_2")["id"]
    assert made(connection)["id"] != made(connection, image_id="other")["id"]


def test_a_job_fails_with_a_reason_when_its_time_or_agent_is_gone(connection: Connection) -> None:
    late, accepted, left = made(connection), made(connection, image_id="b"), made(connection, agent="agent_9")
    say(connection, accepted, state="accepted")
    after = clock.format_time(NOW + jobs.DEADLINES["image.inventory"] + 1)
    assert not jobs.due(connection, clock.format_time(NOW))
    jobs.abandon(connection, "agent_9", "the agent went away", clock.format_time(NOW))
    assert jobs.due(connection, after)
    assert jobs.waiting(connection, "agent_1", after) == []
    jobs.expire(connection, after)
    found = [jobs.find(connection, job["id"]) for job in (late, accepted, left)]
    assert [job["state"] for job in found] == ["failed"] * 3
    assert len({job["error"] for job in found}) == 3


def test_the_bell_wakes_the_right_one_and_ends_on_close() -> None:
    async def play() -> None:
        bell = Bell()
        bell.start(asyncio.get_running_loop())
        mine, other = asyncio.create_task(bell.wait("a", 5)), asyncio.create_task(bell.wait("b", 5))
        await asyncio.sleep(0.01)
        bell.ring("a")
        await asyncio.wait_for(mine, 1)
        assert not other.done()
        bell.close()
        await asyncio.wait_for(other, 1)
        began = time.monotonic()
        await bell.wait("a", 5)
        assert time.monotonic() - began < 1

    asyncio.run(play())


def test_what_was_handed_out_rests_until_it_is_due_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bell = Bell()
    order = {"id": "job_1"}
    assert bell.fresh([order]) == [order]
    assert bell.fresh([order]) == []
    real = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: real + jobs.REDELIVER_SECONDS + 1)
    assert bell.fresh([order]) == [order]
