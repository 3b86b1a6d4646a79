"""Block rules on opens, as the gate carries them out: the file is known, and who opens it waits meanwhile.

Most files are passed by their path alone; only for a path that some rule names is the asker looked at.
"""

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seawall.runtime.detect.condition import compile_condition
from seawall.runtime.model import Container, Event, File, Kind, Process
from seawall.runtime.respond import asker, fanotify

WRITES = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
MAX_INODES = 1024


class Opens:
    """The rules of one container."""

    def __init__(
        self, rules: Sequence[Mapping[str, Any]], lists: Mapping[str, Sequence[str]], container: Mapping[str, Any]
    ) -> None:
        self._container = Container(**container)
        self._rules: list[tuple[str, frozenset[str], Callable[[Event], bool]]] = []
        self._paths: set[str] = set()
        self._names: set[str] = set()
        prefixes: set[str] = set()
        self._inodes: dict[tuple[int, int], str] = {}
        for rule in rules:
            self._rules.append((rule["id"], frozenset(rule["kinds"]), compile_condition(rule["when"], lists)))
            self._paths.update(rule["paths"])
            self._names.update(rule["names"])
            prefixes.update(rule["prefixes"])
        self._prefixes = tuple(sorted(prefixes))

    def learn(self, root: int) -> None:
        """Which inodes lie at the paths that rules name, to know them by any other link. `root` is the container's."""
        for path in sorted(self._paths)[:MAX_INODES]:
            with contextlib.suppress(OSError):
                there = fanotify.openat2(root, path, os.O_PATH)
                try:
                    self.note(path, os.fstat(there))
                finally:
                    os.close(there)

    def note(self, path: str, found: os.stat_result) -> None:
        """The file that lies at a path now."""
        if path in self._paths and len(self._inodes) < MAX_INODES:
            self._inodes[(found.st_dev, found.st_ino)] = path

    def named(self, path: str, found: os.stat_result) -> str:
        """The path by which rules may know the file, or "" if none does."""
        if path in self._paths or path.rpartition("/")[2] in self._names or path.startswith(self._prefixes):
            self.note(path, found)
            return path
        return self._inodes.get((found.st_dev, found.st_ino), "")

    def check(self, path: str, found: os.stat_result, upper: bool, tid: int) -> tuple[str, str, int]:
        """(id of the first rule that forbids this open or "", its system call, its flags)."""
        call, possible = asker.call_of(tid)
        if call in asker.RUNS:
            return "", call, 0
        process = asker.process_of(tid)
        process.container = self._container
        for flags in possible:
            file = File(
                path,
                dev=found.st_dev,
                ino=found.st_ino,
                mode=found.st_mode,
                upper=upper,
                flags=flags,
            )
            rule = self._judge(process, file, call)
            if rule:
                return rule, call, flags
        return "", call, possible[0]

    def _judge(self, process: Process, file: File, call: str) -> str:
        kind = Kind.OPEN if file.flags & WRITES else Kind.READ
        event = Event(kind, time.time(), process, file=file, syscall=call or "openat", paths=(file.path,))
        return next((rule for rule, kinds, fires in self._rules if kind in kinds and fires(event)), "")
