"""Files of containers that a scanner should look at: written and left alone for a second, or just started. Pure.

It queues and counts; who opens and scans them is agent/scanning.py's child (collect/samples.py). What is not scanned
is counted by its reason.
"""

import stat
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seawall.runtime.model import Event, File, Kind, Process

QUIET = 1.0
"""Seconds that a written file is left alone before it is looked at …"""
MAX_QUIET = 10.0
"""… and after which it is looked at though it is written to all the time."""
MAX_WAITING = 500
RATE, BURST = 20.0, 40.0
"""Files a second that are handed out, and how many at once after a rest."""
RETRIES = (1.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between looks at a file that is still being written, or still empty; after the last it is taken as it is."""
MAX_RECENT = 1024
REPEAT, MAX_REPEAT = 2.0, 60.0
"""Seconds before the same path is looked at again, doubled each time up to the second number."""
ANSWER = 60.0
"""Seconds after which an answer is no longer expected: the scanner hangs over the file."""
AGAIN = 61.0
"""The sensor tells of a file once a minute: what has become of it by then is looked at, unless it is known as bad."""
MAX_PIDS = 4
_OVERLAY = 0x794C7630
_UNREAL = frozenset(
    {0x9FA0, 0x62656572, 0x27E0EB, 0x63677270, 0x1CD1, 0x64626720, 0x74726163, 0x19800202, 0xCAFE4A11, 0x65735546}
)
"""proc, sysfs, cgroup, cgroup2, devpts, debugfs, tracefs, mqueue, bpf, FUSE (which may never answer)."""
_RENAMES = frozenset({"rename", "renameat", "renameat2", "link", "linkat"})


@dataclass(slots=True)
class Candidate:
    """One file that waits, or is being looked at."""

    number: int
    file: File
    process: Process
    """Who wrote it, or runs it."""
    executed: bool
    first: float
    due: float
    tries: int = 0
    asked: float = 0.0
    again: bool = False
    """It is looked at for the second time, because the sensor may have kept silent about later writes."""
    deaths: int = 0
    """How often the scanner has died while it was asked."""


@dataclass(slots=True)
class Counts:
    """Since the agent's start, for the heartbeat."""

    seen: int = 0
    scanned: int = 0
    found: int = 0
    """Of those: malicious or suspicious."""
    skipped: dict[str, int] = field(default_factory=dict)
    """By reason: queue, size, kind, gone, link, not_a_file, denied, empty, timeout, memory, not_checked, lost …"""


Key = tuple[str, str]
"""Container, path."""


class Samples:
    """The queue. All times are seconds of one clock, given by the caller."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._waiting: OrderedDict[Key, Candidate] = OrderedDict()
        self._asked: dict[int, Candidate] = {}
        self._recent: OrderedDict[Key, tuple[float, int]] = OrderedDict()
        self._run: OrderedDict[tuple[int, int, int], None] = OrderedDict()
        self._number = 0
        self._tokens = BURST
        self._filled = 0.0
        self._next = 0.0
        """Before this nothing is due: the main loop asks 250 times a second."""

    def __len__(self) -> int:
        return len(self._waiting)

    def observe(self, event: Event) -> None:
        """Take note of an event; most are of no interest."""
        if event.kind is Kind.OPEN:
            self._written(event)
        elif event.kind is Kind.EXEC:
            self._started(event)
        elif event.kind is Kind.CALL and event.syscall in _RENAMES and event.result == 0 and len(event.paths) == 2:
            self._renamed(event)

    def take(self, now: float) -> list[dict[str, Any]]:
        """What is due, as requests for collect/samples.py; no more than the rate allows."""
        if now < self._next < now + 2 * AGAIN:  # further off: the clock was set back
            return []
        self._tokens = min(BURST, self._tokens + max(0.0, now - self._filled) * RATE)
        self._filled = now
        due = [key for key, candidate in self._waiting.items() if candidate.due <= now]
        found = []
        for key in due[: int(self._tokens)]:
            candidate = self._waiting.pop(key)
            candidate.asked = now
            self._asked[candidate.number] = candidate
            found.append(_request(candidate))
        self._tokens -= len(found)
        first = min((candidate.due for candidate in self._waiting.values()), default=now + AGAIN)
        self._next = max(first, now + 1.0 / RATE)
        return found

    def answer(self, said: Mapping[str, Any], now: float) -> Event | None:
        """The scanner's word on one file: an event for the engine, or None when it was skipped or is asked again."""
        candidate = self._asked.pop(said.get("id", -1), None)
        if candidate is None:
            return None
        why = str(said.get("skipped", ""))[:40]
        if why in ("busy", "empty") and candidate.tries < len(RETRIES):
            candidate.due = now + RETRIES[candidate.tries]
            candidate.tries += 1
            self._wait(_key(candidate.process, candidate.file.path), candidate)
            return None
        self._looked(_key(candidate.process, candidate.file.path), now)
        if why:
            self._skip(why)
            if why in ("kind", "empty", "size"):
                self._look_again(candidate, now)
            return None
        sample = dict(said.get("sample", {}))
        bad = sample.get("verdict") in ("malicious", "suspicious")
        if not bad:
            self._look_again(candidate, now)
        self.counts.scanned += 1
        self.counts.found += bad
        if sample.get("verdict") == "not_checked":
            self._skip("not_checked")
        sample["executed"] = candidate.executed
        return Event(Kind.SCAN, now, candidate.process, file=candidate.file, raw={"sample": sample})

    def died(self, now: float) -> None:
        """The scanner ended: what it was asked is asked once more, and not a third time."""
        asked, self._asked = self._asked, {}
        for candidate in asked.values():
            candidate.deaths += 1
            if candidate.deaths > 1:
                self._skip("lost")
            else:
                candidate.due = now
                self._wait(_key(candidate.process, candidate.file.path), candidate)

    def stuck(self, now: float) -> bool:
        """Whether an answer is so late that the scanner hangs over a file."""
        return any(now - candidate.asked > ANSWER for candidate in self._asked.values())

    def status(self) -> dict[str, Any]:
        """For the heartbeat."""
        counts = self.counts
        return {
            "seen": counts.seen,
            "scanned": counts.scanned,
            "found": counts.found,
            "waiting": len(self._waiting) + len(self._asked),
            "skipped": dict(counts.skipped),
        }

    def _written(self, event: Event) -> None:
        file = event.file
        if file is None or event.result < 0 or not _of_container(event) or not _regular(file) or file.deleted:
            return
        if file.fs_magic in _UNREAL or not file.flags & 3:
            return
        self._add(event, file, executed=False, due=event.time + QUIET)

    def _started(self, event: Event) -> None:
        file = event.process.file
        if file is None or not _of_container(event):
            return
        if file.fs_magic == _OVERLAY and not (file.upper or file.memfd or file.deleted):
            return  # the image's own: images are scanned as images
        if file.ctime:
            name = (file.dev, file.ino, file.ctime)
            if name in self._run:
                return
            _put(self._run, name, None)
        self._add(event, file, executed=True, due=event.time)

    def _add(self, event: Event, file: File, *, executed: bool, due: float) -> None:
        self.counts.seen += 1
        key = _key(event.process, file.path)
        known = self._waiting.get(key)
        if known is not None:
            known.executed = known.executed or executed
            if executed:
                known.process, known.file, known.due = event.process, file, due
                self._next = min(self._next, due)
            elif known.again:
                known.again, known.first, known.due = False, event.time, due
                self._next = min(self._next, due)
            else:
                known.due = max(known.due, min(due, known.first + MAX_QUIET))
            return
        at, times = self._recent.get(key, (0.0, 0))
        if times and not executed:
            due = max(due, at + min(MAX_REPEAT, REPEAT**times))
        self._number += 1
        self._wait(key, Candidate(self._number, file, event.process, executed, event.time, due))

    def _wait(self, key: Key, candidate: Candidate) -> None:
        if len(self._waiting) >= MAX_WAITING and key not in self._waiting:
            self._skip("queue")
            return
        self._waiting[key] = candidate
        self._next = min(self._next, candidate.due)

    def _renamed(self, event: Event) -> None:
        """Downloads and packages are written under one name and moved to another."""
        old, new = event.paths
        candidate = self._waiting.pop(_key(event.process, old), None)
        if candidate is not None:
            file = candidate.file
            candidate.file = File(new, file.dev, file.ino, file.mode, file.fs_magic, upper=file.upper, flags=file.flags)
            self._wait(_key(event.process, new), candidate)

    def _look_again(self, candidate: Candidate, now: float) -> None:
        key = _key(candidate.process, candidate.file.path)
        if candidate.again or candidate.executed or key in self._waiting or len(self._waiting) > MAX_WAITING // 2:
            return
        candidate.again, candidate.tries, candidate.due = True, 0, now + AGAIN
        self._wait(key, candidate)

    def _looked(self, key: Key, now: float) -> None:
        at, times = self._recent.pop(key, (0.0, 0))
        calm = now - at > 2 * MAX_REPEAT
        _put(self._recent, key, (now, 1 if calm else min(times + 1, 6)))

    def _skip(self, why: str) -> None:
        counts = self.counts.skipped
        if why in counts or len(counts) < 40:
            counts[why] = counts.get(why, 0) + 1


def _of_container(event: Event) -> bool:
    return event.process.container is not None and event.process.started


def _regular(file: File) -> bool:
    return not file.mode or stat.S_ISREG(file.mode)


def _key(process: Process, path: str) -> Key:
    return (process.container.id if process.container else "", path)


def _request(candidate: Candidate) -> dict[str, Any]:
    process, file = candidate.process, candidate.file
    container = process.container
    return {
        "id": candidate.number,
        "path": file.path,
        "dev": file.dev,
        "ino": file.ino,
        "container": container.id if container else "",
        "pids": [[one.pid, one.start] for one in _family(process)],
        "executed": candidate.executed,
        "memory": file.memfd or file.deleted,
        "last": candidate.tries >= len(RETRIES),
    }


def _family(process: Process) -> Iterable[Process]:
    """The process and those above it in the same container: one of them lives, and sees the file where it did."""
    found: list[Process] = []
    one: Process | None = process
    while one is not None and len(found) < MAX_PIDS and one.container is process.container:
        found.append(one)
        one = one.parent
    return found


def _put(table: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MAX_RECENT:
        table.popitem(last=False)
