"""The spool: nothing acknowledged twice or lost, bounded, and alive when the disk is not."""

import json
import os
import random

import pytest

from seawall.agent import segments
from seawall.agent.spool import Spool


def sent(spool, batch):
    return [(kind, json.loads(payload)) for kind, payload in spool.payloads(batch)]


def fill(spool, kind, count, size=10):
    for number in range(count):
        spool.put(kind, {"n": number, "pad": "x" * size})


def test_the_most_precious_goes_first_and_in_order(tmp_path):
    spool = Spool(tmp_path)
    for kind in ("order", "snapshot", "alert", "heartbeat"):
        fill(spool, kind, 2)
    batch = spool.begin(100)
    assert [(kind, data["n"]) for kind, data in sent(spool, batch)] == [
        ("alert", 0),
        ("alert", 1),
        ("heartbeat", 1),
        ("snapshot", 0),
        ("snapshot", 1),
        ("order", 0),
        ("order", 1),
    ]
    assert spool.begin(100) is batch
    spool.acknowledge()
    assert spool.begin(100) is None
    assert spool.status() == {"items": 0, "bytes": 0, "dropped": {}}


def test_a_batch_under_way_outlives_the_process_unchanged(tmp_path):
    first = Spool(tmp_path)
    fill(first, "alert", 5)
    batch = first.begin(3)
    before = sent(first, batch)
    fill(first, "alert", 1)

    second = Spool(tmp_path)  # the first is gone without a word, as after kill -9
    again = second.begin(100)
    assert (again.instance, again.seq) == (batch.instance, batch.seq)
    assert sent(second, again) == before
    second.acknowledge()
    rest = second.begin(100)
    assert rest.instance != batch.instance
    assert [data["n"] for _, data in sent(second, rest)] == [3, 4, 0]


def test_what_was_acknowledged_is_not_sent_again(tmp_path):
    first = Spool(tmp_path)
    fill(first, "alert", 4)
    first.begin(3)
    first.acknowledge()
    second = Spool(tmp_path)
    assert [data["n"] for _, data in sent(second, second.begin(100))] == [3]
    assert second.status()["items"] == 1


def test_over_the_limit_the_least_precious_goes_first_and_is_counted(tmp_path):
    spool = Spool(tmp_path, limit=64 << 10)
    fill(spool, "inventory", 40, 1000)
    fill(spool, "alert", 50, 1000)
    status = spool.status()
    assert status["bytes"] <= 64 << 10
    assert set(status["dropped"]) == {"inventory"}
    fill(spool, "inventory", 40, 1000)
    status = spool.status()
    kept = []
    while batch := spool.begin(7):
        kept += [kind for kind, _ in sent(spool, batch)]
        spool.acknowledge()
    assert kept.count("alert") == 50
    assert kept.count("inventory") + status["dropped"]["inventory"] == 80


def test_a_full_spool_of_the_best_drops_its_oldest(tmp_path):
    spool = Spool(tmp_path, limit=32 << 10)
    fill(spool, "alert", 100, 1000)
    numbers = []
    while batch := spool.begin(7):
        numbers += [data["n"] for _, data in sent(spool, batch)]
        spool.acknowledge()
    assert numbers == list(range(100 - len(numbers), 100))
    assert spool.status()["dropped"] == {"alert": 100 - len(numbers)}


@pytest.mark.parametrize("cut", [1, 5, 9, 30])
def test_a_torn_tail_costs_one_record(tmp_path, cut):
    fill(Spool(tmp_path), "alert", 3)
    [path] = tmp_path.glob("alert-*.seg")
    os.truncate(path, path.stat().st_size - cut)
    spool = Spool(tmp_path)
    assert [data["n"] for _, data in sent(spool, spool.begin(9))] == [0, 1]
    assert spool.status()["dropped"] == {"alert": 1}


def test_a_flipped_bit_costs_one_record(tmp_path):
    fill(Spool(tmp_path), "alert", 3)
    [path] = tmp_path.glob("alert-*.seg")
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    spool = Spool(tmp_path)
    assert [data["n"] for _, data in sent(spool, spool.begin(9))] == [0, 2]
    spool.acknowledge()
    assert spool.status()["items"] == 0


@pytest.mark.parametrize(
    "rubbish", [b"", b"{", b"[]", b'{"heads": 3}', b'{"heads": {"alert": [1, 7]}, "batch": {}}', b"\xff"]
)
def test_a_rotten_state_sends_again_rather_than_losing(tmp_path, rubbish):
    fill(Spool(tmp_path), "alert", 3)
    (tmp_path / "state.json").write_bytes(rubbish)
    spool = Spool(tmp_path)
    assert len(sent(spool, spool.begin(9))) >= 3


def test_rubbish_in_the_folder_is_left_alone(tmp_path):
    (tmp_path / "alert-00000001.seg").write_bytes(random.Random(1).randbytes(5000))
    (tmp_path / "nonsense-1.seg").write_bytes(b"x")
    (tmp_path / "alert-x.seg").write_bytes(b"x")
    spool = Spool(tmp_path)
    fill(spool, "alert", 1)
    assert len(sent(spool, spool.begin(9))) == 1


def test_a_disk_that_refuses_costs_nothing_while_memory_lasts(tmp_path, monkeypatch):
    spool = Spool(tmp_path / "spool", memory=1000)
    fill(spool, "alert", 2)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(segments.Writer, "append", full)
        fill(spool, "order", 30)
        fill(spool, "alert", 30)
        status = spool.status()
    assert "No space left" in status["error"]
    assert status["dropped"]["order"] > 5
    assert "alert" not in status["dropped"]
    assert sum(kind == "alert" for kind, _ in sent(spool, spool.begin(100))) == 32
    spool.acknowledge()
    spool._retry_at = 0.0
    fill(spool, "alert", 1)
    assert "error" not in spool.status()


def test_a_folder_that_cannot_be_made_still_leaves_memory(tmp_path):
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "spool")
    fill(spool, "alert", 1)
    assert len(sent(spool, spool.begin(9))) == 1
    spool.acknowledge()
    assert "error" in spool.status()


def test_an_item_too_large_for_any_batch_is_counted(tmp_path):
    spool = Spool(tmp_path)
    spool.put_json("facts", b" " * (segments.MAX_RECORD + 1))
    assert spool.status()["dropped"] == {"facts": 1}


def test_a_refused_item_goes_alone(tmp_path):
    spool = Spool(tmp_path)
    fill(spool, "alert", 4)
    batch = spool.begin(9)
    spool.refuse(1)
    spool.refuse(1)  # the server counts what it was sent: this is item 2
    assert [data["n"] for _, data in sent(spool, spool.begin(9))] == [0, 3]
    assert spool.begin(9).seq == batch.seq
    again = Spool(tmp_path)
    assert [data["n"] for _, data in sent(again, again.begin(9))] == [0, 3]
    spool.acknowledge()
    assert spool.status()["dropped"] == {"alert": 2}
    assert spool.begin(9) is None


def test_a_batch_refused_without_a_reason_is_halved_until_the_culprit_stands_alone(tmp_path):
    spool = Spool(tmp_path)
    fill(spool, "alert", 8)
    fill(spool, "heartbeat", 1)
    fill(spool, "facts", 2)
    taken = []
    for _ in range(40):
        batch = spool.begin(100)
        if batch is None:
            break
        items = sent(spool, batch)
        if ("alert", 5) in [(kind, data["n"]) for kind, data in items]:
            spool.refuse()
        else:
            taken += [(kind, data["n"]) for kind, data in items]
            spool.acknowledge()
    expected = [("alert", n) for n in range(8) if n != 5] + [("heartbeat", 0), ("facts", 0), ("facts", 1)]
    assert sorted(taken) == sorted(expected)
    assert spool.status()["dropped"] == {"alert": 1}


def test_a_batch_stays_below_its_limits(tmp_path):
    spool = Spool(tmp_path)
    fill(spool, "snapshot", 50, 1000)
    assert spool.begin(1000, max_bytes=5000).items == 5
    spool.acknowledge()
    assert spool.begin(3, max_bytes=1 << 20).items == 3


def test_any_walk_keeps_what_is_not_acknowledged(tmp_path):
    """Random puts, batches, acknowledgements and deaths: every item arrives at least once, in order, none invented."""
    chance = random.Random(7)
    spool = Spool(tmp_path)
    put, arrived = 0, []
    for _ in range(600):
        what = chance.random()
        if what < 0.5:
            spool.put("alert", {"n": put, "pad": "x" * chance.randrange(20_000)})
            put += 1
        elif what < 0.9 and (batch := spool.begin(chance.randrange(1, 9))):
            arrived += [data["n"] for _, data in sent(spool, batch)]
            if chance.random() < 0.8:
                spool.acknowledge()
        elif what > 0.95:
            spool = Spool(tmp_path)
    while batch := spool.begin(100):
        arrived += [data["n"] for _, data in sent(spool, batch)]
        spool.acknowledge()
    assert sorted(set(arrived)) == list(range(put))
    assert spool.status()["items"] == 0


def test_the_newest_heartbeat_tells_what_the_one_before_had_counted(tmp_path) -> None:
    spool = Spool(tmp_path)
    for counts in ({"w1": 2}, {}, {"w1": 1, "w2": 1}):
        spool.put("heartbeat", {"at": len(counts), "silenced": counts})
    batch = spool.begin(10)
    assert batch is not None
    told = [json.loads(payload) for _, payload in spool.payloads(batch)]
    assert told == [{"at": 2, "silenced": {"w1": 3, "w2": 1}}]
    spool.put("heartbeat", {"at": 9, "silenced": {}})
    assert json.loads(spool._memory["heartbeat"][-1])["silenced"] == {}, "the batch under way has them"
