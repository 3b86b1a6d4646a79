"""The scanner at work for the sensor: files of containers out to its child, verdicts back as events for the engine.

`begin`, `observe`, `turn` and `stop` are the main loop's. A thread lives as long as the child: it starts it, reads
what it says and puts it down; the child is bounded, niced and killed with the agent by child.py.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from seawall.agent.child import URGENT
from seawall.agent.problems import Problems, log
from seawall.core.state import state_dir
from seawall.runtime.detect.samples import Samples
from seawall.runtime.model import Event, Plan

MODULE = "seawall.runtime.collect.samples"
MEMORY = 768 << 20
"""Bytes of address space: 32 MB of a file, what archives unpack to, and rules of the user's."""
CPU_SECONDS = 900
MAX_LINE = 1 << 16
MAX_UNSENT = 200
PAUSE_AFTER_DEATH = 5.0
PAUSED = 2
"""The first step of the governor's ladder at which no file is scanned."""


class Scanning:
    """`problems` hears when nothing can be scanned."""

    def __init__(self, problems: Problems, folder: Path | None = None) -> None:
        self._problems = problems
        self._folder = folder or state_dir() / "malware"
        self._samples = Samples()
        self._heard: deque[dict[str, Any]] = deque()
        self._unsent: deque[bytes] = deque()
        self._thread: threading.Thread | None = None
        self._stdin = self._child = -1
        self._not_before = 0.0
        self._paused = False
        self._about: dict[str, Any] = {}
        self.on = False
        """Whether some rule asks for verdicts."""

    def begin(self, plan: Plan, step: int) -> None:
        """Work for a plan, at a step of the ladder (agent/limits.py).

        From PAUSED on nothing is asked; what is seen meanwhile waits, as far as the queue holds it.
        """
        self.on = bool(plan.filters.get("samples"))
        self._paused = step >= PAUSED

    def observe(self, event: Event) -> None:
        """Take note of what the sensor saw."""
        if self.on:
            self._samples.observe(event)

    def turn(self, now: float) -> list[Event]:
        """Send what is due, and the verdicts that have come. `now` is seconds since the epoch, as events have it."""
        found = []
        while self._heard:
            said = self._heard.popleft()
            if "scanner" in said:
                self._tell(said["scanner"])
            elif "ended" in said:
                self._ended(said["ended"], now)
            else:
                event = self._samples.answer(said, now)
                if event is not None:
                    found.append(event)
        if len(self._samples) and not self._paused and len(self._unsent) < MAX_UNSENT:
            for request in self._samples.take(now):
                self._unsent.append(json.dumps(request, ensure_ascii=True).encode() + b"\n")
        if self._unsent:
            self._send()
        elif self._child > 0 and self._samples.stuck(now):
            self._kill()
        return found

    def status(self) -> dict[str, Any]:
        """The heartbeat's `samples` object."""
        return {**self._samples.status(), "on": self.on, "scanner": dict(self._about)}

    def stop(self) -> None:
        """End the child."""
        self.on = False
        self._kill()

    def _send(self) -> None:
        if self._thread is None:
            if time.monotonic() < self._not_before:
                return
            self._begin()
        try:
            while self._unsent:
                sent = os.write(self._stdin, self._unsent[0])
                if sent < len(self._unsent[0]):
                    self._unsent[0] = self._unsent[0][sent:]
                    return
                self._unsent.popleft()
        except BlockingIOError:
            return
        except OSError:
            return  # it has just ended; the thread tells, and all of it is asked again

    def _begin(self) -> None:
        read_end, self._stdin = os.pipe()
        os.set_blocking(self._stdin, False)
        self._thread = threading.Thread(target=self._listen, args=(read_end,), name="samples", daemon=True)
        self._thread.start()

    def _listen(self, stdin: int) -> None:
        """The thread: one child's life. The kernel kills the child when this thread is gone."""
        out_read, out = os.pipe()
        command = [sys.executable, "-s", "-P", "-m", "seawall.agent.child", str(MEMORY), str(CPU_SECONDS), MODULE]
        actions = [(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, out, 1)]
        code = -1
        try:
            try:
                environment = os.environ | {URGENT: "1"}  # it nices itself, less: a verdict is worth little tomorrow
                self._child = os.posix_spawn(
                    sys.executable, [*command, str(self._folder)], environment, file_actions=actions, setpgroup=0
                )
            finally:
                os.close(stdin)
                os.close(out)
            self._read(out_read)
            code = os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])
        except OSError as error:
            log(f"the scanner could not be started: {error}")
        finally:
            os.close(out_read)
            self._heard.append({"ended": code})

    def _read(self, out: int) -> None:
        rest = b""
        while part := os.read(out, MAX_LINE):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                with contextlib.suppress(ValueError, RecursionError):
                    said = json.loads(line)
                    if isinstance(said, dict):
                        self._heard.append(said)
            if len(rest) > MAX_LINE:
                self._kill()
                return

    def _ended(self, code: int, now: float) -> None:
        """What was on its way to it is asked again with what it had been asked."""
        if self._thread is not None:
            self._thread.join()
        self._thread, self._child = None, -1
        os.close(self._stdin)
        self._stdin = -1
        self._unsent.clear()
        self._samples.died(now)
        if code:
            self._not_before = time.monotonic() + PAUSE_AFTER_DEATH
            log(f"the scanner ended with {code}")

    def _tell(self, about: dict[str, Any]) -> None:
        self._about = about
        if about.get("why"):
            self._problems.say("scanner", f"files are not checked for malware: {about['why']}")
        else:
            self._problems.clear("scanner")

    def _kill(self) -> None:
        if self._child > 0:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child, signal.SIGKILL)
