"""evt.*: what happened and with which result and arguments."""

from seawall.runtime.detect import names
from seawall.runtime.detect.fields.form import Field
from seawall.runtime.model import Event, Kind

SYSCALLS = {
    Kind.EXEC: "execve",
    Kind.EXIT: "procexit",
    Kind.FORK: "clone",
    Kind.CONNECT: "connect",
    Kind.OPEN: "openat",
    Kind.DUP: "dup2",
    Kind.SETNS: "setns",
    Kind.UNSHARE: "unshare",
    Kind.PTRACE: "ptrace",
    Kind.MOUNT: "mount",
}
"""The call that an event of a kind stands for when it does not name its own."""


def _open_write(event: Event) -> bool:
    return event.kind is Kind.OPEN and event.file is not None and bool(event.file.flags & 3)


def _flags(event: Event) -> str | None:
    if event.kind is Kind.OPEN and event.file is not None:
        return names.flags(event.file.flags, names.OPEN_FLAGS)
    if event.kind in (Kind.SETNS, Kind.UNSHARE):
        return names.flags(event.target, names.CLONE_FLAGS)
    return None


def _request(event: Event) -> str | None:
    if event.kind is not Kind.PTRACE:
        return None
    return names.PTRACE_REQUESTS.get(event.request, str(event.request))


def _mount_type(event: Event) -> str | None:
    return event.text if event.kind is Kind.MOUNT else None


ALL = (
    Field("evt.kind", "text", lambda e: e.kind.value, "what happened: exec, connect, open, dup, setns …"),
    Field("evt.type", "text", lambda e: e.syscall or SYSCALLS.get(e.kind), "the system call's name"),
    Field("evt.rawres", "number", lambda e: e.result, "the call's return value; negative errno when it failed"),
    Field("evt.res", "text", lambda e: names.error(e.result), "SUCCESS or the error's name"),
    Field("evt.failed", "flag", lambda e: e.result < 0, "the call failed"),
    Field("evt.blocked", "flag", lambda e: e.blocked, "the kernel side has already killed the process for it"),
    Field("evt.is_open_write", "flag", _open_write, "an open for writing"),
    Field("evt.arg.flags", "text", _flags, "open: O_WRONLY|O_CREAT …; setns, unshare: CLONE_NEWNS …"),
    Field("evt.arg.request", "text", _request, "ptrace: PTRACE_ATTACH …"),
    Field("evt.arg.fstype", "text", _mount_type, "mount: the file system's type"),
)
