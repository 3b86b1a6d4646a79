"""evt.*: what happened and with which result. Its arguments are in arguments.py."""

from seawall.runtime.detect import names
from seawall.runtime.detect.fields.form import Field
from seawall.runtime.model import Event, Kind

OPENS = frozenset([Kind.OPEN, Kind.READ])
SYSCALLS = {
    Kind.EXEC: "execve",
    Kind.EXIT: "procexit",
    Kind.FORK: "clone",
    Kind.CONNECT: "connect",
    Kind.OPEN: "openat",
    Kind.READ: "openat",
    Kind.DUP: "dup2",
    Kind.SETNS: "setns",
    Kind.UNSHARE: "unshare",
    Kind.PTRACE: "ptrace",
    Kind.MOUNT: "mount",
    Kind.SEND: "sendto",
}
"""The call that an event of a kind stands for when it does not name its own."""
WRITES, READWRITE, CREATES, TEMPORARY = 3, 2, 0x40, 0x400000


def syscall(event: Event) -> str | None:
    """The name of the system call."""
    return event.syscall or SYSCALLS.get(event.kind)


def _open_write(event: Event) -> bool:
    return event.kind in OPENS and event.file is not None and bool(event.file.flags & WRITES)


def _open_read(event: Event) -> bool:
    return event.kind in OPENS and event.file is not None and event.file.flags & WRITES in (0, READWRITE)


def _open_create(event: Event) -> bool:
    return event.kind in OPENS and event.file is not None and bool(event.file.flags & (CREATES | TEMPORARY))


def _open_exec(event: Event) -> bool:
    return _open_create(event) and event.file is not None and bool(event.file.mode & 0o111)


def _number(event: Event) -> int:
    return max(1, int(event.time * 1e9))


ALL = (
    Field("evt.kind", "text", lambda e: e.kind.value, "what happened: exec, connect, open, dup, setns …"),
    Field("evt.type", "text", syscall, "the system call's name; of an event that has none: procexit"),
    Field("evt.num", "number", _number, "grows from event to event and is never 0; here its time in nanoseconds"),
    Field("evt.rawres", "number", lambda e: e.result, "the call's return value; negative errno when it failed"),
    Field("evt.res", "text", lambda e: names.error(e.result), "SUCCESS or the error's name"),
    Field("evt.failed", "flag", lambda e: e.result < 0, "the call failed"),
    Field("evt.blocked", "flag", lambda e: e.blocked, "the kernel side has already killed the process for it"),
    Field("evt.is_open_write", "flag", _open_write, "an open for writing"),
    Field("evt.is_open_read", "flag", _open_read, "an open for reading, or for both"),
    Field("evt.is_open_create", "flag", _open_create, "an open that may create the file"),
    Field("evt.is_open_exec", "flag", _open_exec, "an open that may create it, and the file is executable"),
)
