"""Snapshots leave as chains of deltas that lead the server to the same whole."""

import random

from seawall.agent.snapshots import PIECE, Snapshots
from seawall.core.delta import take


class Server:
    """Holds what wire.md says a server holds."""

    def __init__(self):
        self.rows, self.hash = {}, None

    def take(self, item):
        assert len(item["upsert"]) <= PIECE
        if item["base"] is None:
            self.rows = {}
        else:
            assert item["base"] == self.hash
        for key in item["remove"]:
            del self.rows[key]
        self.rows |= {record["id"]: record for record in item["upsert"]}
        self.hash = item["hash"]
        assert take(self.rows.values())[0].hash == self.hash


def records(*numbers, mark=0):
    return [{"id": str(number), "mark": mark} for number in numbers]


def test_nothing_new_costs_nothing():
    snapshots = Snapshots()
    assert len(list(snapshots.changes("ports", records(1, 2)))) == 1
    assert list(snapshots.changes("ports", records(2, 1))) == []


def test_an_empty_node_is_told_once():
    snapshots, server = Snapshots(), Server()
    [item] = snapshots.changes("ports", [])
    server.take(item)
    assert (item["base"], server.rows) == (None, {})
    assert list(snapshots.changes("ports", [])) == []


def test_a_large_snapshot_is_a_chain():
    snapshots, server = Snapshots(), Server()
    items = list(snapshots.changes("processes", records(*range(PIECE * 2 + 5))))
    assert [len(item["upsert"]) for item in items] == [PIECE, PIECE, 5]
    for item in items:
        server.take(item)


def test_a_random_walk_ends_equal():
    chance = random.Random(5)
    snapshots, server = Snapshots(), Server()
    for turn in range(60):
        now = [
            {"id": str(number), "mark": chance.randrange(3)}
            for number in chance.sample(range(2000), chance.choice([0, 3, 900, 1900]))
        ]
        if turn % 7 == 0:
            snapshots.forget("processes")
        for item in snapshots.changes("processes", now):
            server.take(item)
        assert server.rows == {record["id"]: record for record in now}
