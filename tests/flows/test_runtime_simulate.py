"""The real sensor and real containers: every simulation is caught, ordinary life is quiet, enforcing stops a shell."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import docker_cli
from seawall.node.docker import Docker
from seawall.runtime.simulate import catalog, stage
from watching import SEAWALL, watching

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]


def test_every_simulation_is_caught_and_nothing_is_left(dockerd: Docker) -> None:
    done = subprocess.run(
        [*SEAWALL, "simulate", "--local", "--output", "json"], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.stdout, done.stderr
    rows = json.loads(done.stdout)
    missed = [row for row in rows if not row["caught"] or row["exit_code"] != 0]
    assert not missed, f"{missed}\n{done.stderr}"
    assert done.returncode == 0
    assert len(rows) == len(catalog.SIMULATIONS)
    assert docker_cli("ps", "-aq", "--filter", f"label={stage.LABEL}") == ""
    assert docker_cli("images", "-q", "seawall-simulate") == ""


def test_ordinary_life_of_containers_is_quiet(dockerd: Docker, bash_image: str, tmp_path: Path) -> None:
    name = "sw-runtime-quiet"
    docker_cli("rm", "-f", name)
    try:
        with watching(tmp_path) as watcher:
            docker_cli("run", "-d", "--name", name, bash_image, "bash", "-c", "while :; do sleep 1; done")
            docker_cli(
                "exec", name, "sh", "-c", "id; ls / | cat > /tmp/list; mkdir -p /opt/data; cp /tmp/list /opt/data/"
            )
            docker_cli("exec", name, "bash", "-c", "cat /etc/passwd | while read -r line; do echo $line; done")
            docker_cli("exec", "-i", name, "sh", input=b"id\nexit\n")
            docker_cli("restart", "-t", "0", name)
            docker_cli("cp", __file__, f"{name}:/tmp/test.py")
            docker_cli("stop", "-t", "0", name)
            mine_id = docker_cli("inspect", "-f", "{{.Id}}", name)
            time.sleep(2)
            mine = [alert for alert in watcher.alerts() if alert["container"].get("id") == mine_id]
            assert [(alert["rule"], alert["process"]["args"]) for alert in mine] == []
            docker_cli("start", name)
            docker_cli("exec", name, "sh", "-c", "echo '# x' > /etc/crontab")
            found = watcher.wait(lambda: [a for a in watcher.alerts() if a["rule"] == "cron_written"], 10)
            assert found[0]["container"]["name"] == name, "the quiet was not blindness"
    finally:
        docker_cli("rm", "-f", name)


@pytest.mark.parametrize("enforce", [False, True])
def test_enforcing_stops_a_reverse_shell(dockerd: Docker, tmp_path: Path, enforce: bool) -> None:
    options = ("--enforce",) if enforce else ()
    with watching(tmp_path, *options) as watcher, stage.stage(dockerd) as built:
        (simulation,) = catalog.choose(["reverse-shell-dup"])
        scene = built.start(simulation)
        built.wait([scene])

        def alerts() -> list[dict[str, Any]]:
            found = (alert for alert in watcher.alerts() if alert["container"]["id"] == scene.container)
            return [alert for alert in found if alert["rule"] == simulation.rule]

        (alert, *_) = watcher.wait(alerts, 10)
        answered = docker_cli("logs", stage.LISTENER)
        if enforce:
            assert alert["result"] in ("blocked", "killed_after_effect")
            assert "uid=" not in answered, "the shell answered before it died"
        else:
            assert alert["result"] == "none"
            assert "uid=0" in answered, "the shell should have lived"
        assert alert["process"]["exe"].endswith("sh")
        assert alert["ancestors"], "the chain up to the runtime is missing"
        assert any(part.get("peer", {}).get("port") == 4444 for part in alert["evidence"]["stdio"])
