"""Snapshots: an unchanged inventory is silent, a changed one sends only what changed."""

from seawall.core.delta import delta, take

ONE = {"id": "1", "name": "web"}
TWO = {"id": "2", "name": "db"}


def test_the_first_snapshot_is_whole():
    snapshot, records = take([ONE, TWO])
    step = delta(None, snapshot, records)
    assert step is not None
    assert (step.base, step.hash, step.upsert, step.remove) == (None, snapshot.hash, [ONE, TWO], [])


def test_nothing_changed_says_nothing():
    snapshot, records = take([ONE, TWO])
    again, _ = take([TWO, ONE])
    assert delta(snapshot, again, records) is None


def test_change_and_removal_travel_alone():
    old, _ = take([ONE, TWO])
    new, records = take([{**ONE, "name": "web2"}])
    step = delta(old, new, records)
    assert step is not None
    assert (step.base, step.upsert, step.remove) == (old.hash, [{"id": "1", "name": "web2"}], ["2"])
