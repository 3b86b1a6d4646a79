"""Decisions on findings: they stop to count without another scan, end by themselves, and are kept with their why."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inside import IMAGE, World, inventory, opened
from seawall.core import clock
from seawall.core.plain import to_plain
from seawall.core.severity import Severity
from seawall.images.model import Inventory, Package, Secret
from seawall.intel.store import import_files
from seawall.server import judging, rounds

KEY = Secret("aws", "AWS key", Severity.CRITICAL, "high", "AKIA…", "f1", path="app/env", layer=1)
OTHER = replace(KEY, path="app/other", fingerprint="f2")


def advisory(number: int) -> dict[str, Any]:
    affected = {"package": {"ecosystem": "PyPI", "name": f"p{number}"}}
    affected["ranges"] = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]  # type: ignore[assignment]
    return {"id": f"PYSEC-{number}", "modified": "2024-01-01T00:00:00Z", "affected": [affected]}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as made:
        feeds = []
        for number in range(25):
            feed = tmp_path / f"osv{number}.json"
            feed.write_text(json.dumps(advisory(number)))
            feeds.append(feed)
        import_files(made.parts.config.intel, feeds)
        job = made.client.post(f"/api/v1/images/{IMAGE}/scan").json()["id"]
        kind, data = inventory(job)
        whole = replace(
            msgspec.convert(data["inventory"], Inventory),
            packages=(Package("p1", "1.0", "pypi", "pkg:pypi/p1@1.0"), Package("p2", "1.0", "pypi", "pkg:pypi/p2@1.0")),
            secrets=(KEY, OTHER),
            checked={"secret": ""},
        )
        data["inventory"] = to_plain(whole)
        assert made.tell((kind, data), ("order", {"id": job, "state": "done"})).rejected == 0
        yield made


def judge(world: World) -> None:
    while judging.turn(world.parts):
        pass


def decide(world: World, code: int = 201, **wish: Any) -> Any:
    answer = world.client.post("/api/v1/image-ignores", json={"reason": "ticket 7", **wish})
    assert answer.status_code == code, answer.text
    judge(world)
    return answer.json()


def ids(world: World, path: str = "vulnerabilities") -> list[str]:
    return sorted(one["id"] for one in world.get(f"/images/{IMAGE}/{path}")["items"])


def test_an_ignored_vulnerability_does_not_count_until_it_does_again(world: World) -> None:
    judge(world)
    assert ids(world) == ["PYSEC-1", "PYSEC-2"]
    made = decide(world, ids=["PYSEC-1"])
    assert ids(world) == ["PYSEC-2"]
    kept = world.get(f"/images/{IMAGE}/suppressed")["items"]
    assert [one["id"] for one in kept] == ["PYSEC-1"]
    assert "ticket 7" in kept[0]["suppressed"]
    assert world.get(f"/images/{IMAGE}")["scan"]["suppressed"] == 1
    assert [one["id"] for one in world.get("/vulnerabilities")["items"]] == ["PYSEC-2"]
    assert world.client.delete(f"/api/v1/image-ignores/{made['id']}").status_code == 204
    judge(world)
    assert ids(world) == ["PYSEC-1", "PYSEC-2"]


def test_a_secret_by_its_place(world: World) -> None:
    decide(world, kind="secret", ids=["aws"], paths=["app/e*"])
    assert [one["path"] for one in world.get(f"/images/{IMAGE}/secrets")["items"]] == ["app/other"]
    assert [one["path"] for one in world.get(f"/images/{IMAGE}/secrets/suppressed")["items"]] == ["app/env"]
    assert world.get(f"/images/{IMAGE}")["scan"]["secrets"] == 1


def test_one_that_has_ended_counts_again_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(world, ids=["PYSEC-1"], until="2098-12-31")
    assert ids(world) == ["PYSEC-2"]
    later = "2099-01-02T00:00:00.000Z"
    monkeypatch.setattr("seawall.core.clock.now", lambda: later)
    rounds.tidy(world.parts, clock.parse_time(later))
    judge(world)
    assert ids(world) == ["PYSEC-1", "PYSEC-2"]


def test_a_vendors_document(world: World) -> None:
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "v", "timestamp": "2024-01-01T00:00:00Z",
        "version": 1, "statements": [{"vulnerability": {"name": "PYSEC-2"}, "status": "not_affected",
        "justification": "vulnerable_code_not_present", "products": [{"@id": "pkg:pypi/p2@1.0"}]}],
    }  # fmt: skip
    answer = world.client.post("/api/v1/image-ignores/vex?name=vendor.json", content=json.dumps(document))
    assert answer.status_code == 201, answer.text
    assert (answer.json()["name"], answer.json()["statements"]) == ("vendor.json", 1)
    judge(world)
    assert ids(world) == ["PYSEC-1"]
    assert world.client.post("/api/v1/image-ignores/vex", content=b"{}").status_code == 422


def test_what_makes_no_sense_is_refused(world: World) -> None:
    assert "everything" in decide(world, 422)["error"]
    assert "ended already" in decide(world, 422, ids=["a"], until="2020-01-01")["error"]
    assert "status" in decide(world, 422, ids=["a"], status="hidden")["error"]
    decide(world, 422, ids=["a"], reason="")


def test_a_preview_counts(world: World) -> None:
    judge(world)
    body = {"ids": ["PYSEC-1", "none"]}
    assert world.client.post("/api/v1/image-ignores/preview", json=body).json() == {"findings": 1, "images": 1}
    body = {"kind": "secret", "ids": ["aws"]}
    assert world.client.post("/api/v1/image-ignores/preview", json=body).json() == {"findings": 2, "images": 1}


@pytest.mark.parametrize("form", ["json", "sarif", "cyclonedx", "spdx", "junit", "html", "openvex", "csaf"])
def test_a_stored_scan_can_be_had_in_every_form(world: World, form: str) -> None:
    decide(world, ids=["PYSEC-1"])
    answer = world.client.get(f"/api/v1/images/{IMAGE}/report?format={form}")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    if form in ("json", "sarif", "cyclonedx"):
        assert "PYSEC-2" in answer.text
    if form == "json":
        found = answer.json()
        assert [one["id"] for one in found["vulnerabilities"]] == ["PYSEC-2"]
        assert len(found["secrets"]) == 2


def test_a_report_of_nothing_is_refused(world: World) -> None:
    assert world.client.get("/api/v1/images/sha256:none/report").status_code == 404
    assert world.client.get(f"/api/v1/images/{IMAGE}/report?format=pdf").status_code == 422
