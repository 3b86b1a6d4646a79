"""A full disk under the server: nothing is acknowledged that is not kept, people are told, and it goes on later."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from seawall.core import envelope
from seawall.core.clock import now
from seawall.core.envelope import Batch, Item
from serving import Enrolled, Served, alert


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", disk], check=True, timeout=10)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True, timeout=10)


def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    served = Served(small_disk / "state").start()
    try:
        admin = served.command("token", "create", "test-admin", "--role", "admin")
        agent = Enrolled(served, served.enrolment_token(admin))
        agent.send(alert("before"))
        filler = small_disk / "filler"
        with filler.open("wb") as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        refused = 0
        for number in range(200):
            batch = Batch(
                agent.instance, agent.seq + 1, now(), [Item(*alert(f"full-{number}", evidence={"x": "y" * 9000}))]
            )
            status, reply = agent.call("POST", "/v1/agent/batch", envelope.encode(batch))
            assert status in (200, 503), reply
            refused = refused + 1 if status == 503 else 0
            agent.seq += status == 200
            if refused == 3:
                break
        assert refused == 3
        taken = agent.seq
        status, health, _ = served.call("GET", "/healthz")
        assert (status, health["checks"]["db"]) == (503, "ok")
        assert "free" in health["checks"]["disk"]
        assert served.get("/alerts", admin)["total"] == taken, "reading goes on"

        filler.unlink()
        agent.send(alert("after"))
        assert served.call("GET", "/healthz")[0] == 200
        keys = {row["key"] for row in served.get("/alerts?limit=500", admin)["items"]}
        assert {"before", "after"} <= keys
        assert len(keys) == taken + 1
    finally:
        served.stop()
