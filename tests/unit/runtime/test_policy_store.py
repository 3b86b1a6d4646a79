"""The policy's tables over a real SQLite: learning within bounds, bursts, responses' ends, what is tidied away."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, func, select

from seawall.core.clock import format_time
from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.lists import Refused, Source
from seawall.runtime import store
from seawall.runtime.model import Profile
from seawall.runtime.store import policy, profiles, replays, responses, tables, waivers

SOURCE = Source("agent-1", "host-1", "node-1")
SECONDS = 1_800_000_000.0
NOW = format_time(SECONDS)
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        store.METADATA.create_all(connection)
        yield connection
    engine.dispose()


def learn(connection: Connection, *paths: str, digest: str = DIGEST, **more: Any) -> list[Any]:
    programs = [{"path": path, "parent": "", "count": 1, "first_seen": NOW, "last_seen": NOW} for path in paths]
    return profiles.apply(
        connection, SOURCE, Item("profile", {"image_digest": digest, "programs": programs} | more), NOW
    )


def only(connection: Connection) -> dict[str, Any]:
    return profiles.by_digest(connection, DIGEST)


def test_learning_adds_up_and_stays_in_its_bounds(connection, monkeypatch):
    monkeypatch.setattr(profiles, "MAX_PROGRAMS", 3)
    monkeypatch.setattr(profiles, "MAX_PROFILES", 1)
    assert [change.type for change in learn(connection, "/a", "/b", image="web:1")] == ["profiles/add"]
    assert learn(connection, "/a") == []
    assert [change.type for change in learn(connection, "/c", "/d")] == ["profiles/change"]
    assert only(connection)["programs"] == 3
    assert {row["path"]: row["count"] for row in profiles.programs(connection, only(connection)["id"])} == {
        "/a": 2,
        "/b": 1,
        "/c": 1,
    }
    assert learn(connection, "/x", digest="sha256:" + "b" * 64) == []
    assert connection.execute(select(func.count()).select_from(tables.PROFILES)).scalar_one() == 1


@pytest.mark.parametrize(
    "data",
    [
        {"image_digest": ""},
        {"image_digest": 7},
        {"image_digest": "sha256:short"},
        {"programs": "x"},
        {"programs": [{"path": "/x"}] * 501},
        {"programs": [{"path": "relative"}]},
        {"programs": [{"path": "/nul\0"}]},
        {"programs": [{"path": "/" + "x" * 2000}]},
        {"programs": [{"path": "/x", "count": "many"}]},
        {"programs": [{"path": "/x", "first_seen": "yesterday"}]},
        {"programs": ["/x"]},
    ],
)
def test_what_is_no_profile_item_is_refused(connection, data):
    with pytest.raises(Hostile):
        profiles.apply(connection, SOURCE, Item("profile", {"image_digest": DIGEST, "programs": []} | data), NOW)


def test_a_profile_is_ready_when_it_has_learned_long_enough(connection):
    learn(connection, "/a")
    row = only(connection)
    assert not profiles.shown(row, NOW)["ready"]
    assert profiles.shown(row, format_time(SECONDS + 25 * 3600))["ready"]
    assert not profiles.shown(row, format_time(SECONDS + 25 * 3600), learning_hours=48)["ready"]
    profiles.set_mode(connection, row["id"], "monitor", user="ann", now=NOW)
    assert not profiles.shown(only(connection), format_time(SECONDS + 25 * 3600))["ready"]


def test_an_empty_profile_cannot_be_strict(connection):
    learn(connection)
    with pytest.raises(Refused, match="not learned"):
        profiles.set_mode(connection, only(connection)["id"], "protect", user="ann", now=NOW)


def test_only_a_burst_within_the_minute_lowers_a_profile(connection):
    learn(connection, "/a")
    profiles.set_mode(connection, only(connection)["id"], "protect", user="ann", now=NOW)

    def stop(number: int, at: float, result: str = "blocked") -> list[Any]:
        row = {"image_digest": DIGEST, "rule": "profile_violation", "result": result, "count": number}
        return profiles.violated(connection, [{**row, "last_seen": format_time(SECONDS + at)}], NOW)

    assert stop(20, 0) == []
    assert stop(15, 120) == []
    assert stop(500, 121, result="none") == []
    assert only(connection)["mode"] == "protect"
    ((profile, number),) = stop(6, 140)
    assert (profile["mode"], number, profile["updated_by"]) == ("monitor", 21, "seawall")
    assert stop(100, 141) == []
    profiles.set_mode(connection, profile["id"], "protect", user="ann", now=NOW)
    assert only(connection)["fallback_at"] is None


def test_the_plan_has_strict_profiles_and_one_for_all_others(connection):
    learn(connection, "/a")
    learn(connection, "/b", digest="sha256:" + "b" * 64)
    profiles.set_mode(connection, only(connection)["id"], "monitor", user="ann", now=NOW)
    assert policy.profiles(connection) == {
        "*": Profile("discover", frozenset()),
        DIGEST: Profile("monitor", frozenset({"/a"})),
    }
    policy.set_settings(connection, {"new_images": "off"}, "ann", NOW)
    assert policy.profiles(connection)["sha256:" + "b" * 64].mode == "discover"
    assert "*" not in policy.profiles(connection)


def wish(action: str = "isolate", **more: Any) -> dict[str, Any]:
    args = {"dry_run": False, "container": "c1"}
    return {"action": action, "args": args, "container_id": "c1", "container_name": "web", "target": "web", **more}


def job(row: dict[str, Any], state: str, **more: Any) -> dict[str, Any]:
    return {"id": "job_1", "agent_id": row["agent_id"], "args": {"response": row["id"]}, "state": state, **more}


def asked(connection: Connection, **more: Any) -> dict[str, Any]:
    return responses.ask(connection, SOURCE, wish(**more), user="ann", now=NOW)[0]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("the agent did not finish in time", "timeout"),
        ("the agent did not take the order in time", "timeout"),
        ("the agent went away", "agent_gone"),
        ("the agent was deleted", "agent_gone"),
        ("no such container", "failed"),
    ],
)
def test_a_response_that_ends_without_a_word_has_a_reason(connection, error, reason):
    row = asked(connection)
    responses.told(connection, job(row, "failed", error=error), NOW)
    found = responses.one(connection, row["id"])
    assert (found["state"], found["reason"], found["message"]) == ("failed", reason, error)
    assert responses.told(connection, job(row, "done"), NOW) == [], "an end is an end"


def test_another_agent_cannot_speak_of_a_response(connection):
    row = asked(connection)
    assert responses.told(connection, {**job(row, "done"), "agent_id": "other"}, NOW) == []
    assert responses.told(connection, {**job(row, "done"), "args": {}}, NOW) == []


def test_a_release_ends_an_isolation_also_when_it_was_not_its_undo(connection):
    row = asked(connection)
    responses.told(connection, job(row, "done", result={"result": "done"}), NOW)
    assert responses.shown(responses.one(connection, row["id"]))["undo"] == "release"
    release = asked(connection, action="release")
    responses.told(connection, job(release, "done", result={"result": "done"}), NOW)
    assert responses.one(connection, row["id"])["undone_by"] == release["id"]
    assert connection.execute(responses.in_force("isolate")).all() == []


def test_a_dry_run_is_never_in_force(connection):
    row = asked(connection, args={"dry_run": True, "container": "c1"})
    responses.told(connection, job(row, "done", result={"result": "none", "data": "x" * 20_000}), NOW)
    assert responses.one(connection, row["id"])["data"] == {"truncated": True}
    assert connection.execute(responses.in_force("isolate")).all() == []


def test_what_is_old_goes_and_what_is_in_force_stays(connection):
    old = asked(connection)
    responses.told(connection, job(old, "done"), NOW)
    gone = asked(connection, action="pause")
    responses.told(connection, job(gone, "failed", error="x"), NOW)
    waivers.count(connection, {"w": 3}, NOW)
    replays.begin(connection, [(SOURCE, True)], {"hours": 1, "rules": [], "errors": []}, user="ann", now=NOW)
    store.tidy(connection, SECONDS + 300 * 86400)
    left = [row["id"] for row in connection.execute(responses.listed()).mappings()]
    assert left == [old["id"]]
    for table in (tables.SILENCED, tables.RULE_TESTS, tables.RULE_TEST_NODES):
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
    assert connection.execute(select(func.count()).select_from(tables.AUDIT)).scalar_one() == 2


def test_counts_of_rules_come_with_or_without_the_rule(connection):
    row = {"id": "w1", "rules": ["one"], "fields": {}, "condition": "x", "owner": "o", "reason": "r"}
    rest = {"expires_at": None, "silenced": 0, "last_silenced": None, **policy.made("ann", NOW)}
    policy.add(connection, tables.WAIVERS, {**row, **rest}, 2, NOW)
    policy.add(connection, tables.WAIVERS, {**row, **rest, "id": "w2", "rules": []}, 2, NOW)
    with pytest.raises(Refused, match="2 already"):
        policy.add(connection, tables.WAIVERS, {**row, **rest, "id": "w3"}, 2, NOW)
    waivers.count(connection, {"w1": 2, "w2": {"two": 5, "three": -1}, "w9": True}, NOW)
    waivers.count(connection, {"w1": {"one": 1}}, NOW)
    assert waivers.silenced_by_rule(connection, NOW) == {"one": 3, "two": 5}
    assert waivers.silenced_by_rule(connection, format_time(SECONDS + 9 * 86400)) == {}
    assert waivers.count(connection, ["nonsense"], NOW) == []
