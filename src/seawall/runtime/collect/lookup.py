"""Answers to the engine's questions (model.Scan), by a look at /proc. Bounded: a container may try to make it long.

Nothing of a container is run or trusted: descriptors are told by their inodes, paths are resolved inside its root.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seawall.node import procfs
from seawall.runtime.collect import origin
from seawall.runtime.collect.connections import Connection, connections
from seawall.runtime.model import Found, Scan

MAX_MEMBERS, MAX_DESCRIPTORS, MAX_STEPS = 200, 1024, 3
"""Processes of a container and descriptors of each that are looked at; processes between a shell and the network."""
CGROUPS = Path("/sys/fs/cgroup")
PTMX = os.makedev(5, 2)


Connected = Callable[[int], Connection | None]


@dataclass(slots=True)
class _Held:
    """What one process holds."""

    pid: int
    reads: set[int] = field(default_factory=set)
    """Inodes of pipes …"""
    writes: set[int] = field(default_factory=set)
    masters: set[int] = field(default_factory=set)
    """Numbers of pseudo terminals."""
    sockets: set[int] = field(default_factory=set)


def look(scan: Scan) -> Found:
    """The answer, as far as there is one; never raises for processes that end meanwhile."""
    member = _member(scan)
    if member is None:
        return Found(origin=origin.among(scan.layers, scan.path)) if scan.layers else Found()
    if scan.what == "inode":
        dev, ino = origin.inode(member, scan.path)
        return Found(dev=dev, ino=ino)
    if scan.what == "origin":
        return Found(origin=origin.of(member, scan.path))
    return _holder(scan, member)


def _member(scan: Scan) -> int | None:
    """A process of the container that still lives: the one asked about, else an ancestor of it."""
    for pid in (scan.pid, *scan.others):
        if procfs.container_of(pid) == scan.container:
            return pid
    return None


def _holder(scan: Scan, member: int) -> Found:
    held = {pid: _held(pid) for pid in _members(member, scan.container)}
    shell = held.pop(scan.pid, None)
    known: dict[int, Mapping[int, Connection]] = {}

    def connected(pid: int) -> Connection | None:
        space = procfs.namespace(pid, "net") or 0
        if space not in known:
            known[space] = connections(pid)
        found = [known[space][inode] for inode in held[pid].sockets if inode in known[space]]
        return min(found, key=lambda one: (one.outgoing, not one.peer.host), default=None)

    if scan.terminal >= 0:
        masters = [one for one in held.values() if scan.terminal in one.masters]
        found = _found(connected, "pty", (one.pid for one in masters))
        return found if found.holder else _through(connected, held, masters, "pty")
    if shell is None:
        return Found()
    near = {inode + step for inode in shell.sockets & set(scan.pairs) for step in (-1, 1)}
    if near:  # socketpair(2) makes both halves at once: their inodes are neighbours
        return _found(connected, "pipe", (one.pid for one in held.values() if near & one.sockets))
    shell.reads &= set(scan.pipes)
    shell.writes &= set(scan.pipes)
    return _through(connected, held, [shell], "pipe")


def _through(connected: Connected, held: Mapping[int, _Held], ends: list[_Held], through: str) -> Found:
    """Somebody with a connection, from whom what these processes read comes and to whom what they write goes."""
    for end in ends:
        incoming = _chain(held, end.reads - end.writes, end.pid, downstream=False)
        if any(connected(pid) for pid in incoming):
            found = _found(connected, through, iter(_chain(held, end.writes - end.reads, end.pid, downstream=True)))
            if found.holder:
                return found
    return Found()


def _found(connected: Connected, through: str, pids: Iterator[int]) -> Found:
    for pid in pids:
        connection = connected(pid)
        if connection is not None:
            exe = procfs.link(pid, "exe") or ""
            return Found(pid, exe.removesuffix(" (deleted)"), through, connection.peer, connection.outgoing)
    return Found()


def _chain(held: Mapping[int, _Held], pipes: set[int], start: int, downstream: bool) -> list[int]:
    """Processes at the other ends of these pipes, and at the far ends of theirs, nearest first."""
    found: list[int] = [start]
    for _ in range(MAX_STEPS):
        near = [
            one for one in held.values() if one.pid not in found and pipes & (one.reads if downstream else one.writes)
        ]
        if not near:
            break
        found += [one.pid for one in near]
        pipes = {inode for one in near for inode in (one.writes if downstream else one.reads)}
    return found[1:]


def _members(pid: int, container: str) -> list[int]:
    """Processes of a container: from its cgroup, else by asking every process."""
    for line in (procfs.read(pid, "cgroup") or b"").decode("utf-8", "replace").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if container not in path:
            continue
        folder = CGROUPS / controllers.removeprefix("name=") / path.lstrip("/")
        try:
            listed = (folder / "cgroup.procs").read_bytes()[: 1 << 16].split()
        except OSError:
            continue
        if str(pid).encode() in listed:
            return _nearest([int(one) for one in listed if one.isdigit()], pid)
    return _nearest([one for one in procfs.pids() if procfs.container_of(one) == container], pid)


def _nearest(pids: list[int], pid: int) -> list[int]:
    """At most MAX_MEMBERS, those started around the same time first."""
    return sorted(sorted(pids, key=lambda one: abs(one - pid))[:MAX_MEMBERS])


def _held(pid: int) -> _Held:
    held = _Held(pid)
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")[:MAX_DESCRIPTORS]
    except OSError:
        return held
    for number in numbers:
        path = f"/proc/{pid}/fd/{number}"
        try:
            status = Path(path).stat()
            if stat.S_ISFIFO(status.st_mode):
                mode = Path(path).lstat().st_mode
                if mode & stat.S_IRUSR:
                    held.reads.add(status.st_ino)
                if mode & stat.S_IWUSR:
                    held.writes.add(status.st_ino)
            elif stat.S_ISSOCK(status.st_mode):
                held.sockets.add(status.st_ino)
            elif stat.S_ISCHR(status.st_mode) and status.st_rdev == PTMX:
                held.masters.add(_master(pid, number))
        except OSError:
            continue
    return held


def _master(pid: int, number: str) -> int:
    """The number of the terminal that a descriptor of /dev/ptmx is the master of, or -1."""
    for line in (procfs.read(pid, f"fdinfo/{number}") or b"").splitlines():
        if line.startswith(b"tty-index:"):
            return int(line.split()[1])
    return -1
