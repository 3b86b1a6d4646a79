"""A process that outlives the command that started it: started once, found again, stopped gently and then firmly.

Its file holds pid and start time, so that a pid the kernel has given to somebody else is never taken for ours.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from seawall.core.errors import SeawallError
from seawall.node import procfs

MAX_LOG = 16 << 20
"""Bytes at which a log is put aside at the next start; one old one is kept."""


class Daemon:
    """The process called `name`; `<folder>/run/NAME.json` says which it is, `<folder>/log/NAME.log` what it said."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.log = folder / "log" / f"{name}.log"
        self._file = folder / "run" / f"{name}.json"

    def pid(self) -> int | None:
        """Its pid while it runs, else None."""
        try:
            noted = json.loads(self._file.read_bytes())
            pid, start = int(noted["pid"]), int(noted["start"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        found = procfs.stat(pid)
        return pid if found and int(found[1][19]) == start and found[1][0] != "Z" else None

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
        """Start it in a session of its own, its output in the log. The pid. Raises SeawallError when it cannot be."""
        for folder in (self._file.parent, self.log.parent):
            folder.mkdir(0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > MAX_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        try:
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise SeawallError(f"cannot start {self.name}: {error}") from error
        # It is not waited for here; its end is seen in /proc, and init reaps it once this command is over.
        process.returncode = 0
        noted = {"pid": process.pid, "start": procfs.start_ticks(process.pid) or 0}
        self._file.write_text(json.dumps(noted))
        return process.pid

    def stop(self, patience: float = 15.0) -> bool:
        """SIGTERM, and SIGKILL after `patience` seconds. False when it was not running."""
        pid = self.pid()
        if pid is None:
            self._file.unlink(missing_ok=True)
            return False
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            except PermissionError as error:
                raise SeawallError(f"may not stop {self.name} (pid {pid}): {error}", "are you root?") from error
            end = time.monotonic() + patience
            while self.pid() is not None and time.monotonic() < end:
                time.sleep(0.05)
            if self.pid() is None:
                break
        self._file.unlink(missing_ok=True)
        return True

    def last_words(self, lines: int = 8) -> str:
        """The end of its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 8192))
                return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return ""
