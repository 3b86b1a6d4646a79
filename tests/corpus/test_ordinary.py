"""Ordinary work in containers, for real: nothing of it is told as grave. `SEAWALL_BENIGN_SECONDS=3600` for an hour."""

import logging
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scenes import images, ordinary
from scenes.images import docker
from seawall.core.severity import Severity
from seawall.node.docker import Docker
from watching import watching

SECONDS = float(os.environ.get("SEAWALL_BENIGN_SECONDS", "40"))
"""For so long rounds of jobs begin; each is done at least once."""
MEANWHILE = 61.0
"""Seconds until what is done each minute has been done."""
JOBS = os.environ.get("SEAWALL_JOBS", "").split()

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(SECONDS + 600),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]
RUNTIME = {"runc", "dockerd", "containerd", "containerd-shim-runc-v2", "docker-init", "docker-proxy", "ctr", "docker"}


def ours(alert: dict[str, Any], town: ordinary.Town) -> bool:
    """Of our containers, of our builds, or of the runtime itself."""
    container = alert["container"] or {}
    if not container.get("id"):
        return Path(alert["process"].get("exe", "")).name in RUNTIME
    return container.get("name", "").startswith(ordinary.PREFIX) or container["id"][:12] in town.built


def table(alerts: list[dict[str, Any]]) -> str:
    rows = Counter[tuple[str, ...]]()
    for alert in alerts:
        process, container = alert["process"], alert["container"] or {}
        words = (alert["severity"], alert["rule"], container.get("name", "host"), process.get("exe", ""))
        rows[(*words, " ".join(process.get("args", []))[:120])] += 1
    return "\n".join(f"{count:4} {'  '.join(row)}" for row, count in sorted(rows.items()))


def test_ordinary_work_is_not_told_as_grave(dockerd: Docker, tmp_path: Path) -> None:
    images.debian()
    images.busybox()
    town = ordinary.Town(tmp_path)
    town.close()
    began = time.monotonic()
    try:
        with watching(tmp_path) as watcher:
            town.open()
            rounds = 0
            while not rounds or time.monotonic() < began + SECONDS:
                for name, job in town.jobs.items():
                    if not JOBS or name in JOBS:
                        job()
                rounds += 1
            if not JOBS:
                time.sleep(max(0.0, began + MEANWHILE - time.monotonic()))
            time.sleep(3)
            alerts = [alert for alert in watcher.alerts() if ours(alert, town)]
            logging.getLogger(__name__).warning("%d rounds; told:\n%s", rounds, table(alerts))
            grave = [alert for alert in alerts if Severity(alert["severity"]).rank >= Severity.HIGH.rank]
            docker("exec", f"{ordinary.PREFIX}-app", "sh", "-c", "exit 0")
            docker("exec", f"{ordinary.PREFIX}-cache", "sh", "-c", "echo x >>/etc/shadow")
            watcher.wait(lambda: [a for a in watcher.alerts() if a["rule"] == "accounts_written" and ours(a, town)], 15)
    finally:
        town.close()
    assert not grave, "\n" + table(grave)
