"""What all tests share: a real dockerd, a real image, the feeds that lie beside the checkout."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seawall.node import docker, rootfs

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEAWALL_TEST_DATA", ROOT.parent / "shared" / "data"))

TEST_IMAGE = "seawall-test:bash"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder with feeds and real images; tests that need it are skipped where it is not."""
    if not DATA.is_dir():
        pytest.skip(f"no test data at {DATA}: set SEAWALL_TEST_DATA")
    return DATA


@pytest.fixture(scope="session")
def dockerd() -> Iterator[docker.Docker]:
    """A client of a running daemon; one is started, and stopped again, if there is none."""
    client = docker.Docker()
    if _answers(client):
        yield client
        return
    program = shutil.which("dockerd") or "/usr/sbin/dockerd"
    if not Path(program).exists():
        pytest.skip("dockerd is not installed")
    with Path("/tmp/seawall-test-dockerd.log").open("wb") as log:
        process = subprocess.Popen([program], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 40
        while not _answers(client):
            if time.monotonic() > deadline or process.poll() is not None:
                pytest.fail("dockerd did not come up; see /tmp/seawall-test-dockerd.log")
            time.sleep(0.2)
        yield client
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def bash_image(dockerd: docker.Docker) -> str:
    """A local image with bash and a few small programs, made of this host's files; kept for the next run."""
    tar = rootfs.build()
    made_of = f"made of {hashlib.sha256(tar).hexdigest()}"
    if docker_cli("images", "-q", "--filter", f"label=seawall.test={made_of}", TEST_IMAGE) == "":
        docker_cli("import", "--change", f'LABEL seawall.test="{made_of}"', "-", TEST_IMAGE, input=tar)
    return TEST_IMAGE


def docker_cli(*arguments: str, input: bytes | None = None, timeout: float = 60) -> str:
    """Run the docker command; its output, stripped. A failure shows what it said."""
    done = subprocess.run(["docker", *arguments], input=input, capture_output=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


def _answers(client: docker.Docker) -> bool:
    try:
        client.version()
    except Exception:
        return False
    return True


@pytest.fixture(autouse=True)
def own_network() -> Iterator[None]:
    """A test that isolates a container in this very process stands in its network afterwards: go back."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    yield
    if os.stat("/proc/thread-self/ns/net").st_ino != os.fstat(before).st_ino:
        ctypes.CDLL(None, use_errno=True).setns(before, 0x40000000)
    os.close(before)
