"""Registries on the server, against Debian's own with TLS and a password: look, scan the new, look again, webhook."""

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import registries as peers
from archives import layer, saved, status
from inside import World, opened
from seawall.images import registries
from seawall.images.tables import REGISTRIES
from seawall.server import scanning, workers
from seawall.server.tables import JOBS
from seawall.server.vault import Vault

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("registry")
    with peers.real(folder) as host:
        yield host, folder


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, "admin") as made:
        yield made


def push(registry: tuple[str, Path], name: str, *packages: str) -> None:
    """Put an image there, as people do."""
    host, folder = registry
    archive = folder / f"{name.replace('/', '-').replace(':', '-')}.tar"
    archive.write_bytes(saved([layer({"var/lib/dpkg/status": status(**dict.fromkeys(packages, "1.0"))})]))
    command = ["skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false"]
    target = ["--dest-creds", f"reader:{peers.PASSWORD}", f"docker-archive:{archive}", f"docker://{host}/{name}"]
    subprocess.run([*command, *target], check=True, capture_output=True, timeout=60)


def add(world: World, registry: tuple[str, Path], **more: Any) -> dict[str, Any]:
    host, folder = registry
    settings = {"ca": (folder / "ca.pem").read_text(), "platform": "", **more.pop("settings", {})}
    wish = {"name": "shop", "url": host, "username": "reader", "password": peers.PASSWORD, "settings": settings, **more}
    answer = world.client.post("/api/v1/registries", json=wish)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def work(world: World) -> list[dict[str, Any]]:
    """Carry out what waits, as the server's tasks do; the jobs that were done."""
    done: list[dict[str, Any]] = []
    for _ in range(5):
        scanning.turn(world.parts, time.time())
        taken = workers._take(world.parts, 10)
        for job in taken:
            workers.carry_out(world.parts, job, threading.Event())
        done += [world.get(f"/jobs/{job['id']}") for job in taken]
        if not taken:
            break
    return done


def test_a_look_lists_and_scans_what_is_new(world: World, registry: tuple[str, Path]) -> None:
    push(registry, "shop/web:1", "a", "b")
    push(registry, "shop/web:2", "a", "b", "c")
    push(registry, "team/tool:1", "x")
    made = add(world, registry, settings={"repositories": ["shop/*"]})
    assert peers.PASSWORD not in str(made)
    done = work(world)
    assert [job["state"] for job in done] == ["done"] * 3, done
    assert peers.PASSWORD not in str(done)
    found = world.get(f"/registry-images?registry={made['id']}&sort=tag")["items"]
    assert [(one["repository"], one["tag"]) for one in found] == [
        (f"{registry[0]}/shop/web", "1"),
        (f"{registry[0]}/shop/web", "2"),
    ]
    assert [one["scan"]["packages"] for one in found] == [2, 3]
    row = world.get(f"/registries/{made['id']}")
    assert (row["state"], row["images"], row["error"]) == ("ok", 2, "")
    assert row["next_at"] > row["synced_at"]
    packages = world.get(f"/images/{found[1]['image_id']}/packages")["items"]
    assert {one["name"] for one in packages} == {"a", "b", "c"}


def test_a_second_look_asks_only_for_what_changed(world: World, registry: tuple[str, Path]) -> None:
    push(registry, "again/app:1", "a")
    made = add(world, registry, settings={"repositories": ["again/*"]})
    work(world)
    push(registry, "again/app:1", "a", "z")
    push(registry, "again/app:2", "q")
    assert world.client.post(f"/api/v1/registries/{made['id']}/sync").status_code == 202
    done = work(world)
    assert done[0]["message"] == "2 new, 0 unchanged"
    world.client.post(f"/api/v1/registries/{made['id']}/sync")
    assert [job["message"] for job in work(world)] == ["0 new, 2 unchanged"]


def test_a_webhook_wakes_with_its_token_alone(world: World, registry: tuple[str, Path]) -> None:
    made = add(world, registry, settings={"repositories": ["none/*"], "sync_minutes": 0})
    work(world)
    assert world.get(f"/registries/{made['id']}")["next_at"] is None
    path = f"/api/v1/registries/{made['id']}/webhook"
    stranger = {"Authorization": ""}
    assert world.client.post(f"{path}?token=wrong", headers=stranger).status_code == 404
    assert (
        world.client.post(f"{path}?token={made['webhook_token']}", headers=stranger, content=b"junk").status_code == 202
    )
    assert [job["kind"] for job in work(world)] == ["registry.sync"]
    renewed = world.client.post(f"{path}-token").json()["webhook_token"]
    assert world.client.post(f"{path}?token={made['webhook_token']}", headers=stranger).status_code == 404
    assert world.client.post(f"{path}?token={renewed}", headers=stranger).status_code == 202


def test_what_goes_wrong_is_said(world: World, registry: tuple[str, Path]) -> None:
    made = add(world, registry, password="wrong")
    done = work(world)
    assert [job["state"] for job in done] == ["failed"]
    row = world.get(f"/registries/{made['id']}")
    assert row["state"] == "failed"
    assert row["error"]
    assert row["next_at"], "it is tried again at its time"
    tried = {"name": "x", "url": "localhost:1"}
    assert world.client.post("/api/v1/registries/test", json=tried).json()["ok"] is False


def test_a_password_goes_to_no_other_place(world: World, registry: tuple[str, Path], tmp_path: Path) -> None:
    made = add(world, registry)
    with world.parts.database.reading() as connection:
        sealed = connection.execute(REGISTRIES.select()).mappings().one()["secret"]
    assert peers.PASSWORD not in sealed
    assert world.parts.vault.unseal(sealed) == peers.PASSWORD
    assert (tmp_path / "vault.key").stat().st_mode & 0o777 == 0o600
    changed = world.client.patch(f"/api/v1/registries/{made['id']}", json={"url": "evil.example"}).json()
    assert changed["has_password"] is False


def test_what_makes_no_sense_is_refused(world: World, registry: tuple[str, Path]) -> None:
    for wish in (
        {"url": "not a host/../x"},
        {"kind": "magic"},
        {"settings": {"newest": -1}},
        {"settings": {"colour": "red"}},
        {"settings": {"ca": "hello"}},
    ):
        body = {"name": "n", "url": "r.example", **wish}
        assert world.client.post("/api/v1/registries", json=body).status_code == 422, wish
    add(world, registry)
    assert world.client.post("/api/v1/registries", json={"name": "shop", "url": "r.example"}).status_code == 409


def test_a_registry_that_is_removed_takes_its_images_along(world: World, registry: tuple[str, Path]) -> None:
    push(registry, "gone/app:1", "a")
    made = add(world, registry, settings={"repositories": ["gone/*"]})
    work(world)
    assert world.get("/registry-images")["total"] == 1
    assert world.client.delete(f"/api/v1/registries/{made['id']}").status_code == 204
    assert world.get("/registry-images")["total"] == 0


def test_a_stop_kills_the_child_and_leaves_the_job(world: World, registry: tuple[str, Path]) -> None:
    with peers.lying(lambda _: time.sleep(30) or False) as liar:  # type: ignore[func-returns-value]
        add(world, registry, url=liar.host, settings={"plain_http": True})
        scanning.turn(world.parts, time.time())
        job = workers._take(world.parts, 1)[0]
        stopping = threading.Event()
        threading.Timer(2.0, stopping.set).start()
        began = time.monotonic()
        workers.carry_out(world.parts, job, stopping)
        assert time.monotonic() - began < 25
        assert world.get(f"/jobs/{job['id']}")["state"] == "running"
        workers._begin(world.parts)
        assert world.get(f"/jobs/{job['id']}")["state"] == "waiting"


def test_a_look_that_ended_without_a_word_is_begun_again(world: World, registry: tuple[str, Path]) -> None:
    made = add(world, registry, settings={"repositories": ["none/*"]})
    scanning.turn(world.parts, time.time() - 3 * 86400)
    assert world.get(f"/registries/{made['id']}")["state"] == "new", "it was not due then"
    scanning.turn(world.parts, time.time())
    assert world.get(f"/registries/{made['id']}")["state"] == "syncing"
    late = "2020-01-01T00:00:00.000Z"
    world.parts.database.write(
        lambda connection: (None, connection.execute(JOBS.update().values(deadline=late)) and [])
    )
    workers._begin(world.parts)
    row = world.get(f"/registries/{made['id']}")
    assert (row["state"], bool(row["error"]), bool(row["next_at"])) == ("failed", True, True)
    assert [job["state"] for job in work(world)] == ["done"]


def test_who_asks_during_a_look_is_answered_by_the_next(world: World, registry: tuple[str, Path]) -> None:
    made = add(world, registry, settings={"repositories": ["none/*"], "sync_minutes": 0})
    scanning.turn(world.parts, time.time())
    job = workers._take(world.parts, 1)[0]
    path = f"/api/v1/registries/{made['id']}/webhook?token={made['webhook_token']}"
    assert world.client.post(path, headers={"Authorization": ""}).status_code == 202
    workers.carry_out(world.parts, job, threading.Event())
    assert [one["kind"] for one in work(world)] == ["registry.sync"]
    assert work(world) == []


def test_patterns() -> None:
    assert registries.fits("a/b", ()) and registries.fits("a/b", ("a/*",)) and not registries.fits("a/b", ("c/*",))
    assert not registries.fits("a/b", (), ("*/b",))


def test_a_vault_with_another_key_says_so(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    sealed = Vault(one).seal("x")
    assert Vault(one).unseal(sealed) == "x"
    with pytest.raises(Exception, match="cannot be read"):
        Vault(other).unseal(sealed)
