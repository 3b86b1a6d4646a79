"""Daemons: found again by another command, never mistaken for somebody else's process, stopped even when deaf."""

import json
import os
import sys
import time

import pytest

from seawall.core.errors import SeawallError
from seawall.node.daemon import Daemon


@pytest.fixture
def daemon(tmp_path):
    made = Daemon("test", tmp_path)
    yield made
    made.stop(patience=1)


def test_it_is_found_again_and_stopped_once(daemon, tmp_path):
    assert daemon.pid() is None
    pid = daemon.start([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"])
    again = Daemon("test", tmp_path)
    assert again.pid() == pid
    end = time.monotonic() + 5
    while "up" not in again.last_words() and time.monotonic() < end:
        time.sleep(0.02)
    assert again.last_words() == "up"
    assert again.stop()
    assert daemon.pid() is None
    assert not daemon.stop()


def test_a_pid_that_was_given_to_somebody_else_is_not_ours(daemon, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "test.json").write_text(json.dumps({"pid": os.getpid(), "start": 1}))
    assert daemon.pid() is None
    assert not daemon.stop()  # and this test goes on


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"pid": "x", "start": 1}', '{"pid": 1}'])
def test_a_rotten_file_is_no_process(daemon, tmp_path, rubbish):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "test.json").write_text(rubbish)
    assert daemon.pid() is None


def test_one_that_does_not_listen_is_killed(daemon):
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    daemon.start([sys.executable, "-c", code])
    end = time.monotonic() + 5
    while "deaf" not in daemon.last_words() and time.monotonic() < end:
        time.sleep(0.02)
    assert daemon.stop(patience=0.3)
    assert daemon.pid() is None


def test_one_that_ends_at_once_is_not_running(daemon):
    daemon.start([sys.executable, "-c", "raise SystemExit('no luck')"])
    end = time.monotonic() + 5
    while daemon.pid() and time.monotonic() < end:
        time.sleep(0.02)
    assert daemon.pid() is None
    assert "no luck" in daemon.last_words()


def test_a_program_that_does_not_exist_is_an_error(daemon):
    with pytest.raises(SeawallError, match="cannot start test"):
        daemon.start(["/no/such/program"])
