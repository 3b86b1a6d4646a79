"""Errands in real children: what they say arrives, what they break is said, and none outlives its limits."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seawall.agent import errands
from seawall.agent.errands import Errand, Errands

SOURCE = Path(errands.__file__).parents[2]

SCRIPT = """
import json, os, sys, time
how = sys.argv[1]
print(json.dumps({"progress": 0.5, "message": "half"}), flush=True)
if how == "good":
    for n in range(3):
        print(json.dumps({"item": {"n": n, "order": sys.argv[2], "nice": os.nice(0)}}), flush=True)
elif how == "fail":
    print("ran out of luck", file=sys.stderr)
    sys.exit(3)
elif how == "hang":
    time.sleep(60)
elif how == "memory":
    hog = bytearray(1 << 32)
elif how == "rubbish":
    print("not json"); print('{"progress": "x"}'); print("[]"); print('{"item": {"n": 1}}')
elif how == "flood":
    os.write(1, b"x" * (9 << 20))
    time.sleep(60)
elif how == "cut":
    os.write(1, b'{"item": {"n": 1}')
elif how == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def said(tmp_path, monkeypatch):
    (tmp_path / "errand_for_tests.py").write_text(SCRIPT)
    monkeypatch.setenv("PYTHONPATH", f"{SOURCE}:{tmp_path}")
    test = Errand("errand_for_tests", ("how", "order"), "facts", 3, 1 << 30)
    monkeypatch.setitem(errands.ERRANDS, "test", test)
    return []


@pytest.fixture
def runner(said):
    made = Errands(lambda kind, payload: said.append((kind, json.loads(payload))))
    yield made
    made.stop()


def order(how, id="o1"):
    return {"id": id, "kind": "test", "args": {"how": how}}


def end(said, seconds=10.0):
    """The last report about an order, once it is final."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        reports = [data for kind, data in said if kind == "order" and data["state"] in ("done", "failed")]
        if reports:
            return reports[-1]
        time.sleep(0.02)
    raise AssertionError(said)


def test_items_and_states_arrive_in_order(runner, said):
    runner.take(order("good"))
    assert end(said)["state"] == "done"
    assert [data["state"] for kind, data in said if kind == "order"] == ["accepted", "running", "done"]
    facts = [data for kind, data in said if kind == "facts"]
    assert [fact["n"] for fact in facts] == [0, 1, 2]
    assert facts[0]["order"] == "o1"
    assert facts[0]["nice"] >= 15


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ("fail", "ran out of luck"),
        ("hang", "stopped after 3 s"),
        ("memory", "MemoryError"),
        ("flood", "a line over"),
        ("killed", "SIGKILL"),
    ],
)
def test_a_failure_is_reported_with_its_reason_and_leaves_no_process(runner, said, how, complaint):
    runner.take(order(how))
    report = end(said)
    assert report["state"] == "failed"
    assert complaint in report["error"]
    assert not _children()


def test_rubbish_between_items_is_passed_over(runner, said):
    runner.take(order("rubbish"))
    assert end(said)["state"] == "done"
    assert [data for kind, data in said if kind == "facts"] == [{"n": 1}]


def test_half_a_line_is_no_item(runner, said):
    runner.take(order("cut"))
    end(said)
    assert not [data for kind, data in said if kind == "facts"]


@pytest.mark.parametrize("args", [{}, {"how": 7}, {"how": "a\0b"}, {"how": "x" * 5000}])
def test_arguments_that_are_none_are_refused(runner, said, args):
    runner.take({"id": "o1", "kind": "test", "args": args})
    assert "the order's how is" in end(said)["error"]


def test_an_unknown_order_is_refused_at_once(runner, said):
    runner.take({"id": "o1", "kind": "make.coffee", "args": {}})
    assert said[0][1]["state"] == "failed"
    assert "upgrade" in said[0][1]["error"]


def test_one_at_a_time_and_a_bounded_queue(runner, said):
    for number in range(errands.MAX_WAITING + 3):
        runner.take(order("hang", f"o{number}"))
    assert len(_children()) <= 1
    refused = [data for _, data in said if data["state"] == "failed"]
    assert 1 <= len(refused) <= 3
    assert "wait on this node already" in refused[0]["error"]


def test_paused_errands_wait(runner, said):
    runner.pause(True)
    runner.take(order("good"))
    time.sleep(0.3)
    assert [data["state"] for _, data in said] == ["accepted"]
    assert "waiting" in said[0][1]["message"]
    runner.pause(False)
    assert end(said)["state"] == "done"


def test_stop_kills_what_runs(runner, said):
    runner.take(order("hang"))
    deadline = time.monotonic() + 5
    while not _children() and time.monotonic() < deadline:
        time.sleep(0.02)
    runner.stop()
    while _children() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _children()


def test_a_child_dies_with_an_agent_that_is_killed(tmp_path, said):
    """kill -9 on the parent: nobody is left to clean up but the kernel."""
    code = (
        "from seawall.agent import errands\n"
        "errands.ERRANDS['test'] = errands.Errand('errand_for_tests', ('how', 'order'), 'facts', 60, 1 << 30)\n"
        "runner = errands.Errands(lambda kind, payload: None)\n"
        "runner.take({'id': 'o', 'kind': 'test', 'args': {'how': 'hang'}})\n"
        "import time\n"
        "while not runner._child: time.sleep(0.01)\n"
        "print(runner._child, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        child = int(parent.stdout.readline())
        time.sleep(0.5)  # past child.py, into the errand
        assert Path(f"/proc/{child}").exists()
        parent.kill()
        parent.wait(5)
    deadline = time.monotonic() + 5
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(child)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _children():
    found = []
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            found += [int(pid) for pid in (task / "children").read_text().split()]
    return [pid for pid in found if _alive(pid)]
