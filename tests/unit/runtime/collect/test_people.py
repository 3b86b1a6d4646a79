"""Names come from the process's own files, which may be anything."""

import os
from pathlib import Path

import pytest

from seawall.runtime.collect import people
from seawall.runtime.model import Container, Process


@pytest.fixture
def root(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/sh\nodd\nx:y:z\n:\n")
    return tmp_path


def test_names_are_read(root):
    assert people.names(str(root), "etc/passwd") == {0: "root", 33: "web"}
    assert people.names(str(root), "etc/group") == {}


def test_nothing_outside_the_root_is_read(root):
    (root / "etc/group").symlink_to("/etc/passwd")
    assert people.names(str(root), "etc/group") == {0: "root", 33: "web"}  # its own, not the host's
    (root / "etc/passwd").unlink()
    assert people.names(str(root), "etc/group") == {}


def test_what_is_no_plain_file_does_not_hold_us(root):
    (root / "etc/passwd").unlink()
    os.mkfifo(root / "etc/passwd")
    assert people.names(str(root), "etc/passwd") == {}


def test_a_process_is_filled_in_where_rules_ask():
    mine = Process(os.getpid(), 1, uid=0, loginuid=0)
    found = people.People()
    found.fill(mine, started=True)
    assert (mine.user, mine.env) == ("", None)
    found.begin({"people": True, "environment": True})
    found.fill(mine, started=True)
    assert (mine.user, mine.login) == ("root", "root")
    first = Path("/proc/self/environ").read_text("utf-8", "surrogateescape").partition("\0")[0]
    assert mine.env is not None and mine.env[0] == first[: people.MAX_ENVIRONMENT], (
        "its head, which may be short of PATH"
    )
    gone = Process(1 << 30, 1, container=Container("c" * 64))
    found.fill(gone, started=True)
    assert (gone.user, gone.env) == ("", None)
