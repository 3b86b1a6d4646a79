"""evt.arg.*, evt.args and evt.buffer: what a system call was given, as Falco names it."""

from collections.abc import Callable, Iterator
from typing import Any

from seawall.runtime.detect import names
from seawall.runtime.detect.fields.event import OPENS, syscall
from seawall.runtime.detect.fields.form import Field, Getter
from seawall.runtime.model import Event, Kind

Read = Callable[[Event], Any]


def _path(number: int) -> Read:
    """One of the paths that the sensor resolved; of an open the one its file has."""

    def read(event: Event) -> str | None:
        if number < len(event.paths):
            return event.paths[number]
        return event.file.path if event.file is not None and number == 0 and event.kind is not Kind.EXEC else None

    return read


def _raw(number: int) -> Read:
    def read(event: Event) -> int | None:
        return event.args[number] if number < len(event.args) else None

    return read


def _signed(number: int) -> Read:
    """A 32-bit number that may be negative: a descriptor, AT_FDCWD, -1."""

    def read(event: Event) -> int | None:
        if number >= len(event.args):
            return None
        value = event.args[number] & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value

    return read


def _bits(number: int) -> Read:
    def read(event: Event) -> str | None:
        return names.flags(event.args[number], names.PROTECTION_BITS) if number < len(event.args) else None

    return read


def _made(event: Event) -> str | None:
    """The mode of a file that an open makes."""
    return names.flags(event.file.mode, names.PROTECTION_BITS) if event.file is not None and event.file.mode else None


def _open_flags(event: Event) -> str | None:
    return None if event.file is None else names.flags(event.file.flags, names.OPEN_FLAGS)


def _clone_flags(event: Event) -> str | None:
    return names.flags(event.target or (event.args[0] if event.args else 0), names.CLONE_FLAGS)


def _exec_flags(event: Event) -> str | None:
    file = event.process.file
    if file is None:
        return None
    marks = (("EXE_UPPER_LAYER", file.upper), ("EXE_FROM_MEMFD", file.memfd))
    return "|".join(name for name, holds in marks if holds)


def _request(event: Event) -> str | None:
    return names.PTRACE_REQUESTS.get(event.request, str(event.request))


def _command(event: Event) -> str | None:
    if not event.args:
        return None
    number = event.args[0] & 0xFFFFFFFF
    return names.BPF_COMMANDS[number] if number < len(names.BPF_COMMANDS) else str(number)


def _domain(event: Event) -> str | None:
    return names.DOMAINS.get(event.args[0], str(event.args[0])) if event.args else None


def _user(event: Event) -> str | None:
    """By name where that is known: root's, and the process's own."""
    if not event.args:
        return None
    uid = event.args[0] & 0xFFFFFFFF
    own = event.process.user if uid == event.process.uid else ""
    return own or ("root" if uid == 0 else str(uid))


def _result(event: Event) -> int:
    return event.result


def _descriptor(event: Event) -> int | None:
    if event.descriptor >= 0:
        return event.descriptor
    return event.result if event.kind in OPENS else None


_PATH = {"path": _path(0)}
_OPEN = {"fd": _descriptor, "name": _path(0), "flags": _open_flags, "mode": _made}
_SOCKET = {"fd": _signed(0)}
_EXEC: dict[str, Read] = {"filename": lambda event: event.process.exe, "flags": _exec_flags}
_RENAME = {"oldpath": _path(0), "newpath": _path(1)}
CALLS: dict[str, dict[str, Read]] = {
    "open": _OPEN,
    "openat": _OPEN,
    "openat2": _OPEN,
    "creat": _OPEN,
    "execve": _EXEC,
    "execveat": _EXEC,
    "mkdir": _PATH | {"mode": _bits(1)},
    "mkdirat": {"dirfd": _signed(0), "path": _path(0), "mode": _bits(2)},
    "rmdir": _PATH,
    "unlink": _PATH,
    "unlinkat": {"dirfd": _signed(0), "name": _path(0)},
    "rename": _RENAME,
    "renameat": _RENAME,
    "renameat2": _RENAME,
    "link": _RENAME,
    "linkat": _RENAME,
    "symlink": {"target": _path(0), "linkpath": _path(1)},
    "symlinkat": {"target": _path(0), "linkpath": _path(1)},
    "chmod": {"filename": _path(0), "mode": _bits(1)},
    "fchmod": {"fd": _signed(0), "mode": _bits(1)},
    "fchmodat": {"dirfd": _signed(0), "filename": _path(0), "mode": _bits(2)},
    "fchmodat2": {"dirfd": _signed(0), "filename": _path(0), "mode": _bits(2)},
    "ptrace": {"request": _request, "pid": lambda event: event.target},
    "setuid": {"uid": _user},
    "setns": {"fd": _signed(0), "flags": _clone_flags},
    "unshare": {"flags": _clone_flags},
    "mount": {"name": lambda event: event.file.path if event.file else None, "fstype": lambda event: event.text},
    "bpf": {"fd": _result, "cmd": _command},
    "socket": {"fd": _result, "domain": _domain, "type": _raw(1), "proto": _raw(2)},
    "connect": _SOCKET,
    "listen": _SOCKET | {"backlog": _raw(1)},
    "accept": {"fd": _result},
    "accept4": {"fd": _result},
    "sendto": _SOCKET,
    "sendmsg": _SOCKET,
    "recvfrom": _SOCKET,
    "recvmsg": _SOCKET,
    "dup": {"oldfd": _signed(0)},
    "dup2": {"oldfd": _signed(0), "newfd": _signed(1)},
    "dup3": {"oldfd": _signed(0), "newfd": _signed(1)},
    "finit_module": {"fd": _signed(0)},
    "userfaultfd": {"flags": _raw(0)},
}
"""The arguments of each system call, by their names."""

_ABOUT = {
    "backlog": "listen: how many may wait",
    "cmd": "bpf: BPF_PROG_LOAD …",
    "dirfd": "mkdirat, unlinkat, fchmodat: the folder's descriptor",
    "domain": "socket: AF_INET, AF_PACKET …",
    "fd": "open, socket, bpf, accept: the new descriptor; fchmod, connect, listen …: the one it is about",
    "filename": "chmod, fchmodat: the path; execve: the program's",
    "flags": "open: O_WRONLY|O_CREAT …; setns, unshare: CLONE_NEWNS …; execve: EXE_UPPER_LAYER|EXE_FROM_MEMFD",
    "fstype": "mount: the file system's type",
    "linkpath": "symlink: the link's path",
    "mode": "chmod, mkdir, and opens that create: S_ISUID|S_IXUSR …",
    "name": "open, creat, unlinkat: the path as the caller named it; mount: the target",
    "newfd": "dup2, dup3: the new descriptor",
    "newpath": "rename, link: the new path",
    "oldfd": "dup: the old descriptor",
    "oldpath": "rename, link: the old path",
    "path": "mkdir, rmdir, unlink: the path",
    "pid": "ptrace: the other process",
    "proto": "socket: the protocol's number",
    "request": "ptrace: PTRACE_ATTACH …",
    "target": "symlink: what it points to, as the caller named it",
    "type": "socket: the type's number",
    "uid": "setuid: the user; a name for root and for the process's own user, else a number",
}


def _argument(name: str) -> Getter:
    readers = {call: reads[name] for call, reads in CALLS.items() if name in reads}

    def get(event: Event) -> str | None:
        read = readers.get(syscall(event) or "")
        value = None if read is None else read(event)
        return None if value is None else str(value)

    return get


def _pairs(event: Event) -> Iterator[str]:
    yield f"res={event.result}"
    for name, read in CALLS.get(syscall(event) or "", {}).items():
        value = read(event)
        if value is not None:
            yield f"{name}={value}"


def _buffer(event: Event) -> str | None:
    return event.data.decode("latin-1") if event.data else None


ALL = (
    *(Field(f"evt.arg.{name}", "text", _argument(name), about) for name, about in _ABOUT.items()),
    Field("evt.args", "text", lambda e: " ".join(_pairs(e)), "result and arguments, name=value"),
    Field("evt.buffer", "bytes", _buffer, "the head of what was sent or received, at most 512 bytes"),
)
