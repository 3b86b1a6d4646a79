"""A disk that is full, and one that becomes free again, under the spool of an agent that goes on."""

import json
import os
import subprocess

import pytest

from seawall.agent.spool import Spool

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small tmpfs: needs root")


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "seawall-test", folder], check=True, timeout=10)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True, timeout=10)


def test_a_full_disk_loses_only_what_is_counted(small_disk):
    spool = Spool(small_disk / "spool", limit=8 << 20, memory=64 << 10)
    for number in range(500):
        spool.put("facts", {"n": number, "pad": "x" * 1000})
        if number % 10 == 0:
            spool.put("alert", {"n": number})
    status = spool.status()
    assert "refuses" in status["error"]
    assert "No space left" in status["error"]
    alerts, facts = drain(spool)
    assert alerts == list(range(0, 500, 10))
    assert len(facts) + status["dropped"]["facts"] == 500
    assert "alert" not in status["dropped"]


def test_a_disk_that_becomes_free_is_used_again(small_disk):
    hog = small_disk / "hog"
    spool = Spool(small_disk / "spool", limit=8 << 20)
    spool.put("alert", {"n": 0})
    fill(hog)
    for number in range(1, 40):
        spool.put("alert", {"n": number, "pad": "x" * 500})
    assert spool.status()["error"]
    hog.unlink()
    spool._retry_at = 0.0
    spool.put("alert", {"n": 40})
    assert "error" not in spool.status()
    again = Spool(small_disk / "spool")  # everything is on disk now: a new life finds it
    assert drain(again)[0] == list(range(41))


def test_a_start_on_a_full_disk_works_from_memory(small_disk):
    fill(small_disk / "hog")
    spool = Spool(small_disk / "spool")
    spool.put("alert", {"n": 1})
    assert drain(spool)[0] == [1]


def fill(path):
    """Take all the room there is."""
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)


def drain(spool):
    """Numbers of all alerts and of all facts, acknowledged as they come."""
    found = {"alert": [], "facts": []}
    while batch := spool.begin(50):
        for kind, payload in spool.payloads(batch):
            found[kind].append(json.loads(payload)["n"])
        spool.acknowledge()
    return found["alert"], found["facts"]
