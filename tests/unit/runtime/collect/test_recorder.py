"""What was recorded comes back, in order, within its bounds, whatever happens to the disk."""

import json
import os
import zlib

import pytest

from seawall.core.errors import Hostile
from seawall.runtime.collect import recorder
from seawall.runtime.collect.recorder import Recorder, read, segments


def made(folder, **more) -> Recorder:
    one = Recorder(folder, **more)
    one.header = lambda: {"clock": 1.5}
    return one


def records(folder) -> list[bytes]:
    return [record for segment in segments(folder) for record in list(read(segment.path))[1:]]


def test_records_come_back_in_order(tmp_path):
    one = made(tmp_path)
    wanted = [bytes([at]) * (at + 1) for at in range(200)]
    for at, record in enumerate(wanted):
        one.add(memoryview(record))
        one.due(1000.0 + at)
    one.due(2000.0, finish=True)
    one.close()
    (segment,) = segments(tmp_path)
    header = json.loads(next(read(segment.path)))
    assert header == {"form": recorder.FORM, "from": segment.begun, "clock": 1.5}
    assert records(tmp_path) == wanted


def test_a_crash_costs_only_what_waited(tmp_path):
    one = made(tmp_path)
    one.add(memoryview(b"first"))
    one.due(100.0)
    one.due(106.0)
    one.add(memoryview(b"second"))
    assert records(tmp_path) == [b"first"], "no close, no final flush"


def test_old_segments_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "SEGMENT", 10_000)
    one = made(tmp_path, limit=50_000)
    for at in range(300):
        one.add(memoryview(os.urandom(1000)))
        one.due(1000.0 + at * 10, finish=True)
    kept = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert kept <= 52_000
    assert segments(tmp_path)[0].begun > 1000.0


def test_segments_from_a_time_on_include_the_one_it_lies_in(tmp_path):
    for name in ("000000000001000", "000000000005000", "000000000009000"):
        (tmp_path / f"{name}.rec").write_bytes(b"")
    assert [segment.begun for segment in segments(tmp_path, 6.0)] == [5.0, 9.0]
    assert [segment.begun for segment in segments(tmp_path)] == [1.0, 5.0, 9.0]


def test_a_disk_that_refuses_ends_the_recording_and_not_the_agent(tmp_path):
    place = tmp_path / "file"
    place.write_text("not a folder")
    one = made(place)
    one.add(memoryview(b"x"))
    one.due(1.0)
    one.due(99.0)
    assert "not recorded" in one.error
    one.add(memoryview(b"y"))


@pytest.mark.parametrize("body", [b"rubbish" * 100, zlib.compress(b"x" * (recorder.MAX_HEADER + (1 << 21)))])
def test_what_is_no_recording_is_refused(tmp_path, body):
    path = tmp_path / "000000000000001.rec"
    path.write_bytes(body)
    with pytest.raises(Hostile):
        list(read(path))


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "MAX_UNPACKED", 1 << 20)
    path = tmp_path / "000000000000001.rec"
    path.write_bytes(zlib.compress(b"{}\n" + b"\x01\x00x" * (1 << 20)))
    with pytest.raises(Hostile, match="unpacks"):
        list(read(path))


def test_notes_come_first_and_are_packed_in_portions(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "PORTION", 1000)
    one = made(tmp_path)
    one.notes = lambda: ({"process": {"pid": number, "exe": "/bin/" + "x" * 100}} for number in range(100))
    one.add(memoryview(b"record"))
    one.due(1.0)
    one.due(99.0)
    one.close()
    *notes, last = records(tmp_path)
    assert [json.loads(note[1:])["process"]["pid"] for note in notes] == list(range(100))
    assert {note[0] for note in notes} == {recorder.NOTE}
    assert last == b"record"
