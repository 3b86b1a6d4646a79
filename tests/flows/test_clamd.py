"""A real clamd with signatures of our own: over its socket and over TCP, and what happens when it says no."""

import hashlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archives import layer, saved
from seawall.core.errors import Unreachable
from seawall.images.collect import sources
from seawall.images.collect.analysers import Options, opened
from seawall.images.collect.reading import Reading
from seawall.malware.clamd import Clamd, TooLarge

EVIL = b"#!/bin/sh\necho a file that only the daemon knows\n"
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    program = shutil.which("clamd")
    if program is None:
        pytest.skip("needs clamd: apt-get install clamav-daemon")
    home = tmp_path_factory.mktemp("clamd")
    (home / "own.hdb").write_text(f"{hashlib.md5(EVIL).hexdigest()}:{len(EVIL)}:Unix.Trojan.Own\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (home / "clamd.conf").write_text(
        f"LocalSocket {home}/clamd.ctl\nTCPSocket {port}\nTCPAddr 127.0.0.1\nDatabaseDirectory {home}\nForeground yes\n"
        f"StreamMaxLength 1M\nUser root\nMaxThreads 2\nPidFile {home}/pid\n"
    )
    with (home / "log").open("wb") as log:
        running = subprocess.Popen([program, "-c", str(home / "clamd.conf")], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and running.poll() is None:
            try:
                Clamd(str(home / "clamd.ctl")).version()
                break
            except Unreachable:
                time.sleep(0.3)
        else:
            pytest.skip(f"clamd does not start here: {(home / 'log').read_text()[-300:]}")
        yield home, port
    finally:
        running.terminate()
        running.wait(30)


def test_both_doors(daemon: tuple[Path, int]) -> None:
    home, port = daemon
    for address in (f"{home}/clamd.ctl", f"unix:{home}/clamd.ctl", f"127.0.0.1:{port}", f"tcp://127.0.0.1:{port}"):
        one = Clamd(address)
        assert one.version().startswith("ClamAV")
        assert one.scan(EVIL) == "Unix.Trojan.Own.UNOFFICIAL"
        assert one.scan(b"nothing") == ""
        assert one.scan(b"") == ""
    with pytest.raises(TooLarge):
        Clamd(f"{home}/clamd.ctl").scan(bytes(3 << 20))


def test_an_image(daemon: tuple[Path, int], tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    big = b"#!/bin/sh\n" + b"# filled\n" * 200_000
    path.write_bytes(saved([layer({"usr/bin/x": EVIL, "usr/bin/big.sh": big}), layer({"usr/bin/.wh.x": b""})]))
    reading = Reading(opened(Options(("malware",), clamd=f"unix:{daemon[0]}/clamd.ctl")))
    found = sources.collect(f"docker-archive:{path}", reading)
    assert [(one.rule, one.family, one.source, one.path, one.layer, one.deleted) for one in found.malware] == [
        ("Unix.Trojan.Own.UNOFFICIAL", "trojan", "clamd", "usr/bin/x", 0, True)
    ]
    assert found.checked["malware"] == ""
    assert [one.where for one in found.skipped if "clamd takes no" in one.why] == ["layer 0: usr/bin/big.sh"]


def test_a_daemon_that_is_not_there_is_said() -> None:
    found = opened(Options(("malware",), clamd="/nowhere/clamd.ctl"))
    assert "clamd at /nowhere/clamd.ctl" in found.checked["malware"]
    assert "malware" in found.working, "our own rules look all the same"
