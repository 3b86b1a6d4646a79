"""Indicators from the API to the plan that agents get: added, listed, in force, gone again, not too often."""

import pytest

from inside import opened
from seawall.runtime import plan
from seawall.runtime.detect.indicators import Indicators as Lookup
from seawall.server import indicators
from seawall.server.indicators import GAP_SECONDS, Indicators


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(indicators, "GAP_SECONDS", 0)
    with opened(tmp_path) as made:
        yield made


def test_from_the_api_to_the_plan(world):
    client, plans = world.client, world.parts.plans
    before = plans.version()
    added = client.post("/api/v1/indicators", json={"value": "198.51.100.7", "kind": "c2", "about": "seen"})
    assert added.status_code == 201, added.text
    row = added.json()
    assert (row["type"], row["own"], row["created_by"], row["expires_at"]) == ("ip", True, "token:test", None)
    assert plans.due()
    plans.refresh()
    assert plans.version() != before
    lists = Lookup(plan.decode(plans.current()["plan"]).indicators)
    assert lists.address("198.51.100.7").kind == "c2"
    assert lists.domain("eu.pool.supportxmr.com").kind == "mining", "packaged"
    assert plans.state()["indicators"]["left_out"] == 0
    assert not plans.due()
    listed = world.get("/indicators?own=true")
    assert [one["value"] for one in listed["items"]] == ["198.51.100.7"]
    assert world.get("/indicators?kind=mining&sort=value&q=pool")["total"] > 3
    assert client.delete(f"/api/v1/indicators/{row['id']}").status_code == 204
    assert client.delete(f"/api/v1/indicators/{row['id']}").status_code == 404
    plans.refresh()
    assert Lookup(plan.decode(plans.current()["plan"]).indicators).address("198.51.100.7") is None


def test_what_is_allowed_goes_before_every_list(world):
    plans = world.parts.plans
    assert (
        world.client.post("/api/v1/indicators", json={"value": "pool.supportxmr.com", "kind": "allowed"}).status_code
        == 201
    )
    plans.refresh()
    lists = Lookup(plan.decode(plans.current()["plan"]).indicators)
    assert lists.domain("eu.pool.supportxmr.com") is None
    assert lists.domain("www.supportxmr.com").kind == "mining"


def test_refusals(world):
    post = world.client.post
    for body in (
        {"value": "nonsense"}, {"value": "127.0.0.1"}, {"value": "1.2.3.4", "kind": "x"},
        {"value": "1.2.3.4", "expires_at": "no"},
        {"value": "1.2.3.4", "expires_at": "2001-01-01T00:00:00Z"}, {}, {"value": "1.2.3.4", "own": True},
    ):  # fmt: skip
        assert post("/api/v1/indicators", json=body).status_code == 422, body
    imported = world.get("/indicators?source=seawall&limit=1")["items"][0]
    refused = world.client.delete(f"/api/v1/indicators/{imported['id']}")
    assert refused.status_code == 409
    assert "allowed" in refused.json()["hint"]
    assert world.client.delete("/api/v1/indicators/sources/seawall").json()["removed"] > 10
    assert world.client.delete("/api/v1/indicators/sources/seawall").status_code == 404
    assert world.get("/intel/status")["indicators"]["total"] == 0


def test_viewers_look_only(tmp_path):
    with opened(tmp_path, "viewer") as world:
        assert world.get("/indicators")["total"] > 10
        assert world.client.post("/api/v1/indicators", json={"value": "1.2.3.4"}).status_code == 403


def test_changes_are_gathered(tmp_path):
    with opened(tmp_path) as world:
        listed, at = world.parts.listed, [1000.0]
        kept = Indicators(listed, lambda: at[0])
        assert kept.due()
        kept.packed()
        listed.put("45.9.148.7", "blocked", "ada")
        assert not kept.due()
        at[0] += GAP_SECONDS
        assert kept.due()
        assert kept.packed()["count"] == kept.summary()["count"] > 10


def test_a_list_is_brought_replaced_and_removed(world):
    post = world.client.post
    text = "# Botnet C2\n45.9.148.7\n45.9.148.9\nworse.example\nevil.example\nnot an indicator\n45.9.149.0/24\n"
    brought = post("/api/v1/indicators/lists", json={"name": "our-c2.txt", "text": text})
    assert brought.status_code == 201, brought.text
    assert brought.json() == {"lists": [{"name": "our-c2", "entries": 5}], "entries": 5, "unread": 1}
    rows = world.get("/indicators?source=our-c2")["items"]
    assert {(row["value"], row["kind"], row["own"]) for row in rows} == {
        ("45.9.148.7", "c2", False),
        ("evil.example", "c2", False),
        ("45.9.149.0/24", "c2", False),
        ("45.9.148.9", "c2", False),
        ("worse.example", "c2", False),
    }
    shorter = {"name": "our-c2.txt", "text": "45.9.148.8\n45.9.148.9\n45.9.148.8\n"}
    assert post("/api/v1/indicators/lists", json=shorter).json()["entries"] == 2
    assert world.get("/indicators?source=our-c2")["total"] == 2
    assert world.client.delete("/api/v1/indicators/sources/our-c2").json() == {"removed": 2}


def test_what_is_no_list_is_refused_with_what_would_be(world):
    post = world.client.post
    for name, text in (("x.txt", "hello world\n"), ("a/b.txt", "45.9.148.7\n"), ("x.json", '{"a":'), ("", "x")):
        refused = post("/api/v1/indicators/lists", json={"name": name, "text": text})
        assert refused.status_code == 422, (name, refused.text)
    kev = (
        '{"title": "k", "catalogVersion": "1", "vulnerabilities": [{"cveID": "CVE-2024-1", "dateAdded": "2024-01-01"}]}'
    )
    assert post("/api/v1/indicators/lists", json={"name": "kev.json", "text": kev}).status_code == 422
    mine = {"name": "user.txt", "text": "45.9.148.7\n45.9.148.8\n45.9.148.9\n"}
    assert post("/api/v1/indicators/lists", json=mine).status_code == 422
