"""The node as it was when a recording began: who ran and which containers there were, to JSON and back."""

import time
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from seawall.core.plain import printable
from seawall.runtime.collect.table import Table
from seawall.runtime.model import Container, File, Plan, Process
from seawall.runtime.normalise import Head

MAX_PROCESSES = 4096
_CONTAINER = ("id", "name", "image", "image_id", "image_digest", "pod", "namespace", "privileged", "complete")
_PROCESS: tuple[str, ...] = (
    *("pid", "start", "ppid", "exe", "comm", "args", "cwd", "uid", "euid", "gid", "loginuid", "caps", "tty"),
    *("sid", "vpid", "namespaces", "by_exec", "started"),
)
_FILTERS: tuple[str, ...] = (
    *("kinds", "open_paths", "open_prefixes", "open_names", "read_paths", "read_prefixes", "read_names"),
    *("open_scope", "wide", "syscalls", "syscalls_host"),
)


class PastTable(Table):
    """A table that asks no node: what it was not told it does not know."""

    def _learn(self, pid: int, start: int = 0) -> Process | None:  # noqa: ARG002 -- a live table looks into /proc
        return None

    def _late(self, head: Head) -> Process:
        return self.fork(head)

    def _container(self, head: Head) -> Container | None:
        return self.cgroups.get(head.cgroup)


def container(known: Container) -> dict[str, Any]:
    """What rules ask of a container."""
    labels = {printable(name): printable(value) for name, value in known.labels.items()}
    return {name: getattr(known, name) for name in _CONTAINER} | {"labels": labels}


def header(table: Table, plan: Plan) -> dict[str, Any]:
    """What a reader must know first: the clock, and what the kernel side was asked for."""
    return {
        "clock": time.time() - time.clock_gettime(time.CLOCK_BOOTTIME),
        "filters": {name: plan.filters[name] for name in _FILTERS if name in plan.filters},
        "host_mnt": table.host_mnt,
    }


def notes(table: Table) -> Iterator[dict[str, Any]]:
    """Who was there then, one after the other (a node has thousands of processes), parents before their children."""
    for known in list(table.containers.values()):
        yield {"container": container(known)}
    for number, inside in list(table.cgroups.items()):
        if inside is not None:
            yield {"cgroup": number, "id": inside.id}
    oldest = sorted(table.processes.values(), key=attrgetter("start"))
    for process in oldest[:MAX_PROCESSES]:
        yield {"process": _plain(process)}


def restore(said: Mapping[str, Any]) -> PastTable:
    """An empty table for a header. Raises KeyError, TypeError or ValueError on what is none."""
    return PastTable(int(said["host_mnt"]))


def learn(table: Table, note: Mapping[str, Any]) -> None:
    """Take a note into a table. Raises KeyError, TypeError, ValueError or AttributeError on what is none."""
    if "container" in note:
        table.know(Container(**note["container"]))
    elif "cgroup" in note:
        table.cgroups[int(note["cgroup"])] = table.containers.get(note["id"])
    else:
        process = _process(note["process"], table)
        table.processes[process.pid] = process


def _process(said: Mapping[str, Any], table: Table) -> Process:
    process = Process(**{name: said[name] for name in _PROCESS if name in said})
    process.args = tuple(process.args)
    process.container = table.containers.get(said.get("inside", ""))
    process.file = File(process.exe, upper=bool(said.get("upper")), memfd=bool(said.get("memfd")))
    process.parent = table.processes.get(process.ppid)
    return process


def _plain(process: Process) -> dict[str, Any]:
    said = {name: value for name in _PROCESS if (value := getattr(process, name)) not in ("", (), 0)}
    said["namespaces"] = dict(process.namespaces)
    for name in ("exe", "comm", "cwd", "tty"):
        if name in said:
            said[name] = printable(said[name])
    said["args"] = [printable(text) for text in process.args]
    if process.container is not None:
        said["inside"] = process.container.id
    if process.file is not None:
        said |= {mark: True for mark in ("upper", "memfd") if getattr(process.file, mark)}
    return said | {"by_exec": process.by_exec, "started": process.started, "start": process.start}
