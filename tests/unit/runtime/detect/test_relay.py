"""Relays: which shells count, what is forgotten, and that the tables stay bounded."""

import pytest

from seawall.runtime.detect.examples import build
from seawall.runtime.detect.relay import MAX_ENTRIES, Relays, is_bare_shell


def shell(args, exe="/bin/sh", stdio=("pipe 1", "pipe 2", "pipe 2")):
    return {"kind": "exec", "container": True, "process": {"pid": 11, "exe": exe, "args": args, "stdio": list(stdio)}}


def one(description):
    return build({"event": description})[0]


@pytest.mark.parametrize(
    ("args", "exe", "bare"),
    [
        (["sh"], "/bin/sh", True),
        (["sh", "-i"], "/bin/dash", True),
        (["bash", "--norc", "-i"], "/bin/bash", True),
        (["sh", "-c", "id"], "/bin/sh", False),
        (["bash", "-ec", "id"], "/bin/bash", False),
        (["bash", "script.sh"], "/bin/bash", False),
        (["sh", "-xe", "script"], "/bin/sh", False),
        (["busybox", "sh", "-i"], "/bin/busybox", True),
        (["cat"], "/bin/cat", False),
    ],
)
def test_a_bare_shell_has_neither_command_nor_script(args, exe, bare):
    assert is_bare_shell(one(shell(args, exe)).process) is bare


def test_a_terminal_or_a_file_is_no_relay():
    assert not is_bare_shell(one(shell(["sh"], stdio=("tty", "tty", "tty"))).process)
    assert not is_bare_shell(one(shell(["sh"], stdio=("pipe 1", "file", "file"))).process)


CONNECT = {
    "kind": "connect",
    "container": True,
    "process": {"pid": 12, "exe": "/bin/nc", "stdio": ["pipe 2", "pipe 1", "null"]},
}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"peer": "203.0.113.9:9"}, True),
        ({"peer": "203.0.113.9:9", "result": -115}, True),
        ({"peer": "203.0.113.9:9", "result": -111}, False),
        ({"peer": "127.0.0.1:9"}, False),
        ({"peer": "/run/x.sock"}, False),
        ({"peer": "203.0.113.9:0"}, False),
    ],
)
def test_only_a_connection_to_the_outside_counts(more, found):
    relays = Relays()
    relays.observe(one(shell(["sh"])))
    assert bool(relays.observe(one(CONNECT | more))) is found


def test_the_end_of_the_shell_ends_the_relay():
    relays = Relays()
    relays.observe(one(shell(["sh"])))
    relays.observe(one(shell(["sh"]) | {"kind": "exit"}))
    assert not relays.observe(one(CONNECT | {"peer": "203.0.113.9:9"}))


def test_an_old_connection_of_the_parent_no_longer_counts():
    relays = Relays()
    parent = {"pid": 12, "exe": "/bin/nc", "stdio": []}
    relays.observe(one({"kind": "connect", "container": True, "process": parent, "peer": "203.0.113.9:9"}))
    child = one(shell(["sh"]) | {"parents": [parent]})
    assert relays.observe(child)["relay"] == "parent"
    child.time += 7200
    assert not relays.observe(child)


def test_tables_are_bounded():
    relays = Relays()
    for number in range(MAX_ENTRIES + 100):
        described = shell(["sh"], stdio=(f"pipe {2 * number + 1}", f"pipe {2 * number + 2}", "null"))
        described["process"]["pid"] = number + 2
        relays.observe(one(described))
    assert len(relays._shells) == MAX_ENTRIES
