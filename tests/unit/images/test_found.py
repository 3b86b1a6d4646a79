"""What analysers found comes with an inventory, keeps its first sight, and is never clean unless looked for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inside import IMAGE, World, inventory, opened
from seawall.core.plain import to_plain
from seawall.core.severity import Severity
from seawall.images import store
from seawall.images.model import Inventory, Malware, Package, Risk, Secret

KEY = Secret("aws", "AWS key", Severity.CRITICAL, "high", "AKIA…", "f1", path="app/env", layer=1, deleted=True)
WORM = Malware("worm", "bot", "malicious", Severity.CRITICAL, "a worm", "a" * 64, 10, "elf", path="bin/x", layer=0)
ROOT = Risk("SW-IMG-001", "Runs as root", Severity.MEDIUM, evidence="USER is not set")
CHECKED = {"package": "", "secret": "", "malware": "", "config": ""}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as made:
        yield made


def scan(world: World, **more: Any) -> str:
    job = world.client.post(f"/api/v1/images/{IMAGE}/scan").json()["id"]
    kind, data = inventory(job)
    data["inventory"] = to_plain(replace(msgspec.convert(data["inventory"], Inventory), **more))
    assert world.tell((kind, data), ("order", {"id": job, "state": "done"})).rejected == 0
    return str(job)


def test_findings_are_listed_by_image_and_over_all(world: World) -> None:
    job = scan(world, secrets=(KEY,), malware=(WORM,), risks=(ROOT,), checked=CHECKED)
    found = world.get(f"/images/{IMAGE}/secrets")["items"][0]
    assert (found["rule"], found["shown"], found["path"], found["deleted"]) == ("aws", "AKIA…", "app/env", True)
    assert world.get("/malware?q=worm")["items"][0]["image_id"] == IMAGE
    assert world.get(f"/images/{IMAGE}/misconfigurations")["items"][0]["check"] == "SW-IMG-001"
    shown = world.get(f"/images/{IMAGE}")["scan"]
    assert (shown["secrets"], shown["malware"], shown["config"]) == (1, 1, 1)
    with world.parts.database.reading() as connection:
        loaded = store.load(connection, IMAGE, job)
    assert loaded is not None
    assert (loaded.secrets, loaded.malware, loaded.risks) == ((KEY,), (WORM,), (ROOT,))


def test_what_was_not_looked_for_is_refused_with_the_reason(world: World) -> None:
    scan(world, checked={"package": "", "secret": "", "malware": "yara-x is not installed here"})
    assert world.get(f"/images/{IMAGE}/secrets")["total"] == 0
    assert "yara-x" in world.get(f"/images/{IMAGE}/malware", 409)["error"]
    assert "did not look" in world.get(f"/images/{IMAGE}/misconfigurations", 409)["error"]
    shown = world.get(f"/images/{IMAGE}")["scan"]
    assert (shown["secrets"], shown["malware"], shown["config"]) == (0, None, None)


def test_a_new_scan_takes_the_place_and_keeps_the_first_sight(world: World) -> None:
    scan(world, secrets=(KEY, replace(KEY, path="gone")), checked=CHECKED)
    before = {one["path"]: one["first_seen"] for one in world.get("/secrets")["items"]}
    scan(world, secrets=(KEY, replace(KEY, path="new")), checked=CHECKED)
    after = {one["path"]: one["first_seen"] for one in world.get("/secrets")["items"]}
    assert set(after) == {"app/env", "new"}
    assert after["app/env"] == before["app/env"]


def test_what_is_no_finding_is_rejected(world: World) -> None:
    job = world.client.post(f"/api/v1/images/{IMAGE}/scan").json()["id"]
    kind, data = inventory(job)
    data["inventory"]["secrets"] = [{"rule": 1}]
    assert world.tell((kind, data)).rejected == 1
    assert world.get("/secrets")["total"] == 0


def test_more_of_a_package_is_kept(world: World) -> None:
    fields = {name: "x" for name in Package.__dataclass_fields__ if name in ("vendor", "module", "evidence")}
    package = Package("a", "1", "rpm", "pkg:rpm/a@1", **fields)
    job = scan(world, packages=(package,))
    with world.parts.database.reading() as connection:
        loaded = store.load(connection, IMAGE, job)
    assert loaded is not None
    assert loaded.packages == (package,)
