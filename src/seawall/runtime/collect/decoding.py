"""From the kernel side's records to events, with the process that a record speaks of.

The sensor does this as records come, the replay of a recording (agent/replay.py) long after: nothing here asks the
node, but through the table, and what else a live sensor looks up is `look`.
"""

from collections.abc import Callable

from seawall.runtime import normalise, syscalls
from seawall.runtime.collect.table import Table
from seawall.runtime.model import Event, File, Kind

NS = 1e-9

Look = Callable[[Event, bool], None]
"""Fills in what only the node itself can tell: (event, whether it is of a container)."""


class Decoding:
    """Decodes by one table. `clock` is what is to be added to a record's time, in seconds since the epoch."""

    def __init__(self, table: Table, look: Look | None = None) -> None:
        self.table = table
        self.clock = 0.0
        self._look = look

    def event(self, record: memoryview) -> Event | None:
        """The event of a record; None for what is for the table alone. Raises struct.error, LookupError or ValueError
        on a record that is none."""
        head = normalise.head(record)
        if head.kind == normalise.CONTAINER:
            self.table.born(head, normalise.born(record))
            return None
        kind = normalise.KINDS[head.kind]
        when = self.clock + head.time * NS
        if kind is Kind.FORK:
            return Event(kind, when, self.table.fork(head), uptime=head.time)
        if kind is Kind.EXIT:
            return Event(kind, when, self.table.exit(head), head.result, uptime=head.time)
        if kind is Kind.EXEC:
            new = normalise.execution(record, head.flags)
            process = self.table.exec(head, new)
            event = Event(kind, when, process, file=process.file, stdio=process.stdio, before=new.before)
            event.blocked = bool(head.flags & normalise.BLOCKED)
            event.uptime = head.time
        else:
            event = Event(kind, when, self.table.of(head), head.result, uptime=head.time)
            _fill(event, record, head)
        if self._look is not None:
            self._look(event, bool(head.flags & normalise.IN_CONTAINER))
        return event


def _fill(event: Event, record: memoryview, head: normalise.Head) -> None:
    """What belongs to the event's kind."""
    if event.kind in (Kind.OPEN, Kind.READ):
        event.file, event.paths = normalise.opened(record)
        event.descriptor = max(head.result, -1)
        event.sample = bool(head.flags & normalise.SAMPLE)
    elif event.kind is Kind.CONNECT:
        found = normalise.connected(record)
        event.peer, event.socket_inode, event.socket_dev, event.peer_pid, event.repeats = found[:5]
        event.local, event.protocol, event.descriptor = found.local, found.protocol, head.descriptor
    elif event.kind in (Kind.CALL, Kind.URING):
        call = normalise.called_any(record, event.kind is Kind.URING)
        event.syscall, event.args, event.paths, event.file, event.peer, event.local, event.protocol = call
        if event.kind is Kind.CALL:
            event.descriptor = syscalls.descriptor(call.name, call.args, head.result)
    elif event.kind is Kind.SEND:
        event.syscall, event.peer, event.data, event.local, event.protocol = normalise.sent(record)
        event.descriptor = head.descriptor
    elif event.kind is Kind.DUP:
        event.stdio = event.process.stdio = normalise.duplicated(record)
    elif event.kind is Kind.MOUNT:
        target, source, event.text, event.request = normalise.mounted(record)
        event.file, event.paths = File(target), (source, target)
    elif event.kind is Kind.CRED:
        event.before, now, event.syscall = normalise.credentials(record)
        process = event.process
        process.uid, process.euid, process.gid, process.caps = now.uid, now.euid, now.gid, now.caps
    else:
        event.request, event.target, namespaces = normalise.called(record)
        event.process.namespaces = namespaces
