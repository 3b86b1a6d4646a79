"""Killed with SIGKILL again and again, with a server that loses answers: what was put into the spool arrives."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from peer import Peer
from seawall.agent import enrol
from seawall.agent.identity import Home

SOURCE = Path(enrol.__file__).parents[2]
WRITER = """
import sys, threading, time
from pathlib import Path
from seawall.agent import tls
from seawall.agent.identity import Home
from seawall.agent.problems import Problems
from seawall.agent.spool import Spool
from seawall.agent.uplink import Uplink

home = Home(Path(sys.argv[1]))
number, last = int(sys.argv[2]), int(sys.argv[3])
spool = Spool(home.spool)
gateway = tls.peer(home.identity().gateway)
uplink = Uplink(spool, lambda: tls.dial(gateway, home.context()), Problems(),
                on_reply=lambda reply: None, on_config=lambda config: None)
threading.Thread(target=uplink.run, daemon=True).start()
while number < last:
    spool.put("alert", {"id": str(number), "noise": "x" * (number % 3000)})
    print(number, flush=True)  # from here on it must not be lost
    uplink.wake()
    number += 1
    time.sleep(0.001)
while spool.begin(1):
    uplink.wake()
    time.sleep(0.05)
"""
ALERTS = 3000


@pytest.fixture
def peer(tmp_path):
    made = Peer(tmp_path / "server")
    yield made
    made.close()


def test_kill_in_the_middle_loses_nothing(peer, tmp_path):
    chance = random.Random(11)
    home = Home(tmp_path / "node")
    enrol.enrol(home, peer.url, "good-token", peer.authority.fingerprint, "host")

    def unreliable(path, body):
        """One batch in five is stored and its acknowledgement lost."""
        if path == "/v1/agent/batch" and chance.random() < 0.2:
            peer._honest("POST", path, body)
            return 500, b"lost"
        return None

    peer.lie = unreliable
    put, kills = -1, 0
    while put < ALERTS - 1:
        process = start(tmp_path, put + 1)
        assert process.stdout is not None
        if kills < 8:
            for _ in range(chance.randrange(50, 350)):
                put = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        out, _ = process.communicate(timeout=60)
        put = max([put, *(int(line) for line in out.split("\n")[:-1])])
    peer.lie = None
    start(tmp_path, ALERTS).communicate(timeout=60)
    arrived = [int(alert["id"]) for alert in peer.of("alert")]
    assert kills == 8
    assert set(arrived) == set(range(ALERTS))
    # A killed agent repeats its batch under way under the old number: the server stores none of it twice. Only an
    # alert that was written when the kill came, and not yet counted here, is put a second time by this test.
    assert len(arrived) <= ALERTS + kills


def start(folder: Path, number: int) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", WRITER, str(folder / "node"), str(number), str(ALERTS)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
