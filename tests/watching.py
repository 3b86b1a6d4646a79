"""`seawall runtime watch` as a process of its own, and the alerts it has told so far."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SEAWALL = [sys.executable, "-m", "seawall", "runtime"]


class Watcher:
    """`seawall runtime watch --output json` in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.out, self.err = folder / "alerts.jsonl", folder / "watch.log"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            command = [*SEAWALL, "watch", "--output", "json", *options]
            self.process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        self.wait(lambda: "watching with" in self.err.read_text(), 30)

    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def wait(self, met: Callable[[], Any], seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := met()):
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < deadline, f"did not come: {self.err.read_text()}\n{self.out.read_text()[-3000:]}"
            time.sleep(0.1)
        return found


@contextlib.contextmanager
def watching(folder: Path, *options: str) -> Iterator[Watcher]:
    watcher = Watcher(folder, *options)
    try:
        yield watcher
    finally:
        watcher.process.send_signal(signal.SIGINT)
        watcher.process.wait(20)
