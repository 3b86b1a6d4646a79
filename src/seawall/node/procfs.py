"""/proc as the rooms need it: one process, its status, its container, its view of the files. proc(5) is the reference.

Processes end while they are read; every reader here answers None or stops yielding then, and never raises for it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
MAX_READ = 1 << 20
"""Bytes read of one file of /proc; arguments and environments beyond it are cut."""

_CONTAINER_ID = re.compile(r"(?<![0-9a-f])([0-9a-f]{64})(?=\.scope|/|$)")


def pids() -> Iterator[int]:
    """Process ids that exist now."""
    for name in os.listdir(PROC):
        if name.isdigit():
            yield int(name)


def read(pid: int | str, name: str) -> bytes | None:
    """The bytes of /proc/PID/NAME, cut at MAX_READ; None if the process is gone or may not be read."""
    try:
        descriptor = os.open(f"{PROC}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        parts = []
        left = MAX_READ
        while left > 0 and (part := os.read(descriptor, min(left, 1 << 16))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def link(pid: int | str, name: str) -> str | None:
    """The target of /proc/PID/NAME (exe, cwd, root, ns/mnt, fd/0 …), or None."""
    try:
        return os.readlink(f"{PROC}/{pid}/{name}")
    except OSError:
        return None


def status(pid: int) -> dict[str, str] | None:
    """/proc/PID/status as a dict: Name, PPid, Uid, Gid, VmRSS, CapEff, Seccomp, NSpid …"""
    body = read(pid, "status")
    if not body:
        return None
    return dict(_pairs(body.decode("utf-8", "surrogateescape")))


def stat(pid: int) -> tuple[str, list[str]] | None:
    """The name of a process and the fields of /proc/PID/stat from the third (state) on; the name may hold anything."""
    body = read(pid, "stat")
    if not body or b")" not in body:
        return None
    head, _, tail = body.decode("utf-8", "surrogateescape").rpartition(")")
    return head.partition("(")[2], tail.split()


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot. (pid, start) names a process for ever."""
    found = stat(pid)
    return int(found[1][19]) if found else None


def cmdline(pid: int) -> list[str]:
    """The arguments; empty for a kernel thread or a process that is gone."""
    body = read(pid, "cmdline") or b""
    return [part.decode("utf-8", "surrogateescape") for part in body.rstrip(b"\0").split(b"\0")] if body else []


def container_of(pid: int) -> str | None:
    """The 64-digit id of the container whose cgroup the process is in, else None."""
    body = read(pid, "cgroup")
    return container_in(body.decode("utf-8", "surrogateescape")) if body else None


def container_in(cgroup: str) -> str | None:
    """The last container id named in a cgroup file or path (docker, containerd, cri-o, podman; v1 and v2)."""
    found = None
    for line in cgroup.splitlines():
        for match in _CONTAINER_ID.finditer(line):
            found = match.group(1)
    return found


def namespace(pid: int | str, kind: str) -> int | None:
    """The inode number that names a namespace: kind is mnt, pid, net, user, uts, ipc or cgroup."""
    target = link(pid, f"ns/{kind}")
    return int(target.rpartition("[")[2].rstrip("]")) if target and "[" in target else None


def boot_time() -> float:
    """Seconds since the epoch at which the host started."""
    for line in Path("/proc/stat").read_bytes().splitlines():
        if line.startswith(b"btime "):
            return float(line.split()[1])
    return 0.0


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            yield key, value.strip()
