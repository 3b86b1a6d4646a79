"""The uplink over real TLS: alerts at once, nothing lost to a server that lies, stalls, refuses or goes away."""

import json
import threading
import time

import pytest

from peer import Peer
from seawall.agent import enrol, tls
from seawall.agent.backoff import Backoff
from seawall.agent.identity import Home
from seawall.agent.orders import Orders
from seawall.agent.problems import Problems
from seawall.agent.spool import Spool
from seawall.agent.uplink import Uplink, read_reply
from seawall.core.errors import Hostile


class Node:
    """One enrolled node: its spool and uplink, run by hand with `step` or in a thread."""

    def __init__(self, folder, peer):
        self.home = Home(folder / "node")
        identity = enrol.enrol(self.home, peer.url, "good-token", peer.authority.fingerprint, "host")
        self.gateway = tls.peer(identity.gateway)
        self.problems = Problems()
        self.spool = Spool(folder / "spool")
        self.replies, self.configs, self.orders = [], [], []
        self.uplink = Uplink(
            self.spool, self.dial, self.problems, on_reply=self.replies.append, on_config=self.configs.append
        )
        self.thread = None

    def dial(self):
        return tls.dial(self.gateway, self.home.context())

    def start(self):
        self.thread = threading.Thread(target=self.uplink.run)
        self.thread.start()

    def stop(self):
        self.uplink.stop()
        if self.thread:
            self.thread.join(10)
            assert not self.thread.is_alive()
        self.uplink.reconnect()
        self.spool.close()


@pytest.fixture
def peer(tmp_path):
    made = Peer(tmp_path / "server")
    yield made
    made.close()


@pytest.fixture
def node(tmp_path, peer):
    made = Node(tmp_path, peer)
    yield made
    made.stop()


def test_items_arrive_once_and_in_order(node, peer):
    for number in range(5):
        node.spool.put("alert", {"id": str(number)})
    assert node.uplink.step() > 0
    assert [alert["id"] for alert in peer.of("alert")] == list("01234")
    assert node.uplink.step() > 0
    assert len(peer.batches) == 1


def test_an_alert_leaves_within_50_ms(node, peer):
    peer.reply["interval"] = 60
    node.spool.put("heartbeat", {})
    node.start()
    peer.wait(lambda: peer.of("heartbeat"))
    time.sleep(0.3)
    delays = []
    for name in "abcdefghij":
        began = time.time()
        node.spool.put("alert", {"id": name})
        node.uplink.wake()
        peer.wait(lambda wanted=name: wanted in peer.stored_at)
        delays.append(peer.stored_at[name] - began)
        time.sleep(0.1)
    assert sorted(delays)[5] < 0.05, delays


def test_a_flood_of_alerts_shares_batches(node, peer):
    node.start()
    for number in range(300):
        node.spool.put("alert", {"id": str(number)})
        node.uplink.wake()
        time.sleep(0.001)
    peer.wait(lambda: len(peer.of("alert")) == 300)
    assert len(peer.batches) < 60


def test_a_lost_acknowledgement_does_not_store_twice(node, peer):
    """The server has stored the batch, the answer does not come: the same batch comes again under its number."""
    honest = peer._honest

    def forgetful(path, body):
        honest("POST", path, body)
        peer.lie = None
        return 500, b"{}"

    peer.lie = forgetful
    node.spool.put("alert", {"id": "a"})
    assert node.uplink.step() < 0
    node.spool.put("alert", {"id": "b"})
    assert node.uplink.step() > 0
    assert node.uplink.step() > 0
    assert [alert["id"] for alert in peer.of("alert")] == ["a", "b"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, b""),
        (200, b"<html>login</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"ack": true}'),
        (200, b'{"ack": "1"}'),
        (200, b'{"ack": 0}'),
        (200, b"[" * 100_000),
        (200, b'{"ack": 1, "x": "' + b"y" * (1 << 20) + b'"}'),
        (204, b""),
        (302, b""),
        (401, b"{}"),
        (403, b'{"error": "not welcome"}'),
        (404, b"{}"),
        (429, b"{}"),
        (500, b"\xff\xfe"),
        (503, b'{"error": {"deep": 1}}'),
    ],
)
def test_an_answer_that_is_none_costs_time_and_no_item(node, peer, status, said):
    peer.lie = lambda path, body: (status, said)
    node.spool.put("alert", {"id": "a"})
    assert node.uplink.step() < 0
    assert node.problems.texts()
    peer.lie = None
    assert node.uplink.step() > 0
    assert [alert["id"] for alert in peer.of("alert")] == ["a"]
    assert node.problems.texts() == []


def test_a_reply_out_of_bounds_is_bent_into_them():
    reply = read_reply({"ack": 3, "interval": -5, "max_items": 10**9, "shed": 77, "resync": "x", "orders": [1, {}]})
    assert (reply.interval, reply.max_items, reply.shed, reply.resync, reply.orders) == (0.2, 2000, 2, [], [{}])
    reply = read_reply({"ack": 3, "interval": float("nan"), "max_items": None, "shed": True, "config_version": None})
    assert (reply.interval, reply.max_items, reply.shed, reply.config_version) == (5.0, 500, 0, "")
    with pytest.raises(Hostile):
        read_reply({"interval": 5})


def test_an_item_that_is_refused_does_not_stop_the_others(node, peer):
    def picky(path, body):
        from seawall.core import envelope

        for place, item in enumerate(envelope.decode(body).items):
            if item.data.get("id") in ("2", "4"):
                return 422, json.dumps({"error": "bad item", "item": place}).encode()
        return None

    peer.lie = picky
    for number in range(6):
        node.spool.put("alert", {"id": str(number)})
    for _ in range(5):
        node.uplink.step()
    assert [alert["id"] for alert in peer.of("alert")] == ["0", "1", "3", "5"]
    assert node.spool.status()["dropped"] == {"alert": 2}
    assert "bad item" in node.problems.texts()[0]


def test_a_batch_too_large_is_halved(node, peer):
    peer.lie = lambda path, body: (413, b"{}") if len(body) > 1500 else None
    for number in range(40):
        node.spool.put("alert", {"id": str(number), "noise": Backoff.__module__ * number})
        node.spool.put("facts", {"noise": __import__("secrets").token_hex(200)})
    for _ in range(60):
        node.uplink.step()
    assert len(peer.of("alert")) == 40
    assert len(peer.of("facts")) == 40
    assert node.spool.status()["dropped"] == {}


def test_shed_levels_keep_what_matters(node, peer):
    peer.reply["shed"] = 2
    node.spool.put("alert", {"id": "1"})
    node.uplink.step()
    for kind in ("alert", "snapshot", "facts", "inventory", "order"):
        node.spool.put(kind, {"id": kind})
    node.uplink.step()
    assert {item.kind for item in peer.items} == {"alert", "order"}
    peer.reply["shed"] = 0
    node.spool.put("alert", {"id": "2"})
    node.uplink.step()
    node.uplink.step()
    assert {item.kind for item in peer.items} >= {"snapshot", "facts", "inventory"}


def test_a_configuration_is_fetched_once_per_version(node, peer):
    peer.config = {"version": "v1", "plan": {}}
    for number in range(3):
        node.spool.put("alert", {"id": str(number)})
        node.uplink.step()
    assert node.configs == [{"version": "v1", "plan": {}}]


def test_the_server_goes_away_and_comes_back(node, peer):
    node.start()
    node.spool.put("alert", {"id": "before"})
    node.uplink.wake()
    peer.wait(lambda: peer.of("alert"))
    peer.go_away()
    node.uplink.reconnect()
    for number in range(20):
        node.spool.put("alert", {"id": f"while-{number}"})
        node.uplink.wake()
    peer.wait(node.problems.texts)
    peer.come_back()
    peer.wait(lambda: len(peer.of("alert")) == 21, 20)
    peer.wait(lambda: not node.problems.texts())
    assert len({alert["id"] for alert in peer.of("alert")}) == 21


def test_a_server_that_closes_idle_connections_is_not_noticed(node, peer):
    node.spool.put("alert", {"id": "1"})
    node.uplink.step()
    node.uplink._connection.shutdown()
    node.spool.put("alert", {"id": "2"})
    assert node.uplink.step() > 0
    assert len(peer.of("alert")) == 2
    assert node.problems.texts() == []


def test_orders_arrive_within_a_second_and_once(node, peer):
    taken = []
    orders = Orders(node.dial, taken.append)
    thread = threading.Thread(target=orders.run)
    thread.start()
    try:
        order = {"id": "o1", "kind": "assets.refresh", "args": {"kinds": ["hosts"]}}
        time.sleep(0.5)
        began = time.monotonic()
        peer.orders = [order, "rubbish", {"id": 7}, {"id": "o2", "kind": "x", "args": []}]
        peer.wait(lambda: taken)
        assert time.monotonic() - began < 1.0
        peer.orders = [order]
        peer.wait(lambda: not peer.orders)
        time.sleep(0.2)
        assert taken == [order]
        peer.lie = lambda path, body: (200, b'{"orders": 7}')
        time.sleep(0.3)
        peer.lie = None
        peer.orders = [{**order, "id": "o3"}]
        peer.wait(lambda: len(taken) == 2)
    finally:
        orders.stop()
        thread.join(5)
    assert not thread.is_alive()


def test_the_poll_tells_of_another_configuration(node, peer):
    asked, has, others = [], ["v1"], []

    def told(path, body):
        asked.append(path)
        return 200, b'{"orders": [], "config_version": "v2"}'

    def fetch():
        others.append(has[0])
        has[0] = "v2"

    peer.lie = told
    orders = Orders(node.dial, lambda order: None, lambda: has[0], fetch)
    thread = threading.Thread(target=orders.run)
    thread.start()
    try:
        peer.wait(lambda: any(path.endswith("&config=v2") for path in asked))
    finally:
        orders.stop()
        thread.join(5)
    assert asked[0].endswith("&config=v1")
    assert others == ["v1"]


def test_backoff_doubles_to_its_bound_with_jitter():
    backoff = Backoff()
    waits = [backoff.failed() for _ in range(12)]
    assert 0.25 <= waits[0] <= 0.5
    assert all(30 <= wait <= 60 for wait in waits[8:])
    assert len(set(waits[8:])) > 1
    assert backoff.failed(asked=90) == 90
    assert backoff.failed(asked=10**9) == 300
    backoff.succeeded()
    assert backoff.failed() <= 0.5
