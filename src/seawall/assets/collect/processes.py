"""Processes of the host and of its containers, from /proc. Kernel threads are left out."""

import os
from collections.abc import Iterator
from dataclasses import replace

from seawall.assets.collect.node import CACHED, Node
from seawall.assets.model import Process
from seawall.core.clock import format_time
from seawall.node import procfs, users

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
STATES = {"T": "stopped", "t": "traced", "Z": "zombie"}
"""Others come and go many times a second and are all "running" to people."""
MAX_ARGUMENTS = 64
MAX_ARGUMENT = 1024
"""Characters of one argument that are kept."""


def processes(node: Node) -> Iterator[Process]:
    """One process after the other; those that end while they are read are left out."""
    names = node.names()
    booted = procfs.boot_time()
    kept: dict[tuple[int, int, str], Process] = {}
    for pid in procfs.pids():
        found = procfs.stat(pid)
        if found is None or len(found[1]) < 22:
            continue
        name, fields = found
        key = (pid, int(fields[19]), name)
        known = node.processes.get(key) or _read(key, booted)
        if known is None:
            continue
        kept[key] = known
        yield replace(
            known,
            ppid=int(fields[1]),
            state=STATES.get(fields[0], "running"),
            memory=coarse(int(fields[21]) * PAGE),
            container_name=names.get(known.container_id, ""),
        )
    node.processes = kept if len(kept) <= CACHED else {}


def coarse(size: int) -> int:
    """A size to an eighth of its order, so that a busy process does not look changed at each look."""
    step = 1 << max(size.bit_length() - 4, 20)
    return (size + step // 2) // step * step


def _read(key: tuple[int, int, str], booted: float) -> Process | None:
    pid, start, name = key
    exe = procfs.link(pid, "exe")
    arguments = procfs.cmdline(pid)
    status = procfs.status(pid)
    if status is None or (exe is None and not arguments):
        return None
    uid = int(status.get("Uid", "0").split()[0])
    container = procfs.container_of(pid) or ""
    return Process(
        id=f"{pid}-{start}",
        pid=pid,
        container_pid=int(status.get("NSpid", str(pid)).split()[-1]),
        ppid=0,
        name=name,
        exe=exe or "",
        args=tuple(argument[:MAX_ARGUMENT] for argument in arguments[:MAX_ARGUMENTS]),
        cwd=procfs.link(pid, "cwd") or "",
        user=users.name(pid if container else None, uid),
        uid=uid,
        started_at=format_time(booted + start / TICKS),
        state="",
        memory=0,
        container_id=container,
    )
