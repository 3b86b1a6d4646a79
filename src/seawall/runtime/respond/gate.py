"""The gate: a small process of its own that the kernel asks before a program runs in a guarded container, and before a
file is opened in one where a rule asks for that.

Started by guard.py, told by it over a socket (one JSON object a line) and killed with it. Whatever goes wrong here
lets it pass: an error allows, a question older than DEADLINE is allowed by a second thread, and when this process
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
from typing import TYPE_CHECKING, Any

from seawall.runtime.respond import fanotify, mounts
from seawall.runtime.respond.verdict import ALLOWED, Asked, Check, Guarded, Verdicts, devices

if TYPE_CHECKING:
    from seawall.runtime.respond.opens import Opens

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
        self._opens: list[dict[str, Any]] = []
        self._lists: dict[str, list[str]] = {}
        self._hashes: dict[int, set[str]] = {}
        self._asked = self._late = self._failed = self._opened = 0
        self._passing = True
        """Whether the kernel takes marks for files that need no further question."""

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
        asked = [(found[5], found[6], found[4]) for found in _EVENT.iter_unpack(data) if found[5] >= 0]
        now = time.monotonic()
        for descriptor, _, _ in asked:
            self._pending[descriptor] = now
        if not self._busy.is_set():
            self._busy.set()
        for descriptor, tid, mask in asked:
            self._answer(descriptor, tid, mask)

    def _answer(self, descriptor: int, tid: int, mask: int) -> None:
        said = None
        self._asked += 1
        _COUNT.pack_into(self._progress, 0, self._asked)
        try:
            if mask & fanotify.OPEN_PERM:
                asked = self._decide_open(descriptor, tid)
            else:
                asked = Asked(*self._verdicts.decide(descriptor, tid))
            why = asked.why
            if why and asked.guarded is not None:
                said = _denial(descriptor, tid, asked)
        except Exception:  # whatever it is: a question that cannot be judged is answered with yes
            self._failed += 1
            why = ALLOWED
        if self._pending.pop(descriptor, None) is not None:
            self._reply(descriptor, fanotify.DENY if why else fanotify.ALLOW)
            if said is not None:
                self._say({"denied": said})
        os.close(descriptor)

    def _decide_open(self, descriptor: int, tid: int) -> Asked:
        self._opened += 1
        asked = self._verdicts.decide_open(descriptor, tid)
        if asked.settled and self._passing:
            try:
                fanotify.pass_over(self._group, descriptor)
            except OSError:
                self._passing = False
        return asked

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
            self._opens = order["opens"]
        elif name == "hashes":
            self._hashes.clear()
            for size, sha in order["files"]:
                self._hashes.setdefault(size, set()).add(sha)
            for guarded in self._verdicts.containers.values():
                guarded.forget()
        elif name == "counts":
            marked = len(self._verdicts.containers)
            said = {"asked": self._asked, "late": self._late, "failed": self._failed, "containers": marked}
            self._say({"counts": said | {"opens": self._opened}})

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
            guarded.opens = self._check_opens(pid, policy)
            before = self._verdicts.containers.get(guarded.id)
            if before is not None and before.asks_opens:  # what was passed over may be forbidden now
                self._mark(fanotify.REMOVE, fanotify.OPEN_PERM, pid, found)
            self._verdicts.put(guarded)
            mask = fanotify.OPEN_EXEC_PERM | (fanotify.OPEN_PERM if guarded.asks_opens else 0)
            marked = self._mark(fanotify.ADD, mask, pid, found)
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
                mask = fanotify.OPEN_EXEC_PERM | (fanotify.OPEN_PERM if guarded.asks_opens else 0)
                self._mark(fanotify.REMOVE, mask, guarded.pid, mounts.mounts_of(guarded.pid))

    def _mark(self, change: int, mask: int, pid: int, found: list[mounts.Mount]) -> int:
        """Mark each mount, its whole file system where that is the container's alone; how many were marked."""
        host = mounts.devices(mounts.mounts_of("self"))
        root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        marked = 0
        try:
            for mount in mounts.markable(found):
                way = fanotify.FILESYSTEM if mounts.private(mount, host) else fanotify.MOUNT
                with contextlib.suppress(OSError):  # hidden below another, or of a kind that takes no marks
                    here = fanotify.openat2(root, mount.point, os.O_PATH)
                    try:
                        if mounts.number(mount.dev) == os.fstat(here).st_dev or way == fanotify.MOUNT:
                            fanotify.mark(self._group, change | way, mask, here)
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

    def _check_opens(self, pid: int, policy: dict[str, Any]) -> "Opens | None":
        if not self._opens:
            return None
        from seawall.runtime.respond.opens import Opens

        made = Opens(self._opens, self._lists, policy["container"])
        root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            made.learn(root)
        finally:
            os.close(root)
        return made

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


def _denial(descriptor: int, tid: int, asked: Asked) -> dict[str, Any]:
    """What is known of the attempt, read while the asker still waits."""
    from seawall.runtime.respond import asker  # only a gate that has refused something pays for it

    found = os.fstat(descriptor)
    who = asker.process_of(tid, depth=0)
    said = {
        "comm": who.comm,
        "exe": who.exe,
        "args": list(who.args),
        "cwd": who.cwd,
        "ppid": who.ppid,
        "start": who.start // asker.NS_PER_TICK,
        "uids": [who.uid, who.euid],
        "gid": who.gid,
        "vpid": who.vpid,
    }
    return {
        "asker": said,
        "upper": asked.why == "drift",
        "container": asked.guarded.id if asked.guarded is not None else "",
        "pid": who.pid,
        "path": asked.path.removesuffix(" (deleted)"),
        "deleted": asked.path.endswith(" (deleted)"),
        "why": asked.why,
        "open": bool(asked.call) and not asked.script,
        "script": asked.script,
        "call": asked.call,
        "flags": asked.flags,
        "created": bool(asked.flags & os.O_CREAT) and not found.st_size and time.time() - found.st_ctime < 1,
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
