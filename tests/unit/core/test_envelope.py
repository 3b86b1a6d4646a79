"""The wire envelope: what goes in comes out; rubbish, bombs and cut-off bodies are refused by name."""

import zlib

import pytest

from seawall.core import envelope
from seawall.core.envelope import Batch, Item
from seawall.core.errors import Hostile

BATCH = Batch("life-1", 7, "2026-11-23T17:00:00.000Z", [Item("alert", {"id": "a", "text": "反弹"})])


def test_a_batch_survives_the_wire():
    assert envelope.decode(envelope.encode(BATCH)) == BATCH


def test_items_that_are_json_already_are_packed_as_they_are():
    packed = envelope.pack("life-1", 7, BATCH.sent_at, [("alert", '{"id": "a", "text": "反弹"}'.encode())])
    assert envelope.decode(packed) == BATCH
    assert envelope.decode(envelope.pack("x", 1, "", [])).items == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"rubbish", "not zlib"),
        (envelope.encode(BATCH)[:-4], "cut off"),
        (zlib.compress(b"0" * (envelope.MAX_PLAIN + 1)), "inflates to more"),
        (b"0" * (envelope.MAX_COMPRESSED + 1), "limit"),
        (zlib.compress(b"[]"), "wire's form"),
        (zlib.compress(b'{"v":1,"instance":"x","seq":1,"sent_at":"","items":[{"kind":"alert","data":[]}]}'), "object"),
        (zlib.compress(b'{"v":2,"instance":"x","seq":1,"sent_at":"","items":[]}'), "version 2"),
        (zlib.compress(b"[" * 100_000), "wire's form"),
    ],
)
def test_what_is_not_a_batch_is_refused(body, complaint):
    with pytest.raises(Hostile, match=complaint):
        envelope.decode(body)
