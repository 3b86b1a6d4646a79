"""The scanner's child: `python -m seawall.runtime.collect.samples FOLDER`. Requests on stdin, verdicts on stdout.

One JSON object a line both ways; detect/samples.py makes the requests and takes the answers. Files are opened inside
the container's own root and nowhere else (node/beneath.py). The rules are loaded when the first file is worth it, and
the process ends when nothing was asked for a while: a quiet node pays nothing.
"""

import hashlib
import json
import os
import select
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from seawall.core.plain import printable
from seawall.malware import kinds
from seawall.node import beneath, procfs

IDLE = 30.0
"""Seconds without a request after which it ends."""
LOADED = 120.0
"""Seconds without a file worth scanning after which rules that take memory are let go, by ending."""
LIFE = 900.0
NICE = 5
"""Behind the workload, but not so far that a busy node has no verdicts."""
MAX_SIZE = 32 << 20
SETTLED = 0.5
"""Seconds since the last change after which a file counts as written."""
MAX_KNOWN = 4096
TICK_NS = 10_000_000
CHUNK = 1 << 20


class Skip(Exception):
    """Not scanned, for this reason."""


class Desk:
    """Answers requests one by one; remembers what it has seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scanner: Any = None
        self._version = ""
        self._why_not = ""
        self._seen: OrderedDict[tuple[int, int, int, int], dict[str, Any]] = OrderedDict()
        self._roots: dict[str, str] = {}
        self.scanned_at = 0.0

    @property
    def loaded(self) -> bool:
        """Whether the rules take memory."""
        return self._scanner is not None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The verdict, or why there is none: {"id", "sample": {…}} or {"id", "skipped": "reason"}."""
        try:
            return {"id": request["id"], "sample": self._judge(request)}
        except Skip as skip:
            return {"id": request["id"], "skipped": str(skip)}
        except beneath.Refused as refused:
            return {"id": request["id"], "skipped": refused.why}
        except MemoryError:
            return {"id": request["id"], "skipped": "memory"}
        except OSError as error:
            return {"id": request["id"], "skipped": f"error_{error.errno}"}

    def _judge(self, request: dict[str, Any]) -> dict[str, Any]:
        descriptor = self._open(request)
        try:
            found = os.fstat(descriptor)
            key = (found.st_dev, found.st_ino, found.st_ctime_ns, found.st_size)
            known = self._seen.get(key)
            if known is None:
                data = _read(descriptor, found, request)
                known = self._scan(data, request["path"], bool(found.st_mode & 0o111))
                if os.fstat(descriptor).st_ctime_ns == found.st_ctime_ns:
                    self._remember(key, known)
            changed = bool(request["ino"]) and request["ino"] != found.st_ino
            return {**known, "replaced": changed, "mode": oct(found.st_mode & 0o7777), "mtime": found.st_mtime}
        finally:
            os.close(descriptor)

    def _open(self, request: dict[str, Any]) -> int:
        if request["executed"]:
            descriptor = _running(request)
            if descriptor is not None:
                return descriptor
        if request["memory"]:
            raise Skip("gone")
        return beneath.open_file(self._root(request), request["path"])

    def _root(self, request: dict[str, Any]) -> str:
        """/proc/PID/root of a process that sees the container's files: one that took part, else any that is there."""
        for pid, start in request["pids"]:
            if _lives(pid, start):
                return f"/proc/{pid}/root"
        container = request["container"]
        known = self._roots.get(container, "")
        if known and procfs.container_of(int(known.split("/")[2])) == container:
            return known
        for pid in procfs.pids():
            if procfs.container_of(pid) == container:
                self._roots[container] = f"/proc/{pid}/root"
                return self._roots[container]
        raise Skip("gone")

    def _scan(self, data: bytes, path: str, executable: bool) -> dict[str, Any]:
        self.scanned_at = time.monotonic()
        scanner = self._load()
        if scanner is None:
            kind = kinds.kind_of(data[: kinds.HEAD], len(data), path, executable)
            digest = hashlib.sha256(data).hexdigest()
            return {"verdict": "not_checked", "why": self._why_not, "class": kind, "sha256": digest, "size": len(data)}
        verdict = scanner.scan(data, path, executable)
        first = verdict.matches[0] if verdict.matches else None
        return {
            "verdict": verdict.level.value,
            "rule": first.rule if first else "",
            "family": first.family if first else "",
            "about": first.about if first else "",
            "offset": first.offset if first else -1,
            "member": printable(first.member) if first else "",
            "class": verdict.kind,
            "sha256": verdict.sha256,
            "size": verdict.size,
            "rules": self._version,
            "matches": [
                {"rule": match.rule, "family": match.family, "level": match.level.value, "offset": match.offset}
                for match in verdict.matches[:10]
            ],
            "skipped": [{"where": printable(one.where), "why": one.why} for one in verdict.skipped[:5]],
        }

    def _load(self) -> Any:
        if self._scanner is None and not self._why_not:
            from seawall.malware import ruleset, scanner

            try:
                rules = ruleset.load([self._folder], self._folder / ".compiled")
                self._scanner, self._version = scanner.Scanner(rules), rules.version
                say({"scanner": {"rules": rules.count, "version": rules.version, "skipped": len(rules.skipped)}})
                for skipped in rules.skipped[:20]:
                    sys.stderr.write(f"{skipped.where}: {skipped.why}\n")
            except ruleset.Unavailable as error:
                self._why_not = f"{error} ({error.hint})"
                say({"scanner": {"rules": 0, "version": "", "why": self._why_not}})
        return self._scanner

    def _remember(self, key: tuple[int, int, int, int], sample: dict[str, Any]) -> None:
        self._seen[key] = sample
        if len(self._seen) > MAX_KNOWN:
            self._seen.popitem(last=False)


def _running(request: dict[str, Any]) -> int | None:
    """The file that the process runs, whatever its path leads to by now; None if it runs another or is gone."""
    pid, start = request["pids"][0]
    if not _lives(pid, start):
        return None
    try:
        descriptor = os.open(f"/proc/{pid}/exe", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    if request["ino"] and os.fstat(descriptor).st_ino != request["ino"]:
        os.close(descriptor)
        return None
    return descriptor


def _lives(pid: int, start: int) -> bool:
    ticks = procfs.start_ticks(pid)
    return ticks is not None and abs(ticks * TICK_NS - start) <= TICK_NS


def _read(descriptor: int, found: os.stat_result, request: dict[str, Any]) -> bytes:
    """The content, if the file is of a class that is scanned and nobody writes to it any more."""
    if found.st_size > MAX_SIZE:
        raise Skip("size")
    settled = request["executed"] or request["last"] or time.time() - found.st_ctime > SETTLED
    if found.st_size == 0:
        raise Skip("empty")
    head = os.pread(descriptor, kinds.HEAD, 0)
    if not kinds.kind_of(head, found.st_size, request["path"], bool(found.st_mode & 0o111)):
        raise Skip("kind" if settled else "busy")
    if not settled:
        raise Skip("busy")
    parts, size = [], 0
    while part := os.pread(descriptor, CHUNK, size):
        parts.append(part)
        size += len(part)
        if size > MAX_SIZE:
            raise Skip("size")
    return b"".join(parts)


def say(value: dict[str, Any]) -> None:
    """One line."""
    sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Until stdin ends, or nothing was asked for a while."""
    os.nice(NICE)
    desk = Desk(Path(sys.argv[1]))
    began = time.monotonic()
    rest = b""
    while True:
        wait = IDLE
        if desk.loaded:
            wait = min(wait, max(0.0, desk.scanned_at + LOADED - time.monotonic()))
        if not select.select([0], [], [], wait)[0]:
            return 0
        part = os.read(0, 1 << 16)
        if not part:
            return 0
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            say(desk.answer(json.loads(line)))
        if not rest and time.monotonic() - began > LIFE:
            return 0


if __name__ == "__main__":
    sys.exit(main())
