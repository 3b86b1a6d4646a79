"""`seawall image scan` on real images of a real Docker, with real advisories: what is found, and what must not be."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archives
from archives import layer, metadata, saved, status
from conftest import docker_cli
from seawall.agent.errands import ERRANDS, Child
from seawall.core.ids import new_id
from seawall.intel.store import import_files
from seawall.node.docker import Docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]
PREFIX = "seawall-scan-"
FEEDS = ("alpine-secdb.tar.gz", "debian-dsa-dla.tar.gz", "osv-pypi.tar.gz", "kev.json.gz")
SITE = "usr/local/lib/python3.8/site-packages"


@pytest.fixture(scope="module")
def known(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("intel") / "intel.db"
    import_files(path, [data / "feeds" / name for name in FEEDS])
    return path


@pytest.fixture(scope="module", autouse=True)
def clean(dockerd: Docker) -> Iterator[None]:
    yield
    names = docker_cli("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={PREFIX}*").split()
    if names:
        docker_cli("rmi", "-f", *names)


def scan(target: str, known: Path, *words: str, code: int = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "seawall", "image", "scan", target, "--db", str(known), "--format", "json", *words]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ids(found: dict[str, Any], package: str) -> set[str]:
    return {one["id"] for one in found["vulnerabilities"] if one["package"] == package}


def commit(base: str, name: str, put: dict[Path, str], run: str = "") -> str:
    """A new image: files copied over a base, or a command run in it."""
    container = docker_cli("create", base, *(["/bin/sh", "-c", run] if run else ["true"]))
    try:
        for source, target in put.items():
            docker_cli("cp", str(source), f"{container}:{target}")
        if run:
            docker_cli("start", "-a", container)
        docker_cli("commit", "--change", f"LABEL of={new_id()}", container, PREFIX + name)
    finally:
        docker_cli("rm", "-f", container)
    return PREFIX + name


@pytest.fixture(scope="module")
def alpine(dockerd: Docker, data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The real Alpine 3.11, its database telling of an older OpenSSL in a layer of its own."""
    base = docker_cli("load", "-i", str(data / "images" / "alpine-311.tar.gz")).split()[-1]
    folder = tmp_path_factory.mktemp("alpine")
    container = docker_cli("create", base, "true")
    docker_cli("cp", f"{container}:/lib/apk/db/installed", str(folder / "installed"))
    docker_cli("rm", container)
    text = (folder / "installed").read_text()
    assert text.count("V:1.1.1d-r3") == 2
    (folder / "installed").write_text(text.replace("V:1.1.1d-r3", "V:1.1.1d-r0"))
    return commit(base, "alpine:3.11", {folder / "installed": "/lib/apk/db/installed"})


def test_alpine(alpine: str, known: Path) -> None:
    found = scan(alpine, known)
    assert (found["os"]["id"], found["os"]["version"], len(found["packages"])) == ("alpine", "3.11.5", 14)
    ssl = ids(found, "libcrypto1.1")
    assert ssl >= {"CVE-2019-1551", "CVE-2019-1547", "CVE-2019-1549", "CVE-2019-1563"}, "fixed in d-r1 and d-r3"
    assert not ssl & {"CVE-2019-1543", "CVE-2018-0734"}, "fixed in older versions"
    assert ids(found, "libssl1.1") == ssl
    assert not ids(found, "musl"), "1.1.24-r2 is newer than every fix that the feed knows"
    fixed = {one["id"]: one["fixed"] for one in found["vulnerabilities"]}
    assert (fixed["CVE-2019-1551"], fixed["CVE-2019-1547"]) == ("1.1.1d-r3", "1.1.1d-r1")
    layers = {one["name"]: one["layer"] for one in found["packages"]}
    mine = layers["libcrypto1.1"]
    assert mine == layers["libssl1.1"] > layers["musl"] == 0
    assert found["layers"][mine]["size"] > 0
    assert all(one["checked"] for one in found["packages"])


def test_debian(dockerd: Docker, known: Path, tmp_path: Path) -> None:
    base = layer(
        {
            "etc/os-release": archives.OS_RELEASE,
            "var/lib/dpkg/status": status(openssl="1.1.1n-0+deb11u3", curl="7.74.0-1.3+deb11u7"),
        }
    )
    (tmp_path / "image.tar").write_bytes(saved([base, layer({"srv/x": b"x"})], tag=PREFIX + "debian:11"))
    docker_cli("load", "-i", str(tmp_path / "image.tar"))
    found = scan(f"docker:{PREFIX}debian:11", known, "--fail-on", "unknown", code=1)
    assert found["os"]["name"] == "Debian GNU/Linux 11 (bullseye)"
    ssl = ids(found, "openssl")
    assert ssl >= {"CVE-2022-4304", "CVE-2023-0286", "CVE-2022-4450"}, "fixed in deb11u4"
    assert not ssl & {"CVE-2022-2068", "CVE-2022-1292", "CVE-2021-3711"}, "fixed in deb11u3 and before"
    assert not ids(found, "curl"), "deb11u7 has every fix that the feed knows"
    assert len(found["layers"]) == 2


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="this host has no dpkg")
def test_the_packages_of_a_real_debian_and_a_release_without_feed(dockerd: Docker, known: Path) -> None:
    files = {path.lstrip("/"): Path(path).read_bytes() for path in ("/var/lib/dpkg/status", "/etc/os-release")}
    files |= {str(path)[1:]: path.read_bytes() for path in Path("/var/lib/dpkg/info").glob("*.list")}
    files |= {
        str(path)[1:]: path.read_bytes() for path in Path("/usr/lib/python3/dist-packages").glob("*.dist-info/METADATA")
    }
    docker_cli("import", "-", PREFIX + "host:1", input=layer(files))
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version} ${source:Package} ${Architecture}\n"]
    said = subprocess.run(query, capture_output=True, check=True, text=True).stdout.splitlines()
    real = {tuple(line.split()[1:]) for line in said if line.startswith("installed ")}
    found = scan(PREFIX + "host:1", known, "--fail-on", "critical", code=2)
    debs = [one for one in found["packages"] if one["kind"] == "deb"]
    assert {(one["name"], one["version"], one["source_name"], one["arch"]) for one in debs} == real
    covered = subprocess.run(
        [sys.executable, "-m", "seawall", "intel", "status", "--db", str(known), "--format", "json"],
        capture_output=True,
        check=True,
    )
    release = found["os"]["version"]
    assert json.loads(covered.stdout)["ecosystems"].get(f"Debian:{release}", 0) < 20
    assert not any(one["checked"] for one in debs), "no feed covers this release: not checked, not clean"
    python = [one for one in found["packages"] if one["kind"] == "pypi"]
    assert all(one["owned"] for one in python), "all of dist-packages came with Debian's packages"


def test_python_and_what_a_later_layer_deletes(alpine: str, known: Path, tmp_path: Path) -> None:
    folder = tmp_path / "PyYAML-5.3.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_bytes(metadata("PyYAML", "5.3"))
    first = commit(alpine, "python-folder:1", {}, run=f"mkdir -p /{SITE}")
    name = commit(first, "python:1", {folder: f"/{SITE}/"})
    found = scan(name, known)
    yaml = ids(found, "PyYAML")
    assert yaml >= {"CVE-2020-1747", "CVE-2020-14343"}
    assert not yaml & {"CVE-2017-18342", "CVE-2019-20477"}, "fixed before 5.3"
    (package,) = [one for one in found["packages"] if one["kind"] == "pypi"]
    assert package["purl"] == "pkg:pypi/pyyaml@5.3"
    assert [one["path"] for one in package["locations"]] == [f"{SITE}/PyYAML-5.3.dist-info/METADATA"]
    assert found["layers"][package["layer"]]["index"] == max(one["index"] for one in found["layers"] if one["size"])

    gone = commit(name, "python-gone:1", {}, run=f"rm -r /{SITE}")
    after = scan(gone, known)
    assert not ids(after, "PyYAML")
    assert len(after["packages"]) == len(found["packages"]) - 1


def test_the_engine_and_an_archive_agree(alpine: str, known: Path, tmp_path: Path) -> None:
    docker_cli("save", "-o", str(tmp_path / "image.tar"), alpine)
    subprocess.run(["gzip", "-1", "-k", str(tmp_path / "image.tar")], check=True)
    engine, plain, packed = (
        scan(target, known)
        for target in (
            f"docker:{alpine}",
            f"docker-archive:{tmp_path / 'image.tar'}",
            f"docker-archive:{tmp_path / 'image.tar.gz'}",
        )
    )
    for name in ("packages", "vulnerabilities", "layers", "os", "skipped"):
        assert engine[name] == plain[name] == packed[name]
    assert (
        engine["image"]["id"] == docker_cli("image", "inspect", "--format", "{{.Id}}", alpine) == plain["image"]["id"]
    )
    short = scan(f"docker:{engine['image']['id'][7:19]}", known)
    assert (short["name"], short["packages"]) == (alpine, engine["packages"])


def test_the_errand_of_an_agent(alpine: str) -> None:
    image = docker_cli("image", "inspect", "--format", "{{.Id}}", alpine)
    child = Child(ERRANDS["image.inventory"], [image, alpine, "order-1", "{}"])
    try:
        said = [json.loads(line) for line in child.lines()]
        child.finish()
    finally:
        child.close()
    (item,) = [one["item"] for one in said if "item" in one]
    assert (item["order"], item["image_id"], item["part"], item["parts"]) == ("order-1", image, 1, 1)
    assert (item["inventory"]["config"]["id"], len(item["inventory"]["packages"])) == (image, 14)
    assert all(0 <= one["progress"] <= 1 for one in said if "item" not in one)


def test_an_errand_for_an_image_that_is_gone_says_why(dockerd: Docker) -> None:
    child = Child(ERRANDS["image.inventory"], ["sha256:" + "0" * 64, "gone:1", "order-1", "{}"])
    try:
        assert list(child.lines()) == []
        with pytest.raises(Exception, match="Docker has no image"):
            child.finish()
    finally:
        child.close()
