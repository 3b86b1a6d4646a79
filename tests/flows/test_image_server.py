"""From "Scan now" to findings with a real server, a real agent and a real image; newer advisories judge it again."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import docker_cli
from seawall.agent import resident
from seawall.core.ids import new_id
from seawall.node.docker import Docker
from serving import Enrolled, Served, alert

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]
NAME = "seawall-server-alpine:3.11"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("server")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def admin(served: Served) -> str:
    return served.command("token", "create", "test-admin", "--role", "admin")


@pytest.fixture(scope="module")
def image(dockerd: Docker, data: Path) -> Iterator[str]:
    """An image of our own over the real layers of Alpine 3.11; its id."""
    said = docker_cli("load", "-i", str(data / "images" / "alpine-311.tar.gz"))
    container = docker_cli("create", said.split()[-1], "true")
    docker_cli("commit", "--change", f"LABEL of={new_id()}", container, NAME)
    docker_cli("rm", container)
    yield docker_cli("image", "inspect", "--format", "{{.Id}}", NAME)
    docker_cli("rmi", "-f", NAME)


@pytest.fixture(scope="module")
def agent(served: Served, admin: str, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The resident agent of this host."""
    state = tmp_path_factory.mktemp("node")
    status, made, _ = served.call("POST", "/api/v1/agents/enrolment-tokens", {}, admin)
    assert status == 201
    fingerprint = made["command"].rsplit(" ", 1)[-1]
    words = ["--server", f"https://127.0.0.1:{served.port}", "--token", made["token"], "--ca-fingerprint", fingerprint]
    command = [sys.executable, "-m", "seawall", "agent", "enroll", *words, "--state", str(state)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    with (state / "agent.log").open("wb") as log:
        process = subprocess.Popen(resident.command(state), env=resident.environment(state), stderr=log)
    yield state
    process.terminate()
    process.wait(20)


def bring(served: Served, *feeds: Path) -> None:
    command = [sys.executable, "-m", "seawall", "intel", "import", "--db", str(served.state / "intel.db")]
    subprocess.run([*command, *map(str, feeds)], check=True, timeout=120, capture_output=True)


def news(folder: Path, cve: str, package: str, fixed: str) -> Path:
    """An advisory that came after the image was scanned."""
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
    affected = [{"package": {"ecosystem": "Alpine:v3.11", "name": package}, "ranges": [span]}]
    file = folder / f"{cve}.json"
    advisory = {"schema_version": "1.6.0", "id": cve, "modified": "2020-11-30T00:00:00Z", "affected": affected}
    file.write_text(json.dumps(advisory))
    return file


def scan_of(served: Served, admin: str, image: str) -> dict[str, Any]:
    found: dict[str, Any] = served.get(f"/images/{image}", admin)["scan"] or {}
    return found


def test_scan_now_and_advisories_that_come_later(
    served: Served, admin: str, image: str, agent: Path, data: Path
) -> None:
    served.until(lambda: served.call("GET", f"/api/v1/images/{image}", token=admin)[0] == 200, 30)
    assert served.get(f"/images/{image}", admin)["scan"] is None
    status, job, _ = served.call("POST", f"/api/v1/images/{image}/scan", token=admin)
    assert status == 202, job
    done = served.until(
        lambda: (found := served.get(f"/jobs/{job['id']}", admin))["state"] in ("done", "failed") and found, 60
    )
    assert (done["state"], done["error"]) == ("done", "")

    inventory = served.get(f"/images/{image}/inventory", admin)
    assert (inventory["os"]["id"], inventory["os"]["version"]) == ("alpine", "3.11.5")
    assert inventory["config"]["id"] == image
    packages = {row["name"]: row for row in served.get(f"/images/{image}/packages?limit=200", admin)["items"]}
    assert packages.keys() >= {"musl", "busybox", "apk-tools", "libcrypto1.1"}
    assert packages["musl"]["checked"] is None

    scan = scan_of(served, admin, image)
    assert (scan["judged"], scan["vulnerabilities"], scan["packages"]) == (False, None, len(packages))
    assert served.call("GET", f"/api/v1/images/{image}/vulnerabilities", token=admin)[0] == 409, (
        "not checked, not clean"
    )

    bring(served, data / "feeds" / "alpine-secdb.tar.gz")
    judged = served.until(lambda: (found := scan_of(served, admin, image))["judged"] and found, 20)
    assert (judged["scanned_at"], judged["unchecked"]) == (scan["scanned_at"], 0), "nothing was read again"
    assert served.get(f"/images/{image}/packages?checked=true", admin)["total"] == len(packages)
    known = served.get(f"/images/{image}/vulnerabilities", admin)["total"]
    assert known == sum(judged["vulnerabilities"].values())

    bring(served, news(served.state, "CVE-2020-28928", "musl", "1.1.24-r3"), data / "feeds" / "kev.json.gz")
    again = served.until(lambda: (now := scan_of(served, admin, image))["judged_at"] != judged["judged_at"] and now, 20)
    assert again["scanned_at"] == scan["scanned_at"]
    found = served.get(f"/images/{image}/vulnerabilities?id=CVE-2020-28928", admin)["items"]
    assert {(row["package"], row["installed"], row["fixed"]) for row in found} == {
        ("musl", "1.1.24-r2", "1.1.24-r3"),
        ("musl-utils", "1.1.24-r2", "1.1.24-r3"),
    }
    assert sum(again["vulnerabilities"].values()) == known + 2
    assert served.get("/jobs", admin)["total"] == 1, "one scan, two verdicts"

    (cve,) = served.get("/vulnerabilities?id=CVE-2020-28928", admin)["items"]
    assert (cve["images"], cve["containers"], cve["fixed"]) == (1, 0, True)
    container = docker_cli("run", "-d", "--rm", "--name", "seawall-server-alpine", NAME, "sleep", "60")
    try:
        served.until(lambda: served.get("/vulnerabilities?id=CVE-2020-28928", admin)["items"][0]["containers"] == 1, 10)
        shown = served.get(f"/containers/{container}", admin)["image_scan"]
        assert shown["vulnerabilities"] == again["vulnerabilities"]
    finally:
        docker_cli("rm", "-f", container)
    overview = served.get("/overview", admin)
    assert (overview["images"]["scanned"], overview["images"]["not_checked"]) == (1, 0)
    assert overview["intel"]["kev"] > 1000
    assert served.get("/intel/status", admin)["advisories"] == overview["intel"]["advisories"] > 0


def test_a_lying_agent_is_refused_and_costs_nothing_else(served: Served, admin: str, image: str, agent: Path) -> None:
    served.until(lambda: served.call("GET", f"/api/v1/images/{image}", token=admin)[0] == 200, 30)
    before = scan_of(served, admin, image)
    liar = Enrolled(served, served.enrolment_token(admin), hostname="liar", host_id="liar")
    clean = {"target": "x", "name": "x", "config": {"id": image}, "packages": []}
    whole = {"order": "job_x", "image_id": image, "part": 1, "parts": 1, "inventory": clean}
    lies = [
        ("inventory", whole),
        ("inventory", {**whole, "part": 10**9}),
        ("inventory", {**whole, "inventory": {"packages": ["\ud800"] * 10_000}}),
        ("inventory", {"inventory": []}),
    ]
    reply = liar.send(alert("truth-1"), *lies, alert("truth-2"))
    assert reply["rejected"] == len(lies)
    kept = served.get(f"/alerts?agent_id={liar.id}", admin)["items"]
    assert {row["key"] for row in kept} == {"truth-1", "truth-2"}
    assert scan_of(served, admin, image) == before


def test_a_scan_in_parts_survives_the_death_of_the_server(tmp_path: Path) -> None:
    served = Served(tmp_path / "state").start()
    try:
        admin = served.command("token", "create", "test-admin", "--role", "admin")
        node = Enrolled(served, served.enrolment_token(admin))
        image = "sha256:" + "5" * 64
        record = {"id": image, "name": "big:1"}
        node.send(("snapshot", {"kind": "images", "base": None, "hash": "h", "upsert": [record], "remove": []}))
        status, job, _ = served.call("POST", f"/api/v1/images/{image}/scan", token=admin)
        assert status == 202
        _, orders = node.call("GET", "/v1/agent/orders?wait=10")
        assert [(order["id"], order["args"]["image_id"]) for order in orders["orders"]] == [(job["id"], image)]

        def part(number: int, name: str) -> tuple[str, dict[str, Any]]:
            package = {"name": name, "version": "1", "kind": "deb", "purl": f"pkg:deb/debian/{name}@1"}
            whole = {"target": "docker:big:1", "name": "big:1", "config": {"id": image}, "packages": [package]}
            body = whole if number == 1 else {"packages": [package]}
            return "inventory", {"order": job["id"], "image_id": image, "part": number, "parts": 2, "inventory": body}

        report = {"id": job["id"], "progress": 0.5, "message": "reading layers", "error": ""}
        node.send(("order", {**report, "state": "running"}), part(2, "second"))
        assert served.get(f"/jobs/{job['id']}", admin)["message"] == "reading layers"
        served.stop(signal.SIGKILL)
        served.start()
        assert served.call("GET", f"/api/v1/images/{image}/inventory", token=admin)[0] == 404, "half is nothing"
        node.send(part(1, "first"), ("order", {**report, "state": "done"}))
        assert served.get(f"/jobs/{job['id']}", admin)["state"] == "done"
        listed = served.get(f"/images/{image}/packages", admin)["items"]
        assert [row["name"] for row in listed] == ["first", "second"]
        (row,) = served.get("/images", admin)["items"]
        assert (row["scan"]["state"], row["scan"]["judged"], row["scan"]["packages"]) == ("done", False, 2)
    finally:
        served.stop()
