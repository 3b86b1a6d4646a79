"""Facts in, results out, in a real database; lies are refused, waivers come and go."""

import pytest
from sqlalchemy import create_engine, func, select

from seawall.baseline import store
from seawall.baseline.model import Asset, Fact, Facts
from seawall.baseline.normalise import plain
from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.lists import Refused, Source
from unit.baseline.test_checks import GOOD_CONTAINER, GOOD_HOST

SOURCE = Source("agent-1", "host-1", "node-1")
NOW, LATER, MUCH_LATER = (f"2026-01-0{day}T00:00:00.000Z" for day in (1, 2, 9))
WEB = "c" * 64
ASSET = {"kind": "container", "id": WEB, "name": "web", "host": "host-1"}


@pytest.fixture
def connection():
    engine = create_engine("sqlite://")
    store.METADATA.create_all(engine)
    with engine.begin() as made:
        yield made
    engine.dispose()


def send(connection, kind="container", *, id=WEB, now=NOW, source=SOURCE, host="host-1", **changes):
    good = GOOD_CONTAINER if kind == "container" else GOOD_HOST
    known = {name: Fact(value, "test") for name, value in (good | changes).items()}
    return store.apply(connection, source, Item("facts", plain(Facts(Asset(kind, id, "web", host), known, now))), now)


def outcomes(connection, check="docker-5.5"):
    rows = connection.execute(
        select(store.RESULTS.c.outcome, store.RESULTS.c.since).where(store.RESULTS.c.check == check)
    )
    return [tuple(row) for row in rows]


def test_facts_become_results(connection):
    send(connection)
    send(connection, "docker_host", id="docker:host-1")
    (row,) = store.summary(connection, 0.0)
    assert (row["state"], row["assets"], row["counts"]["fail"]) == ("done", 2, 0)
    assert row["rate"] == 1.0


def test_a_benchmark_that_never_ran_says_so(connection):
    (row,) = store.summary(connection, 0.0)
    assert (row["state"], row["rate"], row["last_run"]) == ("never", None, None)


def test_since_is_kept_while_the_outcome_is(connection):
    send(connection, privileged=True)
    send(connection, privileged=True, now=LATER)
    assert outcomes(connection) == [("fail", NOW)]
    send(connection, now=MUCH_LATER)
    assert outcomes(connection) == [("pass", MUCH_LATER)]


def test_a_whole_collection_removes_what_is_gone(connection):
    send(connection)
    send(connection, id="d" * 64)
    (change,) = store.apply(connection, SOURCE, Item("facts", {"run": "r", "complete": True, "assets": [WEB]}), NOW)
    assert change.type == "baselines/change"
    assert connection.execute(select(func.count()).select_from(store.FACTS)).scalar() == 1
    assert len(outcomes(connection)) == 1


def test_a_run_is_running_until_its_end_comes(connection):
    store.start(connection, "r", "docker", [SOURCE], "admin")
    from time import time

    assert store.summary(connection, time())[0]["state"] == "running"
    assert store.summary(connection, time() + 10_000)[0]["state"] == "never"
    store.apply(connection, SOURCE, Item("facts", {"run": "r", "complete": True, "assets": []}), NOW)
    assert store.summary(connection, time())[0]["state"] == "never"


def test_a_host_speaks_for_itself_only(connection):
    with pytest.raises(Hostile, match="may not speak"):
        send(connection, host="host-2")


def test_a_container_that_another_host_claims_stays_where_it_was(connection):
    send(connection, privileged=True)
    send(connection, source=Source("agent-2", "host-2", "node-2"), host="host-2")
    assert sorted(outcome for outcome, _ in outcomes(connection)) == ["fail", "pass"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"asset": {}, "facts": {}},
        {"asset": {"kind": "container", "id": 1, "name": "a", "host": "h"}, "facts": {}},
        {"asset": {"kind": "toaster", "id": "1", "name": "a", "host": "host-1"}, "facts": {}},
        {"asset": {"kind": "container", "id": "1", "name": "a", "host": "host-1"}, "facts": {"x": 1}},
        {
            "asset": {"kind": "container", "id": "1", "name": "a", "host": "host-1"},
            "facts": {str(n): {} for n in range(999)},
        },
        {"complete": True, "assets": "all"},
    ],
)
def test_rubbish_is_refused(connection, data):
    with pytest.raises(Hostile):
        store.apply(connection, SOURCE, Item("facts", data), NOW)


def test_a_waiver_holds_until_it_is_taken_back(connection):
    send(connection, privileged=True)
    waiver = store.new_waiver("docker-5.5", {"name": "web"}, "ops", "agreed", MUCH_LATER)
    store.waive(connection, waiver, "admin", LATER)
    assert outcomes(connection) == [("waived", LATER)]
    assert store.ended(connection, LATER) == []
    store.unwaive(connection, waiver.id, LATER)
    assert outcomes(connection)[0][0] == "fail"
    with pytest.raises(Refused):
        store.unwaive(connection, waiver.id, LATER)


def test_a_waiver_that_ends_is_noticed(connection):
    send(connection, privileged=True)
    store.waive(connection, store.new_waiver("docker-5.5", {}, "ops", "agreed", LATER), "admin", NOW)
    assert store.ended(connection, MUCH_LATER) == ["docker-5.5"]
    store.judge_again(connection, "docker-5.5", MUCH_LATER)
    assert outcomes(connection)[0][0] == "fail"


def test_one_waiver_ends_while_another_holds(connection):
    """What stands for the other is not judged again and again."""
    send(connection, privileged=True)
    store.waive(connection, store.new_waiver("docker-5.5", {}, "ops", "agreed", LATER), "admin", NOW)
    store.waive(
        connection, store.new_waiver("docker-5.5", {}, "ops", "for longer", "2026-03-01T00:00:00.000Z"), "a", NOW
    )
    assert store.ended(connection, MUCH_LATER) == ["docker-5.5"]
    store.judge_again(connection, "docker-5.5", MUCH_LATER)
    assert outcomes(connection)[0][0] == "waived"
    assert store.ended(connection, MUCH_LATER) == []


def test_a_deleted_agent_takes_its_rows_along(connection):
    send(connection)
    store.forget(connection, "agent-1")
    assert outcomes(connection) == []
