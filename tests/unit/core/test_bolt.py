"""The bbolt reader: what a database holds, and that no broken or hostile one leads it astray."""

import random
import struct
from pathlib import Path
from typing import Any

import pytest

import bolts
from seawall.core.bolt import Bolt, Bucket, is_bolt, open_bolt
from seawall.core.errors import Hostile

TREE: Any = {
    b"empty": {},
    b"few": {b"a": b"1", b"b": b"", b"deeper": {b"x": {b"y": b"z"}}},
    b"many": {b"key %05d" % at: b"value %d" % at for at in range(20_000)},
    b"large": {b"one": b"x" * 300_000, b"two": b"y"},
}


def _read(bucket: Bucket) -> dict[bytes, Any]:
    return {key: _read(value) if isinstance(value, Bucket) else value for key, value in bucket.items()}


def test_all_that_was_written_is_read(tmp_path: Path) -> None:
    bolts.write(tmp_path / "db", TREE)
    assert is_bolt((tmp_path / "db").read_bytes()[:80])
    with open_bolt(tmp_path / "db") as bolt:
        assert _read(bolt.root) == TREE
        assert [name for name, _ in bolt.root.buckets()] == sorted(TREE)
        many = bolt.root.bucket("many")
        assert many is not None
        assert many.value("key 12345") == b"value 12345"
        assert many.value("key 1234") is None
        assert many.value("a") is None
        deep = bolt.root.bucket("few", "deeper", "x")
        assert deep is not None and list(deep.values()) == [(b"y", b"z")]
        assert bolt.root.bucket("few", "a") is None
        assert bolt.root.value("few") is None


def test_the_last_whole_transaction_counts(tmp_path: Path) -> None:
    bolts.write(tmp_path / "db", {b"a": b"1"})
    data = bytearray((tmp_path / "db").read_bytes())
    data[4096 + 40] ^= 1  # the newer head is torn
    assert _read(Bolt(data).root) == {b"a": b"1"}
    data[40] ^= 1
    with pytest.raises(Hostile):
        Bolt(data)


def test_no_bolt_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(Hostile), open_bolt(tmp_path / "empty"):
        pass
    for data in (b"", b"SQLite format 3\0" * 9000, bytes(100_000)):
        with pytest.raises(Hostile):
            Bolt(data)


def _with_page(page: bytes, number: int, root: int) -> bytes:
    """A database whose pages 2… are empty leaves but for one."""
    plain = b"".join(
        (struct.pack("<QHHI", at, 0x02, 0, 0)).ljust(4096, b"\0") if at != number else page.ljust(4096, b"\0")
        for at in range(2, 6)
    )
    return bolts._meta(0, root, 5, 6) + bolts._meta(1, root, 5, 6) + plain


def _bucket(root: int) -> bytes:
    return struct.pack("<QQ", root, 0)


HOSTILE = {
    "a branch that is its own child": struct.pack("<QHHI", 2, 1, 1, 0) + struct.pack("<IIQ", 16, 0, 2),
    "a child named twice": struct.pack("<QHHI", 2, 1, 2, 0) + struct.pack("<IIQIIQ", 32, 0, 3, 16, 0, 3),
    "a child outside": struct.pack("<QHHI", 2, 1, 1, 0) + struct.pack("<IIQ", 16, 0, 1 << 40),
    "a bucket in itself": struct.pack("<QHHI", 2, 2, 1, 0) + bolts.leaf([(1, b"a", _bucket(2))]),
    "two buckets that are one": struct.pack("<QHHI", 2, 2, 2, 0)
    + bolts.leaf([(1, b"a", _bucket(3)), (1, b"b", _bucket(3))]),
    "a bucket cut off": struct.pack("<QHHI", 2, 2, 1, 0) + bolts.leaf([(1, b"a", b"\0")]),
    "more elements than room": struct.pack("<QHHI", 2, 2, 65535, 0),
    "pages beyond the end": struct.pack("<QHHI", 2, 2, 0, 0xFFFF_FFFF),
    "a page that is another": struct.pack("<QHHI", 3, 2, 0, 0),
    "a free list as a tree": struct.pack("<QHHI", 2, 0x10, 0, 0),
    "a key beyond the page": struct.pack("<QHHI", 2, 2, 1, 0) + struct.pack("<IIII", 0, 16, 30_000, 0),
    "a value beyond the page": struct.pack("<QHHI", 2, 2, 1, 0) + struct.pack("<IIII", 0, 16, 1, 0xFFFF_FFFF),
    "values that share their bytes": struct.pack("<QHHI", 2, 2, 2, 0)
    + struct.pack("<IIIIIIII", 0, 32, 1, 90, 0, 16, 1, 90).ljust(500, b"x"),
    "a bucket in a value's bucket": struct.pack("<QHHI", 2, 2, 1, 0)
    + bolts.leaf([(1, b"a", _bucket(0) + struct.pack("<QHHI", 0, 2, 1, 0) + bolts.leaf([(1, b"b", _bucket(3))]))]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_refused(name: str) -> None:
    bolt = Bolt(_with_page(HOSTILE[name], 2, 2))
    with pytest.raises(Hostile):
        _read(bolt.root)


def test_a_cycle_over_several_pages_ends(tmp_path: Path) -> None:
    forth = (struct.pack("<QHHI", 2, 1, 1, 0) + struct.pack("<IIQ", 16, 0, 3)).ljust(4096, b"\0")
    back = (struct.pack("<QHHI", 3, 1, 1, 0) + struct.pack("<IIQ", 16, 0, 2)).ljust(4096, b"\0")
    bolt = Bolt(bolts._meta(0, 2, 5, 6) + bolts._meta(1, 2, 5, 6) + forth + back)
    with pytest.raises(Hostile):
        _read(bolt.root)
    with pytest.raises(Hostile, match="levels"):
        bolt.root.get(b"a")


def test_flipped_bytes_end_in_hostile_or_in_an_answer(tmp_path: Path) -> None:
    small: Any = {b"b%d" % at: {b"k%d" % key: b"v" * key for key in range(40)} for at in range(12)}
    bolts.write(tmp_path / "db", small)
    whole = (tmp_path / "db").read_bytes()
    chance = random.Random(7)
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[
                chance.choice((chance.randrange(len(data)), chance.randrange(2, 14) * 4096 + chance.randrange(60)))
            ] = chance.choice((0, 1, 255, chance.randrange(256)))
        try:
            bolt = Bolt(data)
            bolt.root.get(b"b5")
            _read(bolt.root)
        except Hostile:
            pass
