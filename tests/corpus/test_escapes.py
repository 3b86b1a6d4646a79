"""Ways out of a container, for real, and calls that few programs need: each is told."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import docker_cli
from scenes import escapes, images, playing, props
from scenes.playing import Deed, Outcome
from seawall.core.severity import Severity
from seawall.node.docker import Docker
from watching import watching

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]
PREFIX = "corpus-escape"
CHOSEN = os.environ.get("SEAWALL_DEEDS", "").split()
"""Only these, while one works on a detector."""
TABLE = [deed for deed in (*escapes.ESCAPES, *escapes.CALLS) if not CHOSEN or deed.name in CHOSEN]
MISSED: dict[str, str] = {}
"""What is known to be missed, and why."""


def programs(folder: Path) -> str:
    """Copies of a runtime's program in the folder; the path of the real one."""
    real = shutil.which("runc")
    if real is None:
        pytest.skip("no runc on this host")
    (folder / "replace").mkdir()
    for place in (folder, folder / "replace"):
        shutil.copy(real, place / "runc")
    return str(Path(real).resolve())


@pytest.fixture(scope="module")
def played(dockerd: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    folder = tmp_path_factory.mktemp("escapes")
    for image in {deed.image for deed in TABLE}:
        images.find(image)
    playing.clear(PREFIX)
    gateway = docker_cli("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", "bridge")
    daemon = Path(dockerd.path).resolve()
    containerd = next(
        p for p in ("/run/containerd/containerd.sock", "/run/docker/containerd/containerd.sock") if Path(p).exists()
    )
    docker_cli("run", "-d", "--name", f"{PREFIX}-victim", images.busybox(), "/opt/hand", "sleep", "600")
    victim = docker_cli("inspect", "-f", "{{.State.Pid}}", f"{PREFIX}-victim")
    words = {"S": str(daemon), "D": str(daemon.parent), "C": containerd, "H": gateway, "V": victim, "T": str(folder)}
    words |= {"X": programs(folder), "R": secrets.token_hex(4)}
    bystander = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
    words["N"] = str(bystander.pid)
    try:
        with props.disk(folder) as device, props.listening(gateway, 2375, 10250), watching(folder) as watcher:
            number = Path(device).stat().st_rdev
            words |= {"B": device, "M": f"{os.major(number)} {os.minor(number)}"}
            yield playing.play(watcher, PREFIX, TABLE, words)
    finally:
        bystander.kill()
        bystander.wait(10)
        playing.clear(PREFIX)


def cases() -> list[Any]:
    marks = {name: [pytest.mark.xfail(strict=True, reason=reason)] for name, reason in MISSED.items()}
    return [pytest.param(deed, id=deed.name, marks=marks.get(deed.name, [])) for deed in TABLE]


@pytest.mark.parametrize("deed", cases())
def test_a_way_out_is_told(played: dict[str, Outcome], deed: Deed) -> None:
    outcome = played[deed.name]
    assert not deed.works or outcome.code == 0, f"the deed itself did not work: {outcome.said}"
    assert outcome.fits(deed), f"missed ({deed.told}, {deed.least}); the other alerts: {outcome.seen()}"


@pytest.mark.skipif(bool(CHOSEN) and "release-agent-outcome" not in CHOSEN, reason="not chosen")
def test_what_the_kernel_starts_for_a_container_on_the_host_is_told(played: dict[str, Outcome]) -> None:
    done, helper = played["release-agent-outcome"].said.split()
    assert done == "done", "the kernel did not start it"
    told = [alert["process"].get("exe", "") for alert in played[playing.HOST].alerts if alert["category"] == "escape"]
    ran = [a for a in played[playing.HOST].alerts if helper in json.dumps(a) and a["severity"] == Severity.CRITICAL]
    assert ran, f"{helper} ran on the host; told: {told}"


@pytest.mark.skipif(bool(CHOSEN) and "calls-refused" not in CHOSEN, reason="not chosen")
@pytest.mark.parametrize("call", escapes.REFUSED.split())
def test_a_probe_is_told_by_its_call(played: dict[str, Outcome], call: str) -> None:
    told = [alert for alert in played["calls-refused"].alerts if f'"{call}"' in json.dumps(alert["evidence"])]
    assert told, f"{played['calls-refused'].said}: {played['calls-refused'].seen()}"
