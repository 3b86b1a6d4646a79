"""Collectors on this very machine: its processes, its ports, its host; and a daemon that is not there."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from seawall.assets import collect
from seawall.assets.collect import Node, records
from seawall.assets.collect.hosts import os_release
from seawall.assets.collect.ports import listening
from seawall.assets.collect.processes import coarse
from seawall.core.errors import Unreachable
from seawall.node import users
from seawall.node.docker import Docker


def test_every_collector_file_is_listed() -> None:
    files = {path.stem for path in Path(collect.__file__).parent.glob("*.py")} - {"__init__", "node", "docker_events"}
    assert files == set(collect.KINDS)


def test_processes_see_this_one_and_read_it_once() -> None:
    node = Node(None)
    mine = next(one for one in records("processes", node) if one["pid"] == os.getpid())
    assert mine["exe"] == os.path.realpath("/proc/self/exe")
    assert mine["ppid"] == os.getppid()
    assert mine["id"].startswith(f"{os.getpid()}-")
    assert (
        abs(time.time() - time.mktime(time.strptime(mine["started_at"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone)
        < 7200
    )
    again = next(one for one in records("processes", node) if one["pid"] == os.getpid())
    assert again["args"] == mine["args"]


def test_a_process_that_execs_is_read_anew() -> None:
    node = Node(None)
    child = subprocess.Popen(["sh", "-c", "read x; exec sleep 60"], stdin=subprocess.PIPE)
    try:
        before = next(one for one in records("processes", node) if one["pid"] == child.pid)
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.close()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            after = next(one for one in records("processes", node) if one["pid"] == child.pid)
            if after["name"] == "sleep":
                break
            time.sleep(0.02)
        assert before["name"] != "sleep"
        assert after["args"] == ["sleep", "60"]
        assert after["id"] == before["id"]
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("family", "address", "proto"), [(socket.AF_INET, "127.0.0.1", "tcp"), (socket.AF_INET6, "::1", "tcp6")]
)
def test_ports_name_the_process(family: int, address: str, proto: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as waiting:
        waiting.bind((address, 0))
        waiting.listen()
        port = waiting.getsockname()[1]
        found = [one for one in records("ports", Node(None)) if one["port"] == port]
    assert [(one["proto"], one["address"], one["pid"], one["exposure"]) for one in found] == [
        (proto, address, os.getpid(), "local")
    ]


def test_a_line_that_is_no_socket_is_passed_over() -> None:
    text = "head\n 0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 77 1\nrubbish\n 1: ZZ:1 0:0 0A a b c d e 1 1\n"
    assert [(one.address, one.port, one.inode) for one in listening(text, "tcp")] == [("127.0.0.1", 8080, 77)]


def test_the_host_is_shown_and_a_dead_daemon_says_why(tmp_path: Path) -> None:
    node = Node(Docker(str(tmp_path / "none.sock")))
    (host,) = records("hosts", node)
    assert host["name"] == os.uname().nodename
    assert host["runtimes"][0]["reachable"] is False
    assert "none.sock" in host["runtimes"][0]["error"]
    with pytest.raises(Unreachable):
        list(records("containers", node))
    (alone,) = records("hosts", Node(None))
    assert "no Docker socket" in alone["runtimes"][0]["error"]


def test_os_release() -> None:
    assert os_release('# x\nID=debian\nPRETTY_NAME="A = B"\nrubbish\n') == {"ID": "debian", "PRETTY_NAME": "A = B"}


def test_sizes_are_coarse_enough_to_stay_the_same() -> None:
    assert coarse(1_000_000_000) == coarse(1_010_000_000)
    assert abs(coarse(1_000_000_000) - 1_000_000_000) < 70_000_000


def test_names_of_users_are_not_read_through_links(tmp_path: Path) -> None:
    assert users.name(None, 0) == "root"
    assert users.name(os.getpid(), 4_000_000) == "4000000"
    assert users.inside(None, *str(tmp_path).strip("/").split("/"), "none") is None
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "passwd").write_text("evil:x:0:")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "passwd")
    parts = str(tmp_path).strip("/").split("/")
    assert users.inside(None, *parts, "real", "passwd") == b"evil:x:0:"
    assert users.inside(None, *parts, "link", "passwd") is None
    assert users.inside(None, *parts, "pipe", "passwd") is None
