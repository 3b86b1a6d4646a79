"""The store: deltas on their base, wholes that replace, images that hosts share, hosts that may not lie."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, select

from seawall.assets import store
from seawall.core.envelope import Item
from seawall.lists import Resync, Source

ONE, TWO = Source("agent-1", "host-1", "alpha"), Source("agent-2", "host-2", "beta")


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    store.METADATA.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _item(kind: str, base: str | None, hash: str, upsert: list[Any], remove: list[str] | None = None) -> Item:
    return Item("snapshot", {"kind": kind, "base": base, "hash": hash, "upsert": upsert, "remove": remove or []})


def _ids(connection: Connection, kind: str) -> set[str]:
    return set(connection.execute(select(store.KINDS[kind].table.c.id)).scalars())


def _container(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": "n" + id, "state": "running", "image": "i", "image_id": "s", "privileged": False, **more}


def test_a_delta_builds_on_its_base_only(connection: Connection) -> None:
    changes = store.apply(connection, ONE, _item("containers", None, "h1", [_container("a"), _container("b")]), "t1")
    assert [change.type for change in changes] == ["containers/change"] * 2
    with pytest.raises(Resync):
        store.apply(connection, ONE, _item("containers", "other", "h2", [_container("c")]), "t2")
    changes = store.apply(
        connection, ONE, _item("containers", "h1", "h2", [_container("a", state="exited")], ["b"]), "t2"
    )
    assert changes[-1].payload == {"id": "b", "removed": True}
    found = store.one(connection, "containers", "a")
    assert found is not None
    assert (found["state"], found["first_seen"], found["last_seen"], found["host_name"]) == (
        "exited",
        "t1",
        "t2",
        "alpha",
    )
    assert _ids(connection, "containers") == {"a"}


def test_a_whole_snapshot_replaces_this_hosts_and_no_others(connection: Connection) -> None:
    store.apply(
        connection, ONE, _item("processes", None, "h", [{"id": "1-1", "name": "x"}, {"id": "2-2", "name": "y"}]), "t"
    )
    store.apply(connection, TWO, _item("processes", None, "h", [{"id": "1-1", "name": "z"}]), "t")
    store.apply(connection, ONE, _item("processes", None, "g", [{"id": "2-2", "name": "y"}]), "t")
    assert _ids(connection, "processes") == {"host-1.2-2", "host-2.1-1"}


def test_an_image_lives_as_long_as_a_host_holds_it(connection: Connection) -> None:
    image = {"id": "sha256:1", "name": "a", "size": 5, "tags": ["a", "b"], "containers": 0, "layers": 1}
    for source in (ONE, TWO):
        store.apply(connection, source, _item("images", None, "h", [image]), "t")
    assert sorted(store.holders(connection, "sha256:1")) == ["agent-1", "agent-2"]
    store.apply(connection, ONE, _item("images", "h", "g", [], ["sha256:1"]), "t")
    assert _ids(connection, "images") == {"sha256:1"}
    changes = store.apply(connection, TWO, _item("images", None, "g", []), "t")
    assert _ids(connection, "images") == set()
    assert changes[0].payload["removed"]


@pytest.mark.parametrize(
    "item",
    [
        _item("containers", None, "h", [7]),
        _item("containers", None, "h", [{"name": "no id"}]),
        _item("containers", None, "h", [{"id": "x" * 999}]),
        _item("containers", None, "h", [_container("theirs")]),
        _item("hosts", None, "h", [{"id": "host-2", "name": "me"}]),
        _item("castles", None, "h", []),
        Item("snapshot", {"kind": "containers"}),
    ],
)
def test_rubbish_and_lies_are_refused(connection: Connection, item: Item) -> None:
    store.apply(connection, TWO, _item("containers", None, "h", [_container("theirs")]), "t")
    with pytest.raises((ValueError, KeyError, TypeError)):
        store.apply(connection, ONE, item, "t")


def test_counts(connection: Connection) -> None:
    store.apply(
        connection, ONE, _item("containers", None, "h", [_container("a"), _container("b", state="exited")]), "t"
    )
    assert store.counts(connection)["containers"] == {"running": 1, "total": 2}
    store.forget(connection, "agent-1")
    assert store.counts(connection)["containers"]["total"] == 0


def test_an_image_of_two_hosts_outlives_one_of_them(connection: Connection) -> None:
    image = {"id": "sha256:1", "name": "web:1"}
    for source in (ONE, TWO):
        store.apply(connection, source, _item("images", None, "h", [image]), "t1")
    assert store.apply(connection, TWO, _item("images", "h", "h2", [], ["sha256:1"]), "t2") == []
    store.apply(connection, TWO, _item("images", "h2", "h3", [image]), "t3")
    store.forget(connection, TWO.agent_id)
    assert _ids(connection, "images") == {"sha256:1"}
    assert store.holders(connection, "sha256:1") == [ONE.agent_id]
    changes = store.apply(connection, ONE, _item("images", "h", "h2", [], ["sha256:1"]), "t4")
    assert [change.payload for change in changes] == [{"id": "sha256:1", "removed": True}]
    assert _ids(connection, "images") == set()
