"""The room over HTTP behind the real door: who holds an image, what is not checked, what other rooms add."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inside import IMAGE, OTHER, World, inventory, opened, whole
from seawall.core import clock
from seawall.core.severity import Severity
from seawall.images import verdicts
from seawall.images.model import Judgement, Vulnerability
from seawall.lists import Change
from seawall.server import agents, judging


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with opened(tmp_path, getattr(request, "param", "operator")) as made:
        yield made


def judge(
    world: World, image: str, job: str, *findings: Vulnerability, unchecked: frozenset[str] = frozenset()
) -> None:
    verdict = Judgement(findings, unchecked)
    world.parts.database.write(
        lambda connection: (None, verdicts.judged(connection, image, job, verdict, version="k", now=clock.now()))
    )


def finding(package: str, cve: str, severity: Severity, **more: Any) -> Vulnerability:
    values = {"fixed": "", "status": "affected", "score": None, "kev": False} | more
    return Vulnerability(
        id=cve, aliases=(), package=package, installed="1.0", severity=severity, cvss="", epss=None,
        title=f"about {cve}", url="https://x", source="debian", purl=f"pkg:deb/debian/{package}@1.0", path="status",
        layer=0, **values,
    )  # fmt: skip


def test_an_order_goes_to_an_online_agent_that_holds_the_image(world: World) -> None:
    answer = world.client.post(f"/api/v1/images/{IMAGE}/scan")
    assert answer.status_code == 202
    job = answer.json()
    assert (job["agent_id"], job["kind"], job["target"]) == (world.agent, "image.inventory", "web:1")
    assert job["args"] == {"image_id": IMAGE, "name": "web:1"}
    assert world.client.post(f"/api/v1/images/{IMAGE}/scan").json()["id"] == job["id"], "one at a time"
    assert world.get(f"/images/{IMAGE}")["scan"]["state"] == "waiting"
    assert world.get(f"/images/{OTHER}")["scan"] is None
    assert world.client.post("/api/v1/images/sha256:none/scan").status_code == 404
    world.parts.database.write(lambda connection: (None, agents.set_state(connection, world.agent, "offline")))
    refused = world.client.post(f"/api/v1/images/{OTHER}/scan")
    assert refused.status_code == 409
    assert "web" not in refused.json()["error"]
    assert "db:1" in refused.json()["error"]


def test_never_scanned_and_never_judged_are_not_clean(world: World) -> None:
    for path in ("inventory", "packages", "vulnerabilities"):
        assert "never scanned" in world.get(f"/images/{IMAGE}/{path}", 404)["error"]
    world.scan()
    assert world.get(f"/images/{IMAGE}/packages")["total"] == 3
    assert world.get(f"/images/{IMAGE}/packages")["items"][0]["checked"] is None
    refused = world.get(f"/images/{IMAGE}/vulnerabilities", 409)
    assert "not checked" in refused["error"]
    scan = world.get(f"/images/{IMAGE}/inventory")["scan"]
    assert (scan["judged"], scan["vulnerabilities"]) == (False, None)
    overview = world.get("/overview")
    assert (overview["images"]["scanned"], overview["images"]["not_checked"]) == (1, 1)
    assert overview["intel"] == {"advisories": 0, "kev": 0, "age_days": None}
    assert overview["assets"]["containers"] == {"running": 1, "total": 1}


def test_a_verdict_shows_everywhere(world: World) -> None:
    job = world.scan()
    findings = [
        finding("a", "CVE-1", Severity.CRITICAL, kev=True, fixed="2.0", score=9.8),
        finding("b", "CVE-1", Severity.HIGH, score=9.8),
        finding("b", "CVE-2", Severity.LOW),
    ]
    judge(world, IMAGE, job["id"], *findings, unchecked=frozenset({"pkg:deb/debian/c@1.0"}))
    listed = world.get(f"/images/{IMAGE}/vulnerabilities")
    assert [row["severity"] for row in listed["items"]] == ["critical", "high", "low"]
    assert [(row["id"], row["package"]) for row in listed["items"]] == [("CVE-1", "a"), ("CVE-1", "b"), ("CVE-2", "b")]
    assert world.get(f"/images/{IMAGE}/vulnerabilities?severity=critical,low")["total"] == 2
    assert world.get(f"/images/{IMAGE}/vulnerabilities?kev=true&fixable=true")["total"] == 1
    packages = {row["name"]: row for row in world.get(f"/images/{IMAGE}/packages?sort=-severity")["items"]}
    assert (packages["a"]["severity"], packages["b"]["vulnerabilities"], packages["c"]["checked"]) == (
        "critical",
        2,
        False,
    )

    rows = {row["name"]: row["scan"] for row in world.get("/images?sort=-critical")["items"]}
    assert list(rows) == ["web:1", "db:1"], "what is unknown comes last"
    assert rows["db:1"] is None
    assert rows["web:1"]["vulnerabilities"] == {
        "critical": 1,
        "high": 1,
        "medium": 0,
        "low": 1,
        "unknown": 0,
        "info": 0,
    }
    assert (rows["web:1"]["state"], rows["web:1"]["kev"], rows["web:1"]["unchecked"]) == ("done", 1, 1)
    assert world.get("/images?judged=true")["total"] == 1
    assert world.get("/images?sort=critical&limit=1")["next"]
    assert world.get("/containers/c1")["image_scan"]["vulnerabilities"]["critical"] == 1

    by_cve = world.get("/vulnerabilities")["items"]
    assert [row["id"] for row in by_cve] == ["CVE-1", "CVE-2"]
    assert by_cve[0] == {
        "id": "CVE-1", "severity": "critical", "score": 9.8, "title": "about CVE-1", "url": "https://x", "images": 1,
        "containers": 1, "kev": True, "fixed": True, "packages": ["a", "b"], "first_seen": by_cve[0]["first_seen"],
        "risk": 0, "poc": False, "epss": None,
    }  # fmt: skip
    assert world.get("/vulnerabilities?severity=low")["items"][0]["id"] == "CVE-2"
    assert world.get("/vulnerabilities?kev=true")["total"] == 1
    assert world.get("/vulnerabilities?q=CVE-2")["total"] == 1

    where = world.get("/vulnerabilities/CVE-1/images?sort=-severity")["items"]
    assert [(row["image_id"], row["name"], row["package"], row["containers"]) for row in where] == [
        (IMAGE, "web:1", "a", 1),
        (IMAGE, "web:1", "b", 1),
    ]

    other = world.scan(OTHER)
    judge(world, OTHER, other["id"], finding("a", "CVE-1", Severity.HIGH))
    (first,) = world.get("/vulnerabilities?id=CVE-1")["items"]
    assert (first["images"], first["containers"]) == (2, 1)
    world.tell(("snapshot", whole("images", [{"id": OTHER, "name": "db:1"}])))
    judging.turn(world.parts)
    (first,) = world.get("/vulnerabilities?id=CVE-1")["items"]
    assert (first["images"], first["severity"]) == (1, "high"), "an image that no host holds any more does not count"


def test_nobody_speaks_of_an_image_unasked(world: World) -> None:
    job = world.client.post(f"/api/v1/images/{IMAGE}/scan").json()
    for lie in (inventory("job_unknown"), inventory(job["id"], OTHER)):
        assert world.tell(lie).rejected == 1
    assert world.get("/images?judged=true")["total"] == 0
    world.get(f"/images/{OTHER}/inventory", 404)


def test_done_without_an_inventory_is_failed(world: World) -> None:
    job = world.client.post(f"/api/v1/images/{IMAGE}/scan").json()
    rubbish = (
        "inventory",
        {"order": job["id"], "image_id": IMAGE, "part": 1, "parts": 1, "inventory": {"packages": 3}},
    )
    assert world.tell(rubbish, ("order", {"id": job["id"], "state": "done"})).rejected == 1
    found = world.get(f"/jobs/{job['id']}")
    assert (found["state"], bool(found["error"])) == ("failed", True)
    scan = world.get(f"/images/{IMAGE}")["scan"]
    assert (scan["state"], scan["scanned_at"], scan["vulnerabilities"]) == ("failed", None, None)
    assert scan["error"] == found["error"]


def test_consoles_hear_of_scans(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Change] = []
    monkeypatch.setattr(world.parts.database, "_publish", heard.extend)
    world.scan()
    (change,) = [one for one in heard if one.type == "images/change"]
    assert change.payload["id"] == IMAGE
    assert change.payload["scan"]["scanned_at"]
    assert {one.payload["state"] for one in heard if one.type == "jobs/change"} == {"waiting", "done"}


@pytest.mark.parametrize("world", ["admin"], indirect=True)
def test_a_deleted_agent_takes_its_assets_along(world: World) -> None:
    job = world.scan()
    judge(world, IMAGE, job["id"], finding("a", "CVE-1", Severity.HIGH))
    assert world.client.delete(f"/api/v1/agents/{world.agent}").status_code == 204
    judging.turn(world.parts)
    assert [world.get(path)["total"] for path in ("/images", "/containers", "/vulnerabilities")] == [0, 0, 0]


@pytest.mark.parametrize("world", ["viewer"], indirect=True)
def test_who_only_looks_orders_nothing(world: World) -> None:
    assert world.client.post(f"/api/v1/images/{IMAGE}/scan").status_code == 403
    assert world.get("/jobs")["total"] == 0
