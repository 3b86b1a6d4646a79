"""Alerts on the server over a real SQLite: merging, life, what comes twice, what is none."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, func, select

from seawall.core.clock import format_time
from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.lists import Refused, Source
from seawall.runtime import load, store
from seawall.runtime.detect import alerts
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build

SOURCE = Source("agent-1", "host-1", "node-1")
NOW = format_time(1_100_000.0)


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        store.METADATA.create_all(connection)
        yield connection
    engine.dispose()


def alert(at: float = 0.0, count: int = 1, rule: str = "cron_written", **more):
    example = next(one for one in load.system().rules[rule].value["examples"] if one["fires"])
    events = build(example)
    events[-1].time += at
    found = [one for event in events for one in Engine(load.system_plan()).judge(event)]
    return alerts.record(found[-1]) | {"count": count} | more


def send(connection, data, now=NOW, source=SOURCE):
    return store.apply(connection, source, Item("alert", data), now)


def rows(connection):
    return [store.shown(row) for row in connection.execute(select(store.ALERTS)).mappings()]


def test_the_same_again_is_one_row(connection):
    (added,) = send(connection, alert())
    (changed,) = send(connection, alert(60, count=4))
    assert (added.type, changed.type) == ("alerts/add", "alerts/change")
    assert changed.payload["id"] == added.payload["id"]
    (row,) = rows(connection)
    assert row["count"] == 5
    assert row["first_seen"] == format_time(1_000_000.0)
    assert row["last_seen"] == format_time(1_000_060.0)
    assert row["container"]["name"] == "web"
    assert row["host_name"] == "node-1"


def test_one_sent_twice_counts_once(connection):
    again = alert()
    send(connection, again)
    assert send(connection, again) == []
    assert rows(connection)[0]["count"] == 1


def test_nodes_do_not_share_rows(connection):
    one = alert()
    send(connection, one)
    send(connection, alert(1, key=one["key"]), source=Source("agent-2", "host-2", "node-2"))
    assert len(rows(connection)) == 2


def test_a_late_one_counts_and_leaves_the_latest_in_place(connection):
    send(connection, alert(60, result="blocked"))
    send(connection, alert(0))
    (row,) = rows(connection)
    assert row["first_seen"] < row["last_seen"] == format_time(1_000_060.0)
    assert row["result"] == "blocked"


def mark(connection, state, at):
    (row,) = rows(connection)
    return store.mark(connection, [row["id"]], state, "seen", user="ann", now=format_time(1_000_000.0 + at))


def test_a_handled_one_that_happens_again_is_new(connection):
    send(connection, alert())
    (handled,) = mark(connection, "handled", 100)
    assert (handled["state"], handled["remark"], handled["handled_by"]) == ("handled", "seen", "ann")
    send(connection, alert(50))
    assert rows(connection)[0]["state"] == "handled", "this one happened before it was handled"
    send(connection, alert(200))
    (row,) = rows(connection)
    assert (row["state"], row["handled_by"], row["count"]) == ("new", "", 3)


def test_an_ignored_one_stays_ignored_and_counts(connection):
    send(connection, alert())
    mark(connection, "ignored", 100)
    send(connection, alert(200))
    (row,) = rows(connection)
    assert (row["state"], row["count"]) == ("ignored", 2)


def test_a_deleted_one_comes_back_only_when_it_happens_again(connection):
    first = alert()
    send(connection, first)
    assert store.remove(connection, [first["id"], "none"]) == [first["id"]]
    send(connection, first)
    assert rows(connection) == [], "sent again is not happened again"
    send(connection, alert(10))
    assert rows(connection)[0]["count"] == 1


def test_states_and_ids_are_checked(connection):
    with pytest.raises(Refused):
        store.mark(connection, ["x"], "gone", None, user="ann", now=NOW)
    with pytest.raises(Refused) as refused:
        store.one(connection, "none")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"severity": "awful"},
        {"category": "x"},
        {"result": "maybe"},
        {"id": ""},
        {"id": None},
        {"rule": 7},
        {"container": "web"},
        {"process": [1]},
        {"time": "yesterday", "first_seen": "", "last_seen": ""},
        {"last_seen": "x"},
        {"count": "many"},
        {"schema": "seawall.alert/9"},
        {"evidence": {"x": "y" * store.MAX_ALERT}},
    ],
)
def test_what_is_no_alert_is_refused(connection, wrong):
    with pytest.raises(Hostile):
        send(connection, alert() | wrong)
    assert rows(connection) == []


def test_missing_fields_are_refused(connection):
    for name in ("id", "rule", "severity", "category", "result", "title", "action"):
        data = alert()
        del data[name]
        with pytest.raises(Hostile):
            send(connection, data)


def test_a_clock_from_the_future_does_not_lead_the_list(connection):
    send(connection, alert(10_000_000))
    assert rows(connection)[0]["last_seen"] == NOW


def test_counts_and_overview(connection):
    send(connection, alert(rule="cron_written"))
    send(connection, alert(7200, count=3, rule="reverse_shell_socket"))
    send(connection, alert(7200, rule="shim_socket_used"))
    assert store.counts(connection) == {"critical": 2, "high": 1, "medium": 0, "low": 0, "info": 0}
    container = rows(connection)[0]["container"]["id"]
    assert store.counts(connection, container)["high"] == 1
    assert store.counts(connection, "other")["high"] == 0
    found = store.overview(connection, 1_007_200.0)
    assert found["categories"] == {"file_tampering": 1, "reverse_shell": 1, "escape": 1}
    assert len(found["trend"]) == 24
    assert found["trend"][-1]["critical"] == 4
    assert found["trend"][-3]["high"] == 1
    assert len(found["latest"]) == 3
    mark_all = [row["id"] for row in rows(connection)]
    store.mark(connection, mark_all, "handled", None, user="ann", now=NOW)
    assert sum(store.counts(connection).values()) == 0


def test_old_ids_and_hours_are_forgotten(connection):
    send(connection, alert())
    later = format_time(1_100_000.0 + 30 * 86400)
    send(connection, alert(30 * 86400, rule="preload_written"), now=later)
    assert connection.execute(select(func.count()).select_from(store.SEEN)).scalar_one() == 1
    assert connection.execute(select(func.count()).select_from(store.HOURS)).scalar_one() == 1
