"""One more node: the script that the console's command downloads, run as it is run there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from peer import Peer
from seawall.agent import package
from seawall.agent.identity import Home

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("curl") or Path("/run/systemd/system").exists(),
    reason="runs the install script: needs root and curl, and must not touch this host's systemd",
)


@pytest.fixture
def peer(tmp_path):
    made = Peer(tmp_path / "server")
    made.packed = package.archive()
    made.lie = lambda path, body: (200, made.packed) if path == "/install/seawall-agent.tar.gz" else None
    yield made
    made.close()


def install(peer, folder, archive=None, more=(), engine=b"", **changes):
    script = folder / "seawall-agent.sh"
    script.write_bytes(package.script(archive or peer.packed, engine))
    wanted = {"server": peer.url, "token": "good-token", "ca-fingerprint": peer.authority.fingerprint} | changes
    words = [word for name, value in wanted.items() for word in (f"--{name}", value)]
    places = ["--prefix", str(folder / "opt"), "--state", str(folder / "state")]
    return subprocess.run(
        ["sh", script, *places, *words, *more], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_node_is_enrolled_and_told_how_to_start(peer, tmp_path):
    done = install(peer, tmp_path)
    assert done.returncode == 0, done.stderr
    assert Home(tmp_path / "state").identity().agent_id == "agent-1"
    assert "no systemd" in done.stderr
    assert f"PYTHONPATH={tmp_path / 'opt'}" in done.stdout
    again = install(peer, tmp_path)
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in (tmp_path / "opt").iterdir()) == ["seawall"]


def test_what_it_prints_starts_an_agent(peer, tmp_path):
    command = install(peer, tmp_path).stdout.strip()
    with subprocess.Popen(["sh", "-c", f"exec env {command}"], stderr=subprocess.PIPE, text=True) as process:
        try:
            peer.wait(lambda: peer.of("heartbeat"), 20)
        finally:
            process.terminate()
            process.wait(15)
    assert peer.of("heartbeat")[0]["version"]


def test_the_scanner_comes_along_when_it_is_asked_for(peer, tmp_path):
    engine = package.scanner()
    peer.lie = lambda path, body: {
        "/install/seawall-agent.tar.gz": (200, peer.packed),
        "/install/seawall-scanner.tar.gz": (200, engine),
    }.get(path)
    code = "from seawall.malware import ruleset; print(ruleset.load().count)"
    run = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'opt')!r}); {code}"]
    assert install(peer, tmp_path).returncode == 0
    without = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert "no scanner" in without.stderr
    done = install(peer, tmp_path, more=["--scanner"], engine=engine)
    assert done.returncode == 0, done.stderr
    scanned = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert int(scanned.stdout) > 5, scanned.stderr
    done = install(peer, tmp_path, more=["--scanner"], engine=engine + b"x")
    assert "the scanner is not what the server promised" in done.stderr
    assert "has no scanner to give" in install(peer, tmp_path, more=["--scanner"]).stderr


def test_another_archive_is_not_unpacked(peer, tmp_path):
    done = install(peer, tmp_path, archive=peer.packed + b"x")
    assert done.returncode == 1
    assert "not what the server promised" in done.stderr
    assert not (tmp_path / "opt").exists()


def test_another_ca_gets_no_token(peer, tmp_path):
    done = install(peer, tmp_path, **{"ca-fingerprint": "00" * 32})
    assert done.returncode != 0
    assert "another fingerprint" in done.stderr
    assert Home(tmp_path / "state").identity() is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"server": "http://x"}, "where is the server"),
        ({"token": ""}, "--token and --ca-fingerprint"),
        ({"prefix": "/tmp/a b"}, "paths may hold"),
        ({"color": "blue"}, "no option --color"),
    ],
)
def test_mistakes_are_named(peer, tmp_path, changes, complaint):
    done = install(peer, tmp_path, **changes)
    assert done.returncode == 1
    assert complaint in done.stderr


def test_uninstall_leaves_nothing_of_the_agent(peer, tmp_path):
    install(peer, tmp_path)
    script = tmp_path / "seawall-agent.sh"
    places = ["--prefix", str(tmp_path / "opt"), "--state", str(tmp_path / "state")]
    subprocess.run(["sh", script, *places, "--uninstall"], check=True, timeout=30)
    assert not (tmp_path / "opt" / "seawall").exists()
    assert not (tmp_path / "state" / "agent").exists()
