"""The gate: a small process of its own that the kernel asks before a program runs in a guarded container.

Started by guard.py, told by it over a socket (one JSON object a line) and killed with it. Whatever goes wrong here
lets programs run: an error allows, a question older than DEADLINE is allowed by a second thread, and when this process
ends or the guard gives up on it, the kernel allows all. Only mounts of containers are ever marked.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
import threading
import time
from mmap import mmap
from typing import Any

from seawall.runtime.respond import fanotify, mounts
from seawall.runtime.respond.verdict import ALLOWED, Check, Guarded, Verdicts, devices

DEADLINE = 0.05
"""Seconds after which a question is answered with yes."""
LOOK = 0.02
CONTROL, PROGRESS = 0, 3
"""Descriptors the guard hands over: the socket, and a page in which questions are counted."""
NICE = -10
PRIORITY = 1
"""Of real time, where it can be had: who floods the processors must not make the gate late, for a late one allows."""
MAX_RUN = 500_000
"""Microseconds that it may then run without sleeping; more is a fault, and the kernel kills it."""
AT_ONCE = 8
"""Questions read in one go."""
MAX_LINE = 4 << 20
MAX_BACKLOG = 1 << 20
_EVENT, _ANSWER, _COUNT = struct.Struct(fanotify.EVENT), struct.Struct(fanotify.ANSWER), struct.Struct("<Q")
_PR_SET_PDEATHSIG = 1


class Gate:
    """Answers the kernel, obeys the guard."""

    def __init__(self, control: socket.socket, progress: mmap, group: int) -> None:
        self._control = control
        self._progress = progress
        self._group = group
        self._verdicts = Verdicts()
        self._pending: dict[int, float] = {}
        self._busy = threading.Event()
        self._said = bytearray()
        self._heard = bytearray()
        self._rules: list[dict[str, Any]] = []
        self._lifts: list[dict[str, Any]] = []
        self._lists: dict[str, list[str]] = {}
        self._hashes: dict[int, set[str]] = {}
        self._asked = self._late = self._failed = 0

    def run(self) -> None:
        """Until the guard is gone."""
        threading.Thread(target=self._watch_the_clock, daemon=True).start()
        poller = select.poll()
        poller.register(self._group, select.POLLIN)
        poller.register(self._control, select.POLLIN)
        while True:
            for descriptor, _ in poller.poll():
                if descriptor == self._group:
                    self._questions()
                elif not self._orders():
                    return
            self._flush()

    def _questions(self) -> None:
        try:
            data = os.read(self._group, _EVENT.size * AT_ONCE)
        except BlockingIOError:
            return
        asked = [(found[5], found[6]) for found in _EVENT.iter_unpack(data) if found[5] >= 0]
        now = time.monotonic()
        for descriptor, _ in asked:
            self._pending[descriptor] = now
        if not self._busy.is_set():
            self._busy.set()
        for descriptor, pid in asked:
            self._answer(descriptor, pid)

    def _answer(self, descriptor: int, pid: int) -> None:
        said = None
        self._asked += 1
        _COUNT.pack_into(self._progress, 0, self._asked)
        try:
            why, path, guarded = self._verdicts.decide(descriptor, pid)
            if why and guarded is not None:
                said = _denial(descriptor, pid, path, why, guarded)
        except Exception:  # whatever it is: a question that cannot be judged is answered with yes
            self._failed += 1
            why = ALLOWED
        if self._pending.pop(descriptor, None) is not None:
            self._reply(descriptor, fanotify.DENY if why else fanotify.ALLOW)
            if said is not None:
                self._say({"denied": said})
        os.close(descriptor)

    def _reply(self, descriptor: int, answer: int) -> None:
        # The asker may have been killed meanwhile.
        with contextlib.suppress(OSError):
            os.write(self._group, _ANSWER.pack(descriptor, answer))

    def _watch_the_clock(self) -> None:
        """The second thread: what the first has not answered in time may run. Sleeps while nothing is asked."""
        while True:
            self._busy.wait()
            calm = 0
            while calm < 50:
                time.sleep(LOOK)
                calm = 0 if self._pending else calm + 1
                late = time.monotonic() - DEADLINE
                for descriptor, since in list(self._pending.items()):
                    if since < late and self._pending.pop(descriptor, None) is not None:
                        self._reply(descriptor, fanotify.ALLOW)
                        self._late += 1
            self._busy.clear()
            if self._pending:
                self._busy.set()

    # From and to the guard

    def _orders(self) -> bool:
        """Carry out what the guard says; False when it is gone."""
        try:
            part = self._control.recv(1 << 16)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._heard += part
        while (end := self._heard.find(b"\n")) >= 0:
            line = bytes(self._heard[:end])
            del self._heard[: end + 1]
            self._obey(json.loads(line))
        return bool(part) and len(self._heard) <= MAX_LINE

    def _obey(self, order: dict[str, Any]) -> None:
        name = order["op"]
        if name == "add":
            self._add(order)
        elif name == "drop":
            self._drop(order["id"])
        elif name == "rules":
            self._rules, self._lifts, self._lists = order["rules"], order["lifts"], order["lists"]
        elif name == "hashes":
            self._hashes.clear()
            for size, sha in order["files"]:
                self._hashes.setdefault(size, set()).add(sha)
            for guarded in self._verdicts.containers.values():
                guarded.forget()
        elif name == "counts":
            marked = len(self._verdicts.containers)
            said = {"asked": self._asked, "late": self._late, "failed": self._failed, "containers": marked}
            self._say({"counts": said})

    def _add(self, order: dict[str, Any]) -> None:
        pid, policy = order["pid"], order["policy"]
        try:
            mounts.check_apart(pid)
            found = mounts.mounts_of(pid)
            host = mounts.devices(mounts.mounts_of("self"))
            guarded = Guarded(order["id"], pid, policy, mounts.layers(found))
            guarded.devices = devices(found, host)
            guarded.hashes = self._hashes
            guarded.check = self._check(self._rules, policy)
            guarded.lift = self._check(self._lifts, policy)
            self._verdicts.put(guarded)
            marked = self._mark(fanotify.ADD, pid, mounts.markable(found), host)
        except (OSError, ValueError, KeyError) as error:
            self._say({"added": order["id"], "mounts": 0, "error": str(error)})
            return
        self._say({"added": order["id"], "mounts": marked, "error": "" if marked else "no mount could be marked"})

    def _drop(self, id: str) -> None:
        """Ask no more about a container that still runs; with one that has ended its marks have gone."""
        guarded = self._verdicts.containers.get(id)
        self._verdicts.drop(id)
        if guarded is not None:
            with contextlib.suppress(OSError, ValueError):
                host = mounts.devices(mounts.mounts_of("self"))
                self._mark(fanotify.REMOVE, guarded.pid, mounts.markable(mounts.mounts_of(guarded.pid)), host)

    def _mark(self, change: int, pid: int, found: list[mounts.Mount], host: frozenset[str]) -> int:
        """Mark each mount, its whole file system where that is the container's alone; how many were marked."""
        root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        marked = 0
        try:
            for mount in found:
                way = fanotify.FILESYSTEM if mounts.private(mount, host) else fanotify.MOUNT
                with contextlib.suppress(OSError):  # hidden below another, or of a kind that takes no marks
                    here = fanotify.openat2(root, mount.point, os.O_PATH)
                    try:
                        if mounts.number(mount.dev) == os.fstat(here).st_dev or way == fanotify.MOUNT:
                            fanotify.mark(self._group, change | way, fanotify.OPEN_EXEC_PERM, here)
                            marked += 1
                    finally:
                        os.close(here)
        finally:
            os.close(root)
        return marked

    def _check(self, rules: list[dict[str, Any]], policy: dict[str, Any]) -> Check | None:
        if not rules:
            return None
        from seawall.runtime.respond.deny import checker

        return checker(rules, self._lists, policy["container"])

    def _say(self, value: dict[str, Any]) -> None:
        if len(self._said) < MAX_BACKLOG:
            self._said += json.dumps(value).encode() + b"\n"

    def _flush(self) -> None:
        if not self._said:
            return
        try:
            sent = self._control.send(self._said)
        except BlockingIOError:
            return
        except OSError:
            self._said.clear()
            return
        del self._said[:sent]


def _denial(descriptor: int, pid: int, path: str, why: str, guarded: Guarded) -> dict[str, Any]:
    """What is known of the attempt, read while the asker still waits."""
    from seawall.node import procfs  # only a gate that has refused something pays for it

    found = os.fstat(descriptor)
    comm, fields = procfs.stat(pid) or ("", ["?"] * 20)
    status = procfs.status(pid) or {}
    asker = {
        "comm": comm,
        "exe": procfs.link(pid, "exe") or "",
        "args": procfs.cmdline(pid)[:64],
        "cwd": procfs.link(pid, "cwd") or "",
        "ppid": int(fields[1]) if fields[1] != "?" else 0,
        "start": int(fields[19]) if fields[19] != "?" else 0,
        "uids": [int(uid) for uid in status.get("Uid", "0 0").split()[:2]],
        "gid": int(status.get("Gid", "0").split()[0]),
        "vpid": int(status.get("NSpid", str(pid)).split()[-1]),
    }
    return {
        "asker": asker,
        "upper": why == "drift",
        "container": guarded.id,
        "pid": pid,
        "path": path.removesuffix(" (deleted)"),
        "deleted": path.endswith(" (deleted)"),
        "why": why,
        "dev": found.st_dev,
        "ino": found.st_ino,
        "mode": found.st_mode,
        "size": found.st_size,
        "time": time.time(),
    }


def _hurry() -> None:
    """Come before the programs that wait for an answer."""
    try:
        resource.setrlimit(resource.RLIMIT_RTTIME, (MAX_RUN, MAX_RUN))
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except (OSError, ValueError):
        with contextlib.suppress(OSError):
            os.nice(NICE)


def main() -> None:
    """The process's whole life."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=CONTROL)
    _hurry()
    try:
        group = fanotify.init()
    except OSError as error:
        control.send(json.dumps({"error": f"fanotify: {error.strerror}"}).encode())
        return
    socket.send_fds(control, [b'{"ready":true}'], [group])
    control.setblocking(False)
    Gate(control, mmap(PROGRESS, 4096), group).run()


if __name__ == "__main__":
    main()
