"""Indicators at rest: imports replace their own, people's entries stay, everything is bounded and ends in time."""

import sqlite3

import pytest

from seawall.core.errors import SeawallError
from seawall.intel import listed as module
from seawall.intel import packaged
from seawall.intel.listed import Listed, open_listed
from seawall.intel.model import Indicator
from seawall.intel.store import import_files

LIMITS = {"ip": 100, "net": 100, "domain": 100, "sha256": 100}
NOW = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def store(tmp_path):
    made = Listed(tmp_path / "indicators.db")
    yield made
    made.close()


def values(store, now=NOW, limits=LIMITS):
    return [row[1] for row in store.in_force(now, limits)]


def test_an_import_replaces_its_own_list(store):
    store.replace("a", [Indicator("ip", "45.9.148.7", "c2"), Indicator("domain", "evil.example", "c2")])
    store.replace("b", [Indicator("ip", "45.9.148.7", "tor")])
    before = store.revision()
    store.replace("a", [Indicator("ip", "45.9.148.8", "c2")])
    assert store.revision() > before
    assert sorted(values(store)) == ["45.9.148.7", "45.9.148.8"]
    assert store.drop("b") == 1
    assert values(store) == ["45.9.148.8"]


def test_peoples_entries_stay_and_come_first(store):
    store.replace("a", [Indicator("ip", "45.9.148.7", "c2", 99)])
    row = store.put("hxxp://45.9.148.9/x", "blocked", "ada", "seen in an attack")
    assert (row["type"], row["value"], row["own"], row["confidence"]) == ("ip", "45.9.148.9", True, 100)
    store.put("10.1.0.0/16", "allowed", "ada")
    store.put("45.9.148.9", "allowed", "bob")
    store.replace("user", [])
    assert values(store) == ["45.9.148.9", "45.9.148.7", "10.1.0.0/16"]
    assert store.get(row["id"])["kind"] == "allowed", "a second entry for the same takes its place"
    assert store.remove(row["id"])
    assert not store.remove(row["id"])
    imported = next(found for found in store.status()["sources"] if found["name"] == "a")
    assert imported["entries"] == 1


@pytest.mark.parametrize("odd", ["", "127.0.0.0/8", "0.0.0.0/0", "10.0.0.0/7", "nonsense", "::1"])
def test_what_nobody_may_block(store, odd):
    with pytest.raises(ValueError, match=r"."):
        store.put(odd, "blocked", "ada")
    with pytest.raises(ValueError, match="kind"):
        store.put("45.9.148.7", "evil", "ada")


def test_entries_end(store):
    store.replace(
        "a", [Indicator("ip", "45.9.148.7", expires="2026-02-01T00:00:00.000Z"), Indicator("ip", "45.9.148.8")]
    )
    assert store.next_end(NOW) == "2026-02-01T00:00:00.000Z"
    assert len(values(store)) == 2
    assert values(store, "2026-03-01T00:00:00.000Z") == ["45.9.148.8"]


def test_bounds(store, monkeypatch):
    monkeypatch.setattr(module, "MAX_TOTAL", 3)
    monkeypatch.setattr(module, "MAX_OWN", 1)
    many = [Indicator("ip", f"45.9.148.{n}", confidence=n) for n in range(5)]
    with pytest.raises(SeawallError, match="more than 3"):
        store.replace("a", many)
    assert values(store) == [], "nothing of a list that does not fit"
    store.replace("a", many[:3])
    assert values(store, limits={"ip": 2}) == ["45.9.148.2", "45.9.148.1"], "the most confident"
    store.put("45.9.148.9", "blocked", "ada")
    with pytest.raises(ValueError, match="import a list"):
        store.put("45.9.148.10", "blocked", "ada")


def test_the_packaged_ones_come_once(tmp_path):
    first = open_listed(tmp_path / "i.db")
    count, revision = first.status()["total"], first.revision()
    assert count == len(packaged.indicators())
    again = open_listed(tmp_path / "i.db")
    assert (again.status()["total"], again.revision()) == (count, revision)
    assert {"mining", "paste", "tunnel"} == set(again.status()["kinds"])
    assert all(one.about.startswith("https://") for one in packaged.indicators())


def test_a_file_of_another_sort_is_refused(tmp_path):
    (tmp_path / "i.db").write_bytes(b"something else, long enough to be no database" * 50)
    with pytest.raises(SeawallError, match="cannot use"):
        Listed(tmp_path / "i.db")


def test_importing_lists_alone_leaves_the_advisories_alone(tmp_path):
    (tmp_path / "c2.txt").write_text("45.9.148.7\n45.9.148.8\n???\n45.9.148.9\n45.9.148.10\n45.9.148.11\n")
    report = import_files(tmp_path / "intel.db", [tmp_path / "c2.txt"])
    assert (report.indicators, report.unread, report.advisories, report.records) == (5, 1, 0, {"list c2": 5})
    assert not (tmp_path / "intel.db").exists()
    rows = sqlite3.connect(tmp_path / "indicators.db")
    assert rows.execute("select count(*) from indicator where source = 'c2'").fetchone() == (5,)
    rows.close()
