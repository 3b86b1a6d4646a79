"""Every family of reverse and bind shells, for real: each is told as such, critical or high."""

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from conftest import docker_cli
from scenes import images, shells
from scenes.listening import Listener
from seawall.core.severity import Severity
from seawall.node.docker import Docker
from watching import watching

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]
GRAVE = (Severity.HIGH, Severity.CRITICAL)
AT_ONCE = 6
CHOSEN = os.environ.get("SEAWALL_SHELLS", "").split()
"""Only these, while one works on a detector."""
MISSED: dict[str, str] = {}
"""What is known to be missed, and why."""
TABLE = [shell for shell in shells.SHELLS if not CHOSEN or shell.name in CHOSEN]


@dataclass
class Told:
    """What became of one attack."""

    container: str = ""
    proved: bool = False
    heard: bytes = b""
    said: str = ""
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def caught(self) -> bool:
        return any(alert["category"] == "reverse_shell" and alert["severity"] in GRAVE for alert in self.alerts)


def attack(shell: shells.Shell, gateway: str) -> Told:
    """Run it in a container of its own until the shell has answered."""
    name = f"corpus-shell-{shell.name}"
    listener = Listener(shell.listener)
    words = {"H": gateway, "P": listener.port, "Q": listener.second}
    if isinstance(shell.attack, str):
        command = ["sh", "-c", "sleep 1; " + shell.attack.format(**words)]
    else:
        command = [word.format(**words) for word in shell.attack]
        command = [command[0], "wait", "1", *command[1:]] if command[0] == "/opt/hand" else command
    try:
        options = ["--user", shell.user, "--name", name, "-i"]
        told = Told(docker_cli("run", "-d", *options, images.find(shell.image), *command))
        if shell.listener == "bind":
            address = docker_cli("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name)
            listener.dial(address, 4444)
        told.proved = listener.proved.wait(25)
        time.sleep(2)
        told.heard = listener.heard
        logs = subprocess.run(["docker", "logs", name], capture_output=True, timeout=20, check=False)
        told.said = (logs.stdout + logs.stderr).decode(errors="replace")[-600:]
        return told
    finally:
        listener.close()


@pytest.fixture(scope="module")
def told(dockerd: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Told]]:
    names = [f"corpus-shell-{shell.name}" for shell in TABLE]
    for image in {shell.image for shell in TABLE}:
        images.find(image)
    gateway = docker_cli("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", "bridge")
    subprocess.run(["docker", "rm", "-f", *names], capture_output=True, timeout=120, check=False)
    try:
        with watching(tmp_path_factory.mktemp("shells")) as watcher, ThreadPoolExecutor(AT_ONCE) as pool:
            found = dict(zip(names, pool.map(lambda shell: attack(shell, gateway), TABLE), strict=True))
            deadline = time.monotonic() + 10
            while True:
                alerts = watcher.alerts()
                for one in found.values():
                    one.alerts = [alert for alert in alerts if (alert["container"] or {}).get("id") == one.container]
                if all(one.caught() for one in found.values()) or time.monotonic() > deadline:
                    break
                time.sleep(0.3)
        yield found
    finally:
        subprocess.run(["docker", "rm", "-f", *names], capture_output=True, timeout=120, check=False)


def cases() -> list[Any]:
    marks = {name: [pytest.mark.xfail(strict=True, reason=reason)] for name, reason in MISSED.items()}
    return [pytest.param(shell, id=shell.name, marks=marks.get(shell.name, [])) for shell in TABLE]


@pytest.mark.parametrize("shell", cases())
def test_a_shell_for_somebody_outside_is_told(told: dict[str, Told], shell: shells.Shell) -> None:
    one = told[f"corpus-shell-{shell.name}"]
    assert one.proved, f"the attack itself did not work: {one.heard!r}\n{one.said}"
    seen = [(alert["rule"], str(alert["severity"]), alert["process"].get("exe", "")) for alert in one.alerts]
    assert one.caught(), f"missed; the other alerts: {seen}"
