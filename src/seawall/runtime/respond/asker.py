"""Who waits for an answer of the gate, and what it asked the kernel for. Read while it waits, so it cannot change.

Of the flags only what lies in registers is believed: what openat2 and io_uring say lies in memory, which another
thread may change, so such an open counts as every kind of open at once.
"""

import os

from seawall.node import procfs
from seawall.runtime import syscalls
from seawall.runtime.model import Process

MAX_DEPTH = 16
NS_PER_TICK = 10_000_000
ANY = (os.O_RDONLY, os.O_RDWR)
"""Flags to judge by where nobody can say which they are."""
RUNS = frozenset(["execve", "execveat"])
_FLAGS_IN = {"open": 1, "openat": 2, "open_by_handle_at": 2}


def call_of(tid: int) -> tuple[str, tuple[int, ...]]:
    """(name of the system call that a waiting task is in, the flags that its open may have)."""
    fields = (procfs.read(tid, "syscall") or b"").split()
    if not fields or not fields[0].isdigit():
        return "", ANY
    name = syscalls.NAMES.get(int(fields[0]), "")
    if name == "creat":
        return name, (os.O_CREAT | os.O_WRONLY | os.O_TRUNC,)
    place = _FLAGS_IN.get(name)
    if place is None:
        return name, ANY
    return name, (int(fields[1 + place], 16) & 0xFFFFFFFF,)


def process_of(tid: int, depth: int = MAX_DEPTH) -> Process:
    """The process a task belongs to, with its ancestors. What cannot be read is left out."""
    status = procfs.status(tid) or {}
    pid = int(status.get("Tgid", str(tid)))
    found = _one(pid, procfs.status(pid) or status)
    if depth and found.ppid > 1:
        found.parent = process_of(found.ppid, depth - 1)
    return found


def _one(pid: int, status: dict[str, str]) -> Process:
    comm, fields = procfs.stat(pid) or ("", [])
    uids = [int(uid) for uid in status.get("Uid", "0 0").split()[:2]]
    return Process(
        pid=pid,
        start=int(fields[19]) * NS_PER_TICK if len(fields) > 19 else 0,
        ppid=int(fields[1]) if len(fields) > 1 else 0,
        exe=(procfs.link(pid, "exe") or "").removesuffix(" (deleted)"),
        comm=comm,
        args=tuple(procfs.cmdline(pid)[:64]),
        cwd=procfs.link(pid, "cwd") or "",
        uid=uids[0],
        euid=uids[-1],
        gid=int(status.get("Gid", "0").split()[0]),
        vpid=int(status.get("NSpid", str(pid)).split()[-1]),
    )
