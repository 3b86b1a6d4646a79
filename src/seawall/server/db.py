"""The SQLite home of the server: many readers, one writer.

The writer is a thread. Steps that wait for it are run together in one transaction, each in a savepoint of its own, and
share one fsync (group commit): that is what makes "acknowledged means durable" cheap. The WAL with synchronous=FULL
keeps every committed transaction through a kill or a power cut.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from seawall.core.errors import SeawallError, Unreachable
from seawall.lists import Change

T = TypeVar("T")
Step = Callable[[Connection], tuple[T, Sequence[Change]]]

GROUP_SECONDS = 0.05
"""A group of steps is committed when it has run this long, even if more are waiting."""
GROUP_STEPS = 128
BUSY_MS = 10_000
"""How long to wait for another process (the command line) that writes."""
READERS = 48


class Busy(Unreachable):
    """The writer has more to do than it can; the caller should come again later."""


def alone(work: Callable[[Connection], None]) -> Step[None]:
    """A step that answers nothing and changes nothing that consoles show."""

    def step(connection: Connection) -> tuple[None, Sequence[Change]]:
        work(connection)
        return None, ()

    return step


@dataclass(slots=True)
class _Task:
    step: Step[Any]
    future: Future[Any]
    queued: float


class Database:
    """Opens the file; `close` waits for what is queued. `publish` hears of changes once they are durable."""

    def __init__(self, path: Path, publish: Callable[[Sequence[Change]], None], waiting: int = 2000) -> None:
        self.path = path
        self._publish = publish
        self._reads = open_reads(path)
        self._writes = open_writes(path)
        self._queue: queue.Queue[_Task | None] = queue.Queue(waiting)
        self._closed = threading.Event()
        self._oldest = 0.0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def read(self) -> Iterator[Connection]:
        """A connection for reading, as a FastAPI dependency. Each statement sees the newest committed state."""
        try:
            connection = self._reads.connect()
        except PoolTimeout as error:
            raise Busy("too many requests read at once", "try again in a moment") from error
        with connection:
            yield connection

    def reading(self) -> Connection:
        """A connection for reading, to be used in a `with`."""
        return self._reads.connect()

    def submit(self, step: Step[T]) -> "Future[T]":
        """Queue a step; the future is done once its transaction is durable. Raises Busy when the queue is full."""
        if self._closed.is_set():
            raise Busy("the server is stopping", "try again when it is back")
        task = _Task(step, Future(), time.monotonic())
        try:
            self._queue.put_nowait(task)
        except queue.Full:
            raise Busy("the database has more to write than it can", "try again later") from None
        return cast("Future[T]", task.future)

    def write(self, step: Step[T], timeout: float = 30.0) -> T:
        """Run a step and wait until it is durable. For threads; the event loop awaits `submit`."""
        return self.submit(step).result(timeout)

    def lag(self) -> float:
        """Seconds that the step now being written has waited: the measure of load."""
        started = self._oldest
        return time.monotonic() - started if started else 0.0

    def waiting(self) -> int:
        """Steps in the queue."""
        return self._queue.qsize()

    def alive(self) -> bool:
        """Whether the writer still works."""
        return self._thread.is_alive()

    def close(self, timeout: float = 10.0) -> None:
        """Write what is queued, then close the file."""
        if not self._closed.is_set():
            self._closed.set()
            self._queue.put(None)
            self._thread.join(timeout)
            self._reads.dispose()
            self._writes.dispose()

    def _run(self) -> None:
        with self._writes.connect() as connection:
            while (task := self._queue.get()) is not None:
                if not self._group(connection, task):
                    return

    def _group(self, connection: Connection, task: _Task | None) -> bool:
        """Run `task` and those that wait behind it as one transaction. False when the end mark was among them."""
        done: list[tuple[_Task, Any, Sequence[Change]]] = []
        until = time.monotonic() + GROUP_SECONDS
        going = True
        try:
            with connection.begin():
                while task is not None:
                    self._oldest = task.queued
                    self._one(connection, task, done)
                    if len(done) >= GROUP_STEPS or time.monotonic() > until:
                        break
                    try:
                        task = self._queue.get_nowait()
                        going = task is not None
                    except queue.Empty:
                        break
        except Exception as error:  # the commit failed (disk full, locked): none of the group is durable
            for failed in [*(item[0] for item in done), *([task] if task is not None else [])]:
                if not failed.future.done():
                    failed.future.set_exception(_explained(error, self.path))
            return going
        finally:
            self._oldest = 0.0
        self._publish([change for _, _, changes in done for change in changes])
        for finished, value, _ in done:
            finished.future.set_result(value)
        return going

    def _one(self, connection: Connection, task: _Task, done: list[tuple[_Task, Any, Sequence[Change]]]) -> None:
        savepoint = connection.begin_nested()
        try:
            value, changes = task.step(connection)
        except Exception as error:
            savepoint.rollback()
            task.future.set_exception(_explained(error, self.path))
            return
        savepoint.commit()
        done.append((task, value, changes))


def _explained(error: Exception, path: Path) -> Exception:
    if isinstance(error, OperationalError):
        return Unreachable(
            f"cannot write {path}: {error.orig}", "is the disk full, or does another process hold the file?"
        )
    return error


def open_reads(path: Path) -> Engine:
    """An engine whose connections cannot write. Autocommit: no snapshot is held between two statements."""
    engine = create_engine(
        f"sqlite:///{path}",
        isolation_level="AUTOCOMMIT",
        pool_size=8,
        max_overflow=READERS - 8,
        pool_timeout=5.0,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        _pragmas(connection, busy_timeout=BUSY_MS, query_only=1, cache_size=-8000, temp_store="MEMORY")

    return engine


def open_writes(path: Path) -> Engine:
    """An engine whose transactions take the write lock at once, so that they never have to be tried again."""
    created = not path.exists()
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,  # they may be password hashes, and errors go to the log
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own habit of opening transactions would break savepoints
        _pragmas(
            connection,
            busy_timeout=BUSY_MS,
            journal_mode="WAL",
            synchronous="FULL",
            foreign_keys=1,
            cache_size=-16000,
            journal_size_limit=64 << 20,
        )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.connect():
            if created:
                path.chmod(0o600)
    except Exception as error:
        engine.dispose()
        raise SeawallError(
            f"cannot open the database {path}: {error}", "is it a Seawall database, and may you write its folder?"
        ) from error
    return engine


def _pragmas(connection: Any, **settings: str | int) -> None:
    cursor = connection.cursor()
    for name, value in settings.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()
