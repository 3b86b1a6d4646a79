"""The node's processes and the containers they are in, kept up by fork, exec and exit. Bounded.

A process is named by (pid, start). A child keeps its dead parents for the family tree, MAX_DEPTH of them.
"""

import time

from seawall.node import procfs
from seawall.runtime.model import Container, Process
from seawall.runtime.normalise import BY_KERNEL, FOREIGN_CWD, IN_CONTAINER, Exec, Head

MAX_PROCESSES = 8192
MAX_CONTAINERS = 4096
MAX_DEPTH = 24
TICK_NS = 10_000_000
"""/proc knows a start to a hundredth of a second (USER_HZ)."""
RUNTIMES = frozenset(["runc", "crun", "youki", "memfd:runc_cloned:/proc/self/exe", "exe"])
SETUP_NS = 30_000_000_000
_CAPACITY_CHECK = 256


class Table:
    """Who runs on this node. `forgotten` counts processes dropped because there were too many."""

    def __init__(self, host_mnt: int | None = None) -> None:
        """`host_mnt`: the host's mount namespace; by default this process looks it up."""
        self.processes: dict[int, Process] = {}
        self.containers: dict[str, Container] = {}
        self.forgotten = 0
        self.cgroups: dict[int, Container | None] = {}
        self._entered: set[str] = set()
        if host_mnt is None:
            host_mnt = procfs.namespace(1, "mnt") or procfs.namespace("self", "mnt") or 0
        self.host_mnt = host_mnt
        self._checks = 0
        self._forked: dict[int, tuple[Head, Process | None]] = {}

    def __len__(self) -> int:
        return len(self.processes) + len(self._forked)

    def snapshot(self) -> None:
        """Learn what runs already."""
        for pid in sorted(procfs.pids()):
            if pid not in self.processes and len(self.processes) < MAX_PROCESSES:
                self._learn(pid)
        for process in self.processes.values():
            process.parent = process.parent or self.processes.get(process.ppid)

    def know(self, container: Container) -> None:
        """Fill in who a container is; processes share the one value."""
        known = self.containers.get(container.id)
        if known is None:
            self.containers[container.id] = container
            return
        for name in Container.__slots__:
            setattr(known, name, getattr(container, name))

    def forget(self, id: str) -> None:
        """A container is gone; processes that are not keep their reference."""
        self.containers.pop(id, None)
        self._entered.discard(id)
        self.cgroups = {key: found for key, found in self.cgroups.items() if found is None or found.id != id}

    def forked(self, head: Head) -> None:
        """A new process, of which nobody may ever ask: most are gone, or another program, before they do anything.

        Its parent is kept as it is now: an exec of the parent makes a new Process.
        """
        self._forked[head.pid] = (head, self.processes.get(head.ppid) or self._ripe(head.ppid))
        if len(self._forked) > MAX_PROCESSES:
            del self._forked[next(iter(self._forked))]
            self.forgotten += 1

    def gone(self, pid: int) -> None:
        """A process has ended and nobody wants to know how."""
        if self._forked.pop(pid, None) is None and (process := self.processes.pop(pid, None)) is not None:
            _shorten(process)

    def fork(self, head: Head, parent: Process | None = None) -> Process:
        """A new process: its parent's likeness."""
        self._forked.pop(head.pid, None)
        parent = parent or self._known(head.ppid)
        process = Process(head.pid, head.start, head.ppid, vpid=head.vpid, parent=parent)
        if parent is not None:
            process.exe, process.comm, process.args, process.cwd = parent.exe, parent.comm, parent.args, parent.cwd
            process.uid, process.euid, process.gid = parent.uid, parent.euid, parent.gid
            process.loginuid, process.caps, process.permitted = parent.loginuid, parent.caps, parent.permitted
            process.env, process.user, process.group, process.login = (
                parent.env,
                parent.user,
                parent.group,
                parent.login,
            )
            process.tty, process.sid, process.pgid, process.vpgid = parent.tty, parent.sid, parent.pgid, parent.vpgid
            process.namespaces, process.file, process.stdio = parent.namespaces, parent.file, parent.stdio
            process.by_exec, process.started, process.container = parent.by_exec, parent.started, parent.container
            process.foreign_cwd = parent.foreign_cwd
        self._place(process, self._container(head))
        self._put(process)
        return process

    def born(self, head: Head, id: str) -> None:
        """A container's cgroup was made: who will be in it needs not be asked of /proc."""
        self._named(head.cgroup, id)

    def exec(self, head: Head, new: Exec) -> Process:
        """The same process with another program."""
        old = self.processes.get(head.pid) or self._ripe(head.pid)
        if old is None or not _same(old, head.start):
            old = self.fork(head)
        container = self._named(head.cgroup, new.container) if head.flags & IN_CONTAINER else None
        entering = container is not None and (old.container is None or not old.started)
        process = Process(
            *(head.pid, head.start, head.ppid, new.file.path, new.comm, new.args, new.cwd, new.uid, new.euid, new.gid),
            *(new.loginuid, new.caps, new.tty, new.sid, head.vpid, new.namespaces),
            container=container or old.container,
            file=new.file,
            stdio=new.stdio,
            by_exec=old.by_exec,
            started=True,
            parent=old.parent if old.ppid == head.ppid else self._known(head.ppid) or old.parent,
            pgid=new.pgid,
            vpgid=new.vpgid,
            permitted=new.permitted,
            env=new.env,
            foreign_cwd=bool(head.flags & FOREIGN_CWD),
            by_kernel=bool(head.flags & BY_KERNEL),
        )
        if entering and container is not None:
            self._enter(process, container)
        self.processes[head.pid] = process
        return process

    def exit(self, head: Head) -> Process:
        """Its last state; it is no longer in the table."""
        process = self.of(head)
        self.processes.pop(head.pid, None)
        _shorten(process)
        return process

    def of(self, head: Head) -> Process:
        """Who did it. One whose beginning was missed is looked up in /proc."""
        process = self.processes.get(head.pid) or self._ripe(head.pid)
        if process is None or not _same(process, head.start):
            process = self._learn(head.pid, head.start) or self._late(head)
        process.start = head.start
        if head.flags & FOREIGN_CWD:
            process.foreign_cwd = True
        if head.flags & IN_CONTAINER and process.container is None:
            self._place(process, self._container(head))
        return process

    def _late(self, head: Head) -> Process:
        """One of whom nothing was known, and who is gone by now: its end has been told, so nobody would remove it."""
        process = self.fork(head)
        del self.processes[head.pid]
        return process

    def some_of(self, pid: int, cgroup: int) -> Process:
        """A process to stand for its cgroup; it may be gone already."""
        process = self._known(pid) or Process(pid, 0)
        process.container = process.container or self.cgroups.get(cgroup)
        return process

    def _enter(self, process: Process, container: Container) -> None:
        """The first program inside, or the runtime's own last step, still among the host's files."""
        runtime = process.exe.rpartition("/")[2] in RUNTIMES or process.exe.startswith("/memfd:runc_cloned")
        if runtime and process.namespaces.get("mnt") in (self.host_mnt, _mounts_outside(process)):
            process.started = False
            return
        process.by_exec = process.vpid != 1 and container.id in self._entered
        self._entered.add(container.id)

    def _place(self, process: Process, container: Container | None) -> None:
        """Where its cgroup says it is. What has come from outside and run no program since is still the runtime.

        A process never leaves its container: who moves itself into another cgroup is still who it was.
        """
        if container is not None and process.container is not container:
            process.started = process.container is not None and process.started
            process.container = container

    def _container(self, head: Head) -> Container | None:
        if not head.flags & IN_CONTAINER:
            return None
        if head.cgroup in self.cgroups:
            return self.cgroups[head.cgroup]
        found = procfs.container_of(head.pid)
        return self._named(head.cgroup, found) if found else None

    def _named(self, cgroup: int, id: str) -> Container:
        container = self.containers.get(id)
        if container is None:
            container = self.containers[id] = Container(id)
            if len(self.containers) > MAX_CONTAINERS:
                self._drop_empty_containers()
        if len(self.cgroups) > MAX_CONTAINERS:
            self.cgroups.clear()
        self.cgroups[cgroup] = container
        return container

    def _drop_empty_containers(self) -> None:
        used = {process.container.id for process in self.processes.values() if process.container is not None}
        for empty in [name for name in self.containers if name not in used][: MAX_CONTAINERS // 4]:
            self.forget(empty)

    def _ripe(self, pid: int) -> Process | None:
        """A process that was only forked so far, now that somebody asks."""
        found = self._forked.pop(pid, None)
        return self.fork(*found) if found is not None else None

    def _known(self, pid: int) -> Process | None:
        return self.processes.get(pid) or self._ripe(pid) or (self._learn(pid) if pid else None)

    def _put(self, process: Process) -> None:
        self.processes[process.pid] = process
        if len(self.processes) <= MAX_PROCESSES:
            return
        self._checks += 1
        if self._checks % _CAPACITY_CHECK == 1:  # exits may have been lost: who is gone from /proc goes first
            alive = set(procfs.pids())
            for pid in [pid for pid in self.processes if pid not in alive]:
                del self.processes[pid]
        while len(self.processes) > MAX_PROCESSES:
            del self.processes[next(iter(self.processes))]
            self.forgotten += 1

    def _learn(self, pid: int, start: int = 0) -> Process | None:
        """From /proc; None if it is gone, or is another process by now."""
        found, status = procfs.stat(pid), procfs.status(pid)
        if found is None or status is None:
            return None
        comm, fields = found
        if fields[0] in ("Z", "X") and int(fields[17]) < 2:
            return None  # no thread is left: its end has been told already
        began = int(fields[19]) * TICK_NS
        if start and abs(began - start) > TICK_NS:
            return None
        inside = procfs.container_of(pid)
        exe = (procfs.link(pid, "exe") or "").removesuffix(" (deleted)")
        args = tuple(procfs.cmdline(pid))
        started = not (inside and _sets_up(exe, args, began))
        if inside and started:
            self._entered.add(inside)
        uids = status.get("Uid", "0 0").split()
        process = Process(
            pid=pid,
            start=start or began,
            ppid=int(fields[1]),
            exe=exe,
            comm=comm,
            args=args,
            cwd=procfs.link(pid, "cwd") or "",
            uid=int(uids[0]),
            euid=int(uids[1]),
            gid=int(status.get("Gid", "0").split()[0]),
            caps=int(status.get("CapEff", "0"), 16),
            permitted=int(status.get("CapPrm", "0"), 16),
            pgid=int(fields[2]),
            vpgid=int(status.get("NSpgid", fields[2]).split()[-1]),
            sid=int(fields[3]),
            tty=fields[4] if fields[4] != "0" else "",
            vpid=int(status.get("NSpid", str(pid)).split()[-1]),
            namespaces={kind: procfs.namespace(pid, kind) or 0 for kind in ("mnt", "pid", "net", "user")},
            container=self.containers.setdefault(inside, Container(inside)) if inside else None,
            started=started,
            parent=self.processes.get(int(fields[1])),
        )
        self._put(process)
        return process


def _same(process: Process, start: int) -> bool:
    return abs(process.start - start) <= TICK_NS


def _sets_up(exe: str, args: tuple[str, ...], began: int) -> bool:
    """Whether a process that only /proc tells of is the runtime's last step. Its program is a copy of the runtime's,
    on a mount that is attached nowhere: /proc calls that "/". It is young: a container is set up within seconds."""
    program = exe.rpartition("/")[2]
    copied = program in RUNTIMES or not program or exe.startswith("/memfd:runc_cloned")
    young = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - began < SETUP_NS
    return copied and young and args[1:2] == ("init",)


def _mounts_outside(process: Process) -> int:
    """The mount namespace of the nearest ancestor outside all containers, or -1: /proc/1 does not tell everywhere."""
    above = process.parent
    while above is not None and above.container is not None:
        above = above.parent
    return above.namespaces.get("mnt") or -1 if above is not None else -1


def _shorten(process: Process) -> None:
    """Cut the dead end of a family tree: a program that forks and ends for ever must not fill memory."""
    last: Process | None = process
    for _ in range(MAX_DEPTH):
        if last is None:
            return
        last = last.parent
    if last is not None:
        last.parent = None
