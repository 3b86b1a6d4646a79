"""The guard of executions, as the agent holds it: starts the gate, tells it what to guard, and watches it.

A gate that does not answer is given up: the guard kills it and lets go of the kernel's descriptor, and what waits may
run. It is started again after a pause that grows. Not for several threads; nothing here waits longer than SEND.
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping
from mmap import mmap
from pathlib import Path
from typing import Any

from seawall.runtime.detect.profiles import image_key
from seawall.runtime.model import Container, Plan
from seawall.runtime.respond import deny

STALLED = 0.1
"""Seconds in which the gate must have taken up a question that waits; what it has taken up it answers within 0.05."""
SEND = 1.0
START = 5.0
PAUSES = (1.0, 10.0, 60.0, 600.0)
"""Seconds before the gate is started again, longer each time it was given up."""
CALM = 3600.0
"""Seconds after which earlier failures no longer count."""
MAX_HEARD = 4 << 20
_COUNT = struct.Struct("<Q")
_FIELDS = ("id", "name", "image", "image_id", "image_digest", "pod", "namespace", "privileged", "complete")


class Guard:
    """`apply`, `guard` and `drop` say what to guard; `work` is called often and returns what was denied."""

    def __init__(self) -> None:
        self.reason = ""
        """Why programs are not guarded, although something wants it; "" when they are or nothing does."""
        self.counts: dict[str, int] = {}
        self.given_up = 0
        self._gate: _Gate | None = None
        self._rules: list[dict[str, Any]] = []
        self._lifts: list[dict[str, Any]] = []
        self._lists: dict[str, list[str]] = {}
        self._opens: list[dict[str, Any]] = []
        self._resting: dict[str, float] = {}
        self._plan: Plan | None = None
        self._hashes: list[tuple[int, str]] = []
        self._pids: dict[str, int] = {}
        self._containers: dict[str, Container] = {}
        self._again = 0.0
        self._waiting_since = 0.0
        self._last_count = -1
        self._failed_at = 0.0

    @property
    def on(self) -> bool:
        """Whether the kernel asks."""
        return self._gate is not None

    @property
    def pid(self) -> int:
        """The gate's process; 0 when there is none."""
        return self._gate.pid if self._gate is not None else 0

    def fileno(self) -> int:
        """Readable when the gate says something; -1 without one."""
        return self._gate.control.fileno() if self._gate is not None else -1

    def apply(self, plan: Plan, enforce: bool) -> None:
        """Guard by this plan from now on; without enforcing nothing is guarded."""
        self._plan = plan if enforce else None
        self._rules = deny.rules_of(plan) if enforce else []
        self._lifts = deny.lifts_of(plan) if enforce and plan.profiles else []
        self._opens = deny.opens_of(plan) if enforce else []
        self._lists = deny.lists_of([*self._rules, *self._lifts, *self._opens], plan.lists)
        self._tell_rules()
        for known in list(self._pids):
            self._guard(known)

    def quarantined(self, files: list[tuple[int, str]]) -> None:
        """(size, SHA-256) of files that may not run in any guarded container."""
        if files == self._hashes:
            return
        self._hashes = files
        if self._gate is not None:
            self._tell({"op": "hashes", "files": files})
        for known in list(self._pids):
            self._guard(known)

    def guard(self, container: Container, pid: int) -> None:
        """A container runs; `pid` is a process in it, by the host's count. Said again, it changes nothing."""
        known = self._containers.get(container.id)
        if self._pids.get(container.id) == pid and known == container:
            return
        self._pids[container.id] = pid
        self._containers[container.id] = Container(**{name: getattr(container, name) for name in _FIELDS})
        self._guard(container.id)

    def drop(self, id: str) -> None:
        """It has ended. Its marks went with its mounts."""
        self._pids.pop(id, None)
        self._containers.pop(id, None)
        if self._gate is not None:
            self._tell({"op": "drop", "id": id})

    def policy(self, container: Container) -> dict[str, Any] | None:
        """What is forbidden in a container; None when nothing is."""
        if self._plan is None or not container.complete:
            return None
        profiles = self._plan.profiles
        profile = profiles.get(image_key(container))
        protects = profile is not None and profile.mode == "protect"
        if self._resting.get(image_key(container), 0.0) > time.monotonic():
            protects = False
        if not (protects or self._rules or self._opens or self._hashes):
            return None
        programs = sorted(profile.programs) if profile is not None and protects else None
        shown = {name: getattr(container, name) for name in _FIELDS}
        scripts = protects or bool(self._rules or self._hashes)
        return {"drift": protects, "programs": programs, "scripts": scripts, "container": shown}

    def rest(self, image: str, seconds: float) -> None:
        """Do not protect an image for a while: what its profile refuses is its ordinary life."""
        self._resting[image] = time.monotonic() + seconds
        for known, container in list(self._containers.items()):
            if image_key(container) == image:
                self._guard(known)

    def work(self, now: float | None = None) -> list[dict[str, Any]]:
        """Denials that the gate tells of; also looks whether it still answers."""
        at = time.monotonic() if now is None else now
        for image in [image for image, until in self._resting.items() if until <= at]:
            self.rest(image, -1.0)
            del self._resting[image]
        if self._gate is None:
            if self._again and at >= self._again:
                self._again = 0.0
                self._start()
            return []
        denied = []
        try:
            for said in self._gate.said():
                denied += self._heard(said)
        except (OSError, ValueError) as error:
            self._give_up(f"the gate ended: {error}", at)
            return denied
        if self._late(at):
            self._give_up("the gate did not answer in time", at)
        return denied

    def ask_counts(self) -> None:
        """Have `counts` filled in soon."""
        if self._gate is not None:
            self._tell({"op": "counts"})

    def stop(self) -> None:
        """Let every program run again."""
        self._again = 0.0
        self._pids.clear()
        if self._gate is not None:
            self._gate.close()
            self._gate = None

    def _guard(self, id: str) -> None:
        policy = self.policy(self._containers[id])
        if policy is None:
            if self._gate is not None:
                self._tell({"op": "drop", "id": id})
            return
        if self._gate is None:
            if not self._again:
                self._start()
            return  # the start guards all
        self._tell({"op": "add", "id": id, "pid": self._pids[id], "policy": policy})

    def _start(self) -> None:
        try:
            self._gate = _Gate()
        except (OSError, ValueError) as error:
            self._gate = None
            self._give_up(str(error), time.monotonic())
            return
        self.reason = ""
        self._last_count, self._waiting_since = -1, 0.0
        self._tell_rules()
        self._tell({"op": "hashes", "files": self._hashes})
        for known in list(self._pids):
            if self._gate is not None:
                self._guard(known)

    def _tell_rules(self) -> None:
        said = {"rules": self._rules, "opens": self._opens, "lifts": self._lifts, "lists": self._lists}
        self._tell({"op": "rules", **said})

    def _tell(self, order: Mapping[str, Any]) -> None:
        if self._gate is None:
            return
        try:
            self._gate.tell(order)
        except OSError as error:
            self._give_up(f"the gate takes no orders: {error}", time.monotonic())

    def _heard(self, said: dict[str, Any]) -> list[dict[str, Any]]:
        if "denied" in said:
            return [said["denied"]]
        if "counts" in said:
            self.counts = said["counts"]
        if said.get("error") and said.get("added") in self._pids and _alive(self._pids[said["added"]]):
            self.reason = f"container {said['added'][:12]}: {said['error']}"
        return []

    def _late(self, now: float) -> bool:
        """Whether a question has waited for STALLED seconds while the gate took up none."""
        gate = self._gate
        if gate is None or not gate.waiting():
            self._waiting_since = 0.0
            return False
        count = gate.count()
        if count != self._last_count or not self._waiting_since:
            self._last_count, self._waiting_since = count, now
            return False
        return now - self._waiting_since >= STALLED

    def _give_up(self, why: str, now: float) -> None:
        if self._gate is not None:
            self._gate.close()
            self._gate = None
        if now - self._failed_at > CALM:
            self.given_up = 0
        self._failed_at = now
        pause = PAUSES[min(self.given_up, len(PAUSES) - 1)]
        self.given_up += 1
        self._again = now + pause
        self.reason = f"{why}; it is tried again after {pause:.0f} s"


class _Gate:
    """The process and what the guard shares with it. Raises OSError or ValueError when it cannot be."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        page = os.memfd_create("progress", os.MFD_CLOEXEC)
        os.ftruncate(page, 4096)
        self._progress = mmap(page, 4096)
        self._group = -1
        self._rest = bytearray()
        self.pid = 0
        try:
            self.pid = _spawn(theirs.fileno(), page)
            theirs.close()
            self.control.settimeout(START)
            said, descriptors, _, _ = socket.recv_fds(self.control, 4096, 1)
            answer = json.loads(said or b'{"error": "it ended without a word"}')
            self._group = descriptors[0] if descriptors else _refused(answer)
            os.set_inheritable(self._group, False)
            self._poll = select.poll()
            self._poll.register(self._group, select.POLLIN)
            self._says = select.poll()
            self._says.register(self.control, select.POLLIN)
            self.control.settimeout(SEND)
        except BaseException:
            theirs.close()
            self.close()
            raise
        finally:
            os.close(page)

    def tell(self, order: Mapping[str, Any]) -> None:
        """One order."""
        self.control.sendall(json.dumps(order, separators=(",", ":")).encode() + b"\n")

    def said(self) -> list[dict[str, Any]]:
        """What it has said. Raises OSError when it is gone."""
        found: list[dict[str, Any]] = []
        while self._says.poll(0):
            part = self.control.recv(1 << 16)
            if not part:
                raise OSError("it closed its end")
            *lines, rest = (self._rest + part).split(b"\n")
            self._rest = bytearray(rest)
            found += [json.loads(line) for line in lines]
            if len(self._rest) > MAX_HEARD:
                raise ValueError("it says too much")
        return found

    def waiting(self) -> bool:
        """Whether the kernel has a question that nobody has taken up."""
        return bool(self._poll.poll(0))

    def count(self) -> int:
        """Questions taken up so far."""
        return int(_COUNT.unpack_from(self._progress, 0)[0])

    def close(self) -> None:
        """End it; the kernel lets run what waits."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        if self._group >= 0:
            os.close(self._group)
            self._group = -1
        if self.pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            self.pid = 0
        self.control.close()


def _spawn(control: int, page: int) -> int:
    source = str(Path(__file__).parents[3])
    command = [sys.executable, "-S", "-s", "-P", "-OO", "-m", "seawall.runtime.respond.gate"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MALLOC_"))}
    environment = kept | {"PYTHONPATH": source, "MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    actions = [(os.POSIX_SPAWN_DUP2, control, 0), (os.POSIX_SPAWN_DUP2, page, 3)]
    return os.posix_spawn(sys.executable, command, environment, file_actions=actions)


def _refused(answer: Mapping[str, Any]) -> int:
    raise ValueError(str(answer.get("error")))


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
