"""The queue of files for the scanner: what is taken, when, how often, and that nothing vanishes uncounted."""

import pytest

from seawall.runtime.detect.examples import build
from seawall.runtime.detect.samples import AGAIN, BURST, MAX_QUIET, MAX_WAITING, QUIET, RETRIES, Samples
from seawall.runtime.model import Kind

NOW = 1_000_000.0


def write(path="/tmp/x", at=NOW, **more):
    file = {"path": path, "mode": 0o100644, "dev": 5, "ino": 7, **more}
    event = build({"event": {"kind": "open", "container": True, "process": {"exe": "/bin/sh"}, "file": file}})[0]
    event.time = at
    return event


def start(path="/tmp/x", at=NOW, container=True, **marks):
    event = build({"event": {"kind": "exec", "container": container, "process": {"exe": path, **marks}}})[0]
    event.time = at
    return event


def clean(request, verdict="clean"):
    return {"id": request["id"], "sample": {"verdict": verdict, "sha256": "aa"}}


def skipped(samples):
    return dict(samples.counts.skipped)


def test_a_written_file_waits_until_it_is_left_alone():
    samples = Samples()
    samples.observe(write())
    samples.observe(write(at=NOW + 0.9))
    assert samples.take(NOW + QUIET) == []
    asked = samples.take(NOW + 1.9)
    assert [(one["path"], one["dev"], one["ino"], one["executed"]) for one in asked] == [("/tmp/x", 5, 7, False)]
    assert asked[0]["pids"] == [[100, 1]]
    for tenth in range(200):
        samples.observe(write("/var/log/x", at=NOW + tenth / 10))
    assert samples.take(NOW + MAX_QUIET), "a file that is never left alone is looked at all the same"


@pytest.mark.parametrize(
    "event",
    [
        write(mode=0o010644),
        write(mode=0o020644),
        write(fs="proc"),
        write(fs="cgroup"),
        write(deleted=True),
        build({"event": {"kind": "open", "process": {}, "file": "/tmp/x"}})[0],
        build({"event": {"kind": "open", "container": True, "process": {"started": False}, "file": "/tmp/x"}})[0],
        build({"event": {"kind": "open", "container": True, "process": {}, "file": "/tmp/x", "result": -13}})[0],
        build({"event": {"kind": "connect", "container": True, "process": {}, "peer": "1.2.3.4:5"}})[0],
        start(container=False, upper=True),
    ],
    ids=["fifo", "device", "proc", "cgroup", "deleted", "host", "set-up", "failed", "connect", "host runs"],
)  # fmt: skip
def test_what_is_no_sample(event):
    samples = Samples()
    samples.observe(event)
    assert len(samples) == samples.counts.seen == 0


def test_what_is_started_is_asked_at_once_and_only_once():
    samples = Samples()
    event = start(upper=True)
    samples.observe(event)
    assert samples.take(NOW)[0]["executed"] is True
    object.__setattr__(event.process.file, "fs_magic", 0x794C7630)
    object.__setattr__(event.process.file, "ctime", 9)
    for _ in range(3):
        samples.observe(event)
    assert samples.counts.seen == 2
    image = start()
    object.__setattr__(image.process.file, "fs_magic", 0x794C7630)
    samples.observe(image)
    assert samples.counts.seen == 2, "the image's own program"
    memory = start("/memfd:x", memfd=True)
    samples.observe(memory)
    assert samples.take(NOW)[-1]["memory"] is True


def test_written_then_started_is_one_file():
    samples = Samples()
    samples.observe(write())
    samples.observe(start(upper=True, at=NOW + 0.1))
    asked = samples.take(NOW + 0.2)
    assert [one["executed"] for one in asked] == [True]
    event = samples.answer(clean(asked[0], "malicious"), NOW + 1)
    assert event.kind is Kind.SCAN
    assert event.raw["sample"] == {"verdict": "malicious", "sha256": "aa", "executed": True}
    assert event.process.exe == "/tmp/x"
    assert (samples.counts.scanned, samples.counts.found) == (1, 1)


def test_a_file_that_moves_is_followed():
    samples = Samples()
    samples.observe(write("/tmp/x.part"))
    moved = build({"event": {"kind": "call", "container": True, "process": {}}})[0]
    moved.syscall, moved.paths = "renameat2", ("/tmp/x.part", "/srv/x.php")
    samples.observe(moved)
    assert [one["path"] for one in samples.take(NOW + 2)] == ["/srv/x.php"]


def test_busy_and_empty_files_are_asked_again_and_not_for_ever():
    samples = Samples()
    samples.observe(write())
    now = NOW + QUIET
    for wait in RETRIES:
        asked = samples.take(now)[0]
        assert asked["last"] is False
        assert samples.answer({"id": asked["id"], "skipped": "busy"}, now) is None
        assert samples.take(now + wait - 0.1) == []
        now += wait
    asked = samples.take(now)[0]
    assert asked["last"] is True
    assert samples.answer({"id": asked["id"], "skipped": "empty"}, now) is None
    assert skipped(samples) == {"empty": 1}


def test_the_sensors_silence_is_made_up_for():
    samples = Samples()
    samples.observe(write())
    asked = samples.take(NOW + 1)[0]
    samples.answer(clean(asked), NOW + 1)
    assert samples.take(NOW + 1 + AGAIN - 1) == []
    again = samples.take(NOW + 1 + AGAIN)[0]
    assert again["path"] == "/tmp/x"
    samples.answer(clean(again), NOW + 70)
    assert len(samples) == 0, "once"
    samples.observe(write(at=NOW + 200))
    asked = samples.take(NOW + 202)[0]
    samples.answer(clean(asked, "malicious"), NOW + 202)
    assert len(samples) == 0, "known to be bad"


def test_rate_and_queue_are_bounded_and_counted():
    samples = Samples()
    for number in range(MAX_WAITING + 20):
        samples.observe(write(f"/tmp/{number}"))
    assert skipped(samples) == {"queue": 20}
    assert len(samples.take(NOW + 10)) == BURST
    assert samples.take(NOW + 10) == []
    assert len(samples.take(NOW + 11)) == 20


def test_a_file_that_kills_the_scanner_is_asked_twice():
    samples = Samples()
    samples.observe(write())
    assert samples.take(NOW + 1)
    samples.died(NOW + 2)
    assert samples.take(NOW + 2)
    assert not samples.stuck(NOW + 10)
    assert samples.stuck(NOW + 100)
    samples.died(NOW + 100)
    assert samples.take(NOW + 100) == []
    assert skipped(samples) == {"lost": 1}
    assert samples.status()["waiting"] == 0


def test_reasons_and_strangers():
    samples = Samples()
    samples.observe(write())
    asked = samples.take(NOW + 1)[0]
    assert samples.answer({"id": 99, "skipped": "x"}, NOW) is None
    samples.answer({"id": asked["id"], "skipped": "size"}, NOW + 1)
    assert skipped(samples) == {"size": 1}
    samples = Samples()
    samples.observe(write())
    event = samples.answer(clean(samples.take(NOW + 1)[0], "not_checked"), NOW + 1)
    assert event.raw["sample"]["verdict"] == "not_checked"
    assert skipped(samples) == {"not_checked": 1}


def test_a_clock_that_is_set_back_stops_nothing():
    samples = Samples()
    samples.observe(write())
    assert samples.take(NOW + 2)
    samples.observe(write("/tmp/y", at=NOW - 9000))
    assert samples.take(NOW - 8990)
    assert samples.take(NOW - 8990) == []
