"""The writer: groups of steps, one that fails among them, a full queue, a commit that fails, a clean end."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from seawall.core.errors import SeawallError, Unreachable
from seawall.lists import Change
from seawall.server.db import Busy, Database


@pytest.fixture
def told() -> list[Change]:
    return []


@pytest.fixture
def base(tmp_path: Path, told: list[Change]) -> Database:
    base = Database(tmp_path / "x.db", told.extend, waiting=50)
    base.write(lambda connection: (connection.execute(text("create table t (n integer primary key)")), ()))
    return base


def put(number: int, fail: bool = False) -> object:
    def step(connection: Connection) -> tuple[int, list[Change]]:
        connection.execute(text("insert into t values (:n)"), {"n": number})
        if fail:
            raise ValueError("no")
        return number, [Change("t/add", {"n": number})]

    return step


def numbers(base: Database) -> list[int]:
    with base.reading() as connection:
        return list(connection.execute(text("select n from t order by n")).scalars())


def held(base: Database) -> threading.Event:
    """Stop the writer inside a step until the event is set."""
    begun, go = threading.Event(), threading.Event()

    def step(_connection: Connection) -> tuple[None, list[Change]]:
        begun.set()
        assert go.wait(10)
        return None, []

    base.submit(step)
    assert begun.wait(5)
    return go


def test_a_step_that_fails_costs_no_other_of_its_group(base: Database, told: list[Change]) -> None:
    go = held(base)
    futures = [base.submit(put(n, fail=n == 3)) for n in range(6)]
    go.set()
    assert [future.result(5) for future in futures if future is not futures[3]] == [0, 1, 2, 4, 5]
    with pytest.raises(ValueError, match="no"):
        futures[3].result(5)
    assert numbers(base) == [0, 1, 2, 4, 5]
    assert [change.payload["n"] for change in told] == [0, 1, 2, 4, 5]
    base.close()


def test_changes_are_published_after_the_commit_and_before_the_answer(base: Database, told: list[Change]) -> None:
    seen: list[list[int]] = []
    base._publish = lambda changes: seen.append(numbers(base)) if changes else None
    base.write(put(7))
    assert seen == [[7]]
    base.close()


def test_a_full_queue_says_so_at_once(base: Database) -> None:
    go = held(base)
    for number in range(50):
        base.submit(put(number))
    with pytest.raises(Busy):
        base.submit(put(99))
    assert base.waiting() == 50
    assert base.lag() > 0
    go.set()
    base.close()
    with pytest.raises(Busy):
        base.submit(put(100))


def test_closing_writes_what_is_queued(base: Database, tmp_path: Path) -> None:
    go = held(base)
    futures = [base.submit(put(number)) for number in range(20)]
    closer = threading.Thread(target=base.close)
    closer.start()
    time.sleep(0.05)
    go.set()
    closer.join(5)
    assert [future.result(0) for future in futures] == list(range(20))
    again = Database(tmp_path / "x.db", lambda _changes: None)
    assert numbers(again) == list(range(20))
    again.close()


def test_when_the_commit_fails_all_of_the_group_hear_it(base: Database) -> None:
    go = held(base)
    good = base.submit(put(1))

    def poison(connection: Connection) -> tuple[None, list[Change]]:
        connection.exec_driver_sql("COMMIT")  # takes the transaction away: what follows cannot be kept
        raise ValueError("poison")

    bad = base.submit(poison)
    go.set()
    for future in (good, bad):
        with pytest.raises(Exception, match=r"."):
            future.result(5)
    assert base.write(put(2)) == 2, "the writer goes on"
    base.close()


def test_readers_cannot_write(base: Database) -> None:
    with base.reading() as connection, pytest.raises(Exception, match="readonly"):
        connection.execute(text("insert into t values (1)"))
    base.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(SeawallError, match=r"x\.db"):
        Database(tmp_path / "x.db", lambda _changes: None)


def test_a_lock_held_by_another_is_a_failure_to_try_again(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    base.write(lambda connection: (connection.exec_driver_sql("PRAGMA busy_timeout=50"), ()))
    other = sqlite3.connect(base.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unreachable):
        base.write(put(1))
    other.execute("ROLLBACK")
    other.close()
    assert base.write(put(2)) == 2
    base.close()
