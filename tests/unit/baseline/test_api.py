"""Baselines over HTTP: runs, results by check and by asset, waivers, who may do what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import World, opened
from seawall.baseline.load import packaged
from seawall.baseline.model import Asset, Fact, Facts
from seawall.baseline.normalise import plain
from unit.baseline.test_checks import GOOD_CONTAINER, GOOD_HOST

LATER = "2027-01-01T00:00:00.000Z"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as found:
        yield found


def facts(kind="container", id="c1", **changes):
    good = GOOD_CONTAINER if kind == "container" else GOOD_HOST
    known = {name: Fact(value, "test") for name, value in (good | changes).items()}
    return "facts", plain(Facts(Asset(kind, id, id, "h1"), known, "2026-01-01T00:00:00.000Z"))


def online(world):
    from serving import heartbeat

    world.tell(heartbeat(host={"id": "h1", "name": "alpha"}))


def waiver(world, status=201, **fields):
    wish = {"check": "docker-5.5", "selector": {}, "owner": "ops", "reason": "agreed", "expires_at": LATER, **fields}
    answer = world.client.post("/api/v1/baselines/waivers", json=wish)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_never_run_is_not_passed(world):
    (row,) = world.get("/baselines")["items"]
    assert (row["state"], row["rate"], row["last_run"], row["assets"]) == ("never", None, None, 0)
    checks = world.get("/baselines/docker/checks?limit=200")
    assert checks["total"] == len(packaged()["docker"].checks) == 50
    assert {sum(one["counts"].values()) for one in checks["items"]} == {0}
    assert world.get("/baselines/toaster", 404)["hint"]


def test_a_run_from_order_to_results(world):
    online(world)
    answer = world.client.post("/api/v1/baselines/docker/run")
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["kind"], job["target"], job["args"]["run"]) == ("baseline.collect", "alpha", job["run"])
    assert world.get("/baselines/docker")["state"] == "running"
    world.tell(
        facts(privileged=True), facts(id="c2"), facts("docker_host", "docker:h1", live_restore=False),
        ("facts", {"run": job["run"], "complete": True, "assets": ["c1", "c2", "docker:h1"]}),
    )  # fmt: skip
    row = world.get("/baselines/docker")
    assert (row["state"], row["assets"]) == ("done", 3)
    results = world.get("/baselines/docker/results?limit=500")
    assert sum(row["counts"].values()) == results["total"]
    assert row["rate"] == row["counts"]["pass"] / (row["counts"]["pass"] + row["counts"]["fail"])
    by_check = {one["check"]: one["counts"] for one in world.get("/baselines/docker/checks?limit=200")["items"]}
    by_asset = {one["id"]: one["counts"] for one in world.get("/baselines/docker/assets")["items"]}
    for pivot in (by_check, by_asset):
        assert {name: sum(one[name] for one in pivot.values()) for name in row["counts"]} == row["counts"]
    assert by_check["docker-5.5"] == {**dict.fromkeys(row["counts"], 0), "pass": 1, "fail": 1}
    failed = world.get("/baselines/docker/results?outcome=fail&asset_id=c1&check=docker-5.5")["items"]
    assert [(one["asset"]["name"], one["severity"]) for one in failed] == [("c1", "critical")]
    assert failed[0]["evidence"][0]["value"] is True
    assert world.get("/overview")["baseline"][0]["counts"] == row["counts"]


def test_a_run_that_broke_off_ends_and_forgets_nothing(world):
    online(world)
    world.tell(facts())
    run = world.client.post("/api/v1/baselines/docker/run").json()["run"]
    world.tell(("facts", {"run": run, "complete": False}))
    assert (world.get("/baselines/docker")["state"], world.get("/baselines/docker")["assets"]) == ("done", 1)


def test_without_an_agent_there_is_no_run(world):
    from seawall.server import agents

    world.parts.database.write(lambda connection: (None, agents.set_state(connection, world.agent, "offline")))
    answer = world.client.post("/api/v1/baselines/docker/run")
    assert answer.status_code == 409
    assert answer.json()["hint"]
    assert world.get("/baselines/docker")["state"] == "never"


def test_a_waiver_from_wish_to_end(world):
    world.tell(facts(privileged=True), facts(id="other", privileged=True))
    made = waiver(world, selector={"name": "c*"})
    assert world.get("/baselines/docker/results?outcome=waived")["total"] == 1
    assert world.get("/baselines/docker/results?outcome=fail&check=docker-5.5")["total"] == 1
    (row,) = world.get("/baselines/waivers")["items"]
    assert (row["id"], row["owner"], row["created_by"]) == (made["id"], "ops", "token:test")
    assert world.client.delete(f"/api/v1/baselines/waivers/{made['id']}").status_code == 204
    assert world.get("/baselines/docker/results?outcome=waived")["total"] == 0
    assert world.client.delete(f"/api/v1/baselines/waivers/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"check": "docker-99"}, {"selector": {"colour": "red"}}, {"expires_at": "soon"}, {"owner": ""}, {"reason": ""},
        {"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "2999-01-01T00:00:00Z"}, {"selector": {"name": 5}},
    ],
)  # fmt: skip
def test_a_waiver_that_says_too_little_is_refused(world, fields):
    assert waiver(world, 422, **fields)
    assert world.get("/baselines/waivers")["total"] == 0


def test_a_viewer_only_reads(tmp_path):
    with opened(tmp_path, "viewer") as world:
        world.get("/baselines")
        world.get("/baselines/docker/results")
        waiver(world, 403)
        assert world.client.post("/api/v1/baselines/docker/run").status_code == 403
        assert world.client.delete("/api/v1/baselines/waivers/x").status_code == 403


def test_facts_of_another_host_are_refused(world):
    kind, data = facts()
    taken = world.tell((kind, data | {"asset": data["asset"] | {"host": "h2"}}))
    assert taken.rejected == 1
    assert world.get("/baselines/docker")["assets"] == 0
