"""The scanner's child: hostile files are counted, not waited for; verdicts come with what they are about."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seawall.node import procfs
from seawall.runtime.collect import samples
from seawall.runtime.collect.samples import MAX_SIZE, TICK_NS, Desk

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "rules")


def ask(desk, path, **more):
    """As if this process had written it: /proc/self/root is its root."""
    me = os.getpid()
    request = {
        "id": 1, "path": str(path), "dev": 0, "ino": 0, "container": "c", "executed": False, "memory": False,
        "last": True, "pids": [[me, procfs.start_ticks(me) * TICK_NS]],
    }  # fmt: skip
    return desk.answer(request | more)


def test_a_verdict_tells_what_and_where(desk, tmp_path):
    (tmp_path / "e").write_bytes(b"\n" + EICAR)
    sample = ask(desk, tmp_path / "e")["sample"]
    assert (sample["verdict"], sample["rule"], sample["offset"], sample["size"]) == (
        "malicious",
        "eicar_test_file",
        1,
        69,
    )
    assert len(sample["sha256"]) == 64
    assert sample["replaced"] is False
    assert ask(desk, tmp_path / "e", ino=5)["sample"]["replaced"] is True
    (tmp_path / "ok.sh").write_bytes(b"#!/bin/sh\necho\n")
    assert ask(desk, tmp_path / "ok.sh")["sample"]["verdict"] == "clean"


def test_hostile_files_are_counted_by_reason(desk, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "data").write_bytes(bytes(range(256)))
    with (tmp_path / "sparse.sh").open("wb") as file:
        file.write(b"#!/bin/sh\n")
        file.truncate(1 << 40)
    for name, why in (
        ("fifo", "not_a_file"), ("loop", "link"), ("empty", "empty"), ("data", "kind"), ("sparse.sh", "size"),
        ("gone", "gone"),
    ):  # fmt: skip
        assert ask(desk, tmp_path / name)["skipped"] == why, name
    assert ask(desk, tmp_path / "gone", pids=[[1 << 22, 5]], container="none")["skipped"] == "gone"
    assert not desk.loaded, "none of them was worth loading the rules for"


def test_a_file_that_is_being_written_is_asked_for_again(desk, tmp_path):
    (tmp_path / "new.sh").write_bytes(b"#!/bin/sh\n")
    assert ask(desk, tmp_path / "new.sh", last=False)["skipped"] == "busy"
    assert "sample" in ask(desk, tmp_path / "new.sh", last=True)


def test_a_file_that_grows_under_the_hand(desk, tmp_path, monkeypatch):
    (tmp_path / "x.sh").write_bytes(b"#!/bin/sh\n" * 100)
    monkeypatch.setattr(samples, "MAX_SIZE", 1000)
    descriptor = os.open(tmp_path / "x.sh", os.O_RDONLY)
    found = os.fstat(descriptor)
    with (tmp_path / "x.sh").open("ab") as file:
        file.write(b"#" * 10)
    with pytest.raises(samples.Skip, match="size"):
        samples._read(descriptor, found, {"path": "x.sh", "executed": False, "last": True})
    os.close(descriptor)
    assert MAX_SIZE == 32 << 20


def test_a_running_file_is_read_whatever_its_path_leads_to(desk, tmp_path):
    program = tmp_path / "prog"
    program.write_bytes(Path("/bin/sleep").read_bytes() + b"xmrig donate-level randomx stratum+tcp rx/0")
    program.chmod(0o755)
    with subprocess.Popen([program, "30"]) as process:
        while os.readlink(f"/proc/{process.pid}/exe") != str(program):
            time.sleep(0.01)
        inode = program.stat().st_ino
        program.unlink()
        who = [[process.pid, procfs.start_ticks(process.pid) * TICK_NS]]
        found = ask(desk, program, pids=who, executed=True, memory=True, ino=inode)
        other = ask(desk, program, pids=who, executed=True, memory=True, ino=inode + 1)
        process.kill()
    assert found["sample"]["rule"] == "miner_xmrig"
    assert other == {"id": 1, "skipped": "gone"}


def test_without_the_engine_nothing_is_called_clean(desk, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "yara_x", None)
    (tmp_path / "e").write_bytes(EICAR)
    sample = ask(desk, tmp_path / "e")["sample"]
    assert (sample["verdict"], sample["class"], len(sample["sha256"])) == ("not_checked", "text", 64)
    assert "yara-x" in json.loads(capsys.readouterr().out)["scanner"]["why"]


def test_the_child_itself(tmp_path):
    (tmp_path / "e").write_bytes(EICAR)
    me = os.getpid()
    request = {
        "id": 4, "path": str(tmp_path / "e"), "dev": 0, "ino": 0, "container": "c", "executed": False, "memory": False,
        "last": True, "pids": [[me, procfs.start_ticks(me) * TICK_NS]],
    }  # fmt: skip
    command = [sys.executable, "-m", "seawall.runtime.collect.samples", str(tmp_path / "rules")]
    done = subprocess.run(
        command, input=json.dumps(request).encode() + b"\n", capture_output=True, timeout=60, check=True
    )
    about, answer = (json.loads(line) for line in done.stdout.splitlines())
    assert about["scanner"]["rules"] > 15
    assert answer["sample"]["rule"] == "eicar_test_file"
    assert list((tmp_path / "rules" / ".compiled").glob("*.yarac"))
