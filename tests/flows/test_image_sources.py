"""One image, by every way to have it, of the real programs that people use: the same packages each time."""

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import registries
from archives import OS_RELEASE, layer, metadata, saved, status
from registries import PASSWORD
from seawall.core.errors import SeawallError
from seawall.images.collect import sources
from seawall.images.collect.reading import Reading
from seawall.images.collect.registry.access import Access, Credentials
from seawall.images.collect.registry.client import Refused, Registry
from seawall.images.model import Inventory

pytestmark = pytest.mark.timeout(180)
READER = Credentials("reader", PASSWORD)
IMAGE = "sha256:a187dde48cd289ac374ad8539930628314bc581a481cdb41409c9289419ddb72"


def skopeo(*words: str) -> None:
    done = subprocess.run(["skopeo", "--insecure-policy", *words], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()


def check(found: Inventory) -> None:
    assert len(found.packages) == 14
    assert {one.version for one in found.packages if one.name == "musl"} == {"1.1.24-r2"}
    assert found.os is not None
    assert found.os.id == "alpine"
    assert found.skipped == ()


@pytest.fixture(scope="module")
def alpine(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real Alpine 3.11 as an archive of Docker's."""
    path = tmp_path_factory.mktemp("alpine") / "alpine.tar"
    path.write_bytes(gzip.decompress((data / "images" / "alpine-311.tar.gz").read_bytes()))
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def host(place: Path, alpine: Path) -> Iterator[str]:
    with registries.real(place) as found:
        words = ("--dest-creds", f"reader:{PASSWORD}", "--dest-tls-verify=false")
        skopeo("copy", *words, f"docker-archive:{alpine}", f"docker://{found}/team/alpine:3.11")
        skopeo("copy", *words, f"docker-archive:{alpine}", f"docker://{found}/other:x")
        yield found


@pytest.fixture
def access(place: Path) -> Access:
    return Access(credentials=READER, ca_file=place / "ca.pem")


def test_a_registry_with_tls_and_a_password(host: str, access: Access) -> None:
    found = sources.collect(f"registry:{host}/team/alpine:3.11", Reading(access=access))
    check(found)
    assert found.config.id == IMAGE
    assert found.name == f"{host}/team/alpine:3.11"
    assert len(found.digests) == 1
    check(sources.collect(f"registry:{found.digests[0]}", Reading(access=access)))


def test_what_a_registry_has(host: str, access: Access) -> None:
    with Registry(host, access) as one:
        one.ping()
        assert list(one.repositories()) == ["other", "team/alpine"]
        assert list(one.tags("team/alpine")) == ["3.11"]
        assert one.resolve("other", "x").image_id == IMAGE


def test_who_may_not_enter(host: str, access: Access, place: Path) -> None:
    for credentials in (None, Credentials("reader", "wrong")):
        with Registry(host, Access(credentials=credentials, ca_file=place / "ca.pem")) as one:
            with pytest.raises(Refused) as refused:
                one.ping()
            assert refused.value.status == 401
    with pytest.raises(SeawallError, match="not trusted"):
        sources.collect(f"registry:{host}/other:x", Reading(access=Access(credentials=READER)))
    told = Access(credentials=READER, insecure=True)
    check(sources.collect(f"registry:{host}/other:x", Reading(access=told)))


@pytest.mark.parametrize("layout", ["dir", "archive"])
def test_an_oci_layout(alpine: Path, tmp_path: Path, layout: str) -> None:
    path = tmp_path / "layout"
    kind = "oci" if layout == "dir" else "oci-archive"
    skopeo("copy", f"docker-archive:{alpine}", f"{kind}:{path}:alpine:3.11")
    found = sources.collect(f"oci:{path}")
    check(found)
    if layout == "dir":
        assert found.name == "alpine:3.11"
        skopeo("copy", f"docker-archive:{alpine}", f"oci:{path}:other:1")
        check(sources.collect(f"oci:{path}:other:1"))
        index = json.loads((path / "index.json").read_text())
        assert len(index["manifests"]) == 2
        with pytest.raises(SeawallError, match="2 images") as refused:
            sources.collect(f"oci:{path}")
        assert "alpine:3.11, other:1" in refused.value.hint


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_layers_as_they_may_be_packed(alpine: Path, tmp_path: Path, compression: str) -> None:
    skopeo("copy", "--dest-compress-format", compression, f"docker-archive:{alpine}", f"oci:{tmp_path / 'x'}:a")
    check(sources.collect(f"oci:{tmp_path / 'x'}"))


def test_a_changed_blob_of_a_layout_is_not_believed(alpine: Path, tmp_path: Path) -> None:
    skopeo("copy", f"docker-archive:{alpine}", f"oci:{tmp_path / 'x'}:a")
    blob = max((tmp_path / "x" / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(blob.read_bytes())
    data[-20] ^= 1
    blob.write_bytes(data)
    with pytest.raises(SeawallError):
        sources.collect(f"oci:{tmp_path / 'x'}")


def test_the_command(host: str, place: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SEAWALL_STATE": str(tmp_path),
        "SEAWALL_REGISTRY_PASSWORD": PASSWORD,
        "DOCKER_CONFIG": str(tmp_path),
    }
    command = [
        sys.executable,
        "-m",
        "seawall",
        "image",
        "scan",
        f"registry:{host}/team/alpine:3.11",
        "--format",
        "json",
    ]
    command += ["--scanners", "package", "--ca-file", str(place / "ca.pem"), "--username", "reader"]
    for known in (False, True):
        done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment)
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)
        assert len(found["packages"]) == 14
        assert bool(found["stats"].get("known")) is known
    done = subprocess.run(command[:-2], capture_output=True, timeout=60, check=False, env=environment)
    assert done.returncode == 2
    assert b"--username" in done.stderr


def layered() -> bytes:
    """A package of each layer, one of them deleted by the last."""
    base = layer({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(bash="5.1")})
    more = layer({f"site/{name}-1.dist-info/METADATA": metadata(name, "1") for name in ("kept", "gone")})
    last = layer({"site/.wh.gone-1.dist-info": b"", "opt/.wh..wh..opq": b""})
    return saved([base, more, last], tag="sources-layered:1")


def podman(root: Path, driver: str, *words: str) -> list[str]:
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed: deploy/prepare.sh test brings it")
    return ["podman", "--root", str(root), "--runroot", f"{root}-run", "--storage-driver", driver, *words]


@pytest.fixture
def short() -> Iterator[Path]:
    """Podman takes no long paths."""
    with tempfile.TemporaryDirectory(prefix="pod-") as folder:
        yield Path(folder)


def load(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("driver", ["overlay", "vfs"])
def test_podmans_storage_without_a_daemon(driver: str, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (short / "x.tar").write_bytes(layered())
    root = short / "storage"
    load(podman(root, driver, "load", "-i", str(short / "x.tar")))
    monkeypatch.setenv("SEAWALL_PODMAN_STORAGE", str(root))
    monkeypatch.setenv("SEAWALL_PODMAN_SOCKET", str(short / "none"))
    try:
        found = sources.collect("podman:sources-layered:1")
        assert sorted(one.name for one in found.packages) == ["bash", "kept"]
        assert found.config.user == "app"
        if driver == "overlay":
            assert {one.name: one.locations[0].layer for one in found.packages} == {"bash": 0, "kept": 1}
    finally:
        subprocess.run(podman(root, driver, "system", "reset", "-f"), capture_output=True, timeout=60, check=False)


def test_podmans_api(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (short / "x.tar").write_bytes(layered())
    root, path = short / "storage", short / "p.sock"
    load(podman(root, "vfs", "load", "-i", str(short / "x.tar")))
    monkeypatch.setenv("SEAWALL_PODMAN_SOCKET", str(path))
    service = subprocess.Popen(podman(root, "vfs", "system", "service", "--time", "60", f"unix://{path}"))
    try:
        wait_for(path)
        found = sources.collect("podman:localhost/sources-layered:1")
        assert sorted(one.name for one in found.packages) == ["bash", "kept"]
        assert found.target == "podman:localhost/sources-layered:1"
    finally:
        service.terminate()
        service.wait(10)
        subprocess.run(podman(root, "vfs", "system", "reset", "-f"), capture_output=True, timeout=60, check=False)


def test_containerds_store(alpine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("containerd") is None or os.geteuid() != 0:
        pytest.skip("needs containerd and root")
    path = tmp_path / "c.sock"
    (tmp_path / "config.toml").write_text(
        f'version = 2\nroot = "{tmp_path}/root"\nstate = "{tmp_path}/state"\n'
        f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{path}"\n'
    )
    with (tmp_path / "log").open("wb") as log:
        daemon = subprocess.Popen(["containerd", "--config", str(tmp_path / "config.toml")], stdout=log, stderr=log)
    try:
        wait_for(path)
        command = ["ctr", "-a", str(path), "-n", "k8s.io", "images", "import", "--no-unpack", str(alpine)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        monkeypatch.setenv("SEAWALL_CONTAINERD_ROOT", str(tmp_path / "root"))
        found = sources.collect("containerd:alpine:3.11")
        check(found)
        assert found.config.id == IMAGE
        assert found.name == "docker.io/library/alpine:3.11"
    finally:
        daemon.terminate()
        daemon.wait(10)


def wait_for(path: Path) -> None:
    for _ in range(300):
        if path.is_socket():
            return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens at {path}")


def test_no_scan_runs_over_its_time(tmp_path: Path) -> None:
    """Neither with a registry that says nothing, nor with a file that gives nothing."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        for target in (f"registry:127.0.0.1:{mute.getsockname()[1]}/app:1", f"sbom:{tmp_path / 'pipe'}"):
            command = [sys.executable, "-m", "seawall", "image", "scan", target, "--timeout", "2", "--plain-http"]
            environment = {**os.environ, "SEAWALL_STATE": str(tmp_path), "DOCKER_CONFIG": str(tmp_path)}
            done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment)
            assert done.returncode == 2
            assert re.search(rb"took longer|too long|timed out|is over", done.stderr), done.stderr


def test_offline_goes_nowhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seawall", "image", "scan", "registry:127.0.0.1:1/app:1", "--offline"]
    environment = {**os.environ, "SEAWALL_STATE": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment)
    assert done.returncode == 2
    assert b"--offline" in done.stderr
