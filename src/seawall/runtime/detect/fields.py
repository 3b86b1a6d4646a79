"""The fields that conditions may speak of: one registry for the parser, the node and the reference.

Names are Falco's where the meaning is equal (https://falco.org/docs/reference/rules/supported-fields/). A getter
answers None where the field does not exist for this event; a check on an absent field is false.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from seawall.runtime.detect import names
from seawall.runtime.model import Container, Descriptor, Event, Kind, Process

Getter = Callable[[Event], Any]

MAX_ANCESTORS = 32
"""Steps up the family tree; deeper ones are not looked at."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `get` yields text, an int, a bool or a tuple of texts (of which any may match), by `type`."""

    name: str
    type: str
    """text, number, flag, many (texts, any of which may match) or net (an address, compared with networks)."""
    get: Getter
    about: str
    identity: bool = False
    """Needs the container's whole identity: a rule that uses it is not judged while that is missing."""
    nth: Callable[[int], Getter] | None = None
    """The getter of `name[N]`, where the field takes a number."""


def resolve(name: str) -> Field:
    """The field of a name, with its number bound: `proc.aname[2]`. Raises KeyError when there is none."""
    plain, bracket, rest = name.partition("[")
    field = FIELDS[plain]
    if not bracket:
        return field
    number = rest.removesuffix("]")
    if field.nth is None or not number.isdigit() or not 0 <= int(number) <= MAX_ANCESTORS:
        raise KeyError(name)
    return Field(name, "text", field.nth(int(number)), field.about, field.identity)


def basename(path: str) -> str:
    """The last component."""
    return path.rpartition("/")[2]


def ancestors(process: Process) -> Iterator[Process]:
    """Parent first, at most MAX_ANCESTORS."""
    parent, left = process.parent, MAX_ANCESTORS
    while parent is not None and left:
        yield parent
        parent, left = parent.parent, left - 1


def in_container(event: Event) -> Container | None:
    """The container of the process that acted, or None on the host."""
    return event.process.container


# Processes


def _name(process: Process) -> str:
    return process.comm or basename(process.exe)[:15]


def _cmdline(process: Process) -> str:
    return " ".join((_name(process), *process.args[1:]))


def _first_argument(process: Process) -> str:
    return process.args[0] if process.args else process.exe


def _of(read: Callable[[Process], Any]) -> Getter:
    return lambda event: read(event.process)


def _of_parent(read: Callable[[Process], Any]) -> Getter:
    def get(event: Event) -> Any:
        parent = event.process.parent
        return None if parent is None else read(parent)

    return get


def _of_ancestors(read: Callable[[Process], str]) -> Getter:
    return lambda event: tuple(read(process) for process in ancestors(event.process))


def _of_nth(read: Callable[[Process], str]) -> Callable[[int], Getter]:
    def bind(number: int) -> Getter:
        def get(event: Event) -> Any:
            process: Process | None = event.process
            for _ in range(number):
                process = process.parent if process is not None else None
            return None if process is None else read(process)

        return get

    return bind


def _upper(process: Process) -> bool:
    return process.file is not None and process.file.upper


def _memfd(process: Process) -> bool:
    return process.file is not None and process.file.memfd


def _deleted(process: Process) -> bool:
    return process.file is not None and process.file.deleted


# Standard input and output


def stdio(event: Event) -> tuple[Descriptor, ...]:
    """Descriptors 0 to 2 as this event shows them, else as the process was last seen with them."""
    return event.stdio or event.process.stdio


def _stdio_type(number: int) -> Getter:
    def get(event: Event) -> str | None:
        for descriptor in stdio(event):
            if descriptor.number == number:
                return descriptor.type
        return None

    return get


def connected(event: Event) -> tuple[Descriptor, ...]:
    """Those of 0 to 2 that are connected internet sockets. A socket without a peer is a listener (php-fpm's fd 0)."""
    return tuple(
        descriptor
        for descriptor in stdio(event)
        if descriptor.type in ("inet", "inet6") and descriptor.peer is not None and descriptor.peer.host
    )


def _peer(read: Callable[[Descriptor], Any]) -> Getter:
    def get(event: Event) -> Any:
        for descriptor in connected(event):
            return read(descriptor)
        return None

    return get


def is_loopback(host: str) -> bool:
    """Of an address in text."""
    return host.startswith(("127.", "::ffff:127.")) or host == "::1"


def _inherited(event: Event) -> bool:
    """The socket on standard input is the parent's input too: a program that a shell on a socket starts."""
    parent = event.process.parent
    if parent is None:
        return False
    own = {found.inode for found in connected(event) if found.number == 0 and found.inode}
    return any(found.number == 0 and found.inode in own for found in parent.stdio)


# Files, sockets, system calls


def _fd_name(event: Event) -> str | None:
    if event.file is not None and event.kind is not Kind.EXEC:
        return event.file.path
    peer = event.peer
    if peer is None:
        return None
    return peer.path if peer.family == "unix" else f"{peer.host}:{peer.port}"


def _fd_directory(event: Event) -> str | None:
    name = _fd_name(event)
    return None if name is None else name.rpartition("/")[0] or "/"


def _fd_filename(event: Event) -> str | None:
    name = _fd_name(event)
    return None if name is None else basename(name)


def _fd_type(event: Event) -> str | None:
    if event.file is not None and event.kind is not Kind.EXEC:
        return "file"
    return None if event.peer is None else {"inet": "ipv4", "inet6": "ipv6"}.get(event.peer.family, event.peer.family)


def _fd_typechar(event: Event) -> str | None:
    return {"file": "f", "ipv4": "4", "ipv6": "6", "unix": "u"}.get(_fd_type(event) or "")


def _fd_system(event: Event) -> str | None:
    return None if event.file is None else names.FILE_SYSTEMS.get(event.file.fs_magic, hex(event.file.fs_magic))


def _host(event: Event) -> str | None:
    return event.peer.host if event.peer is not None and event.peer.family != "unix" else None


def _port(event: Event) -> int | None:
    return event.peer.port if event.peer is not None and event.peer.family != "unix" else None


def _loopback(event: Event) -> bool | None:
    host = _host(event)
    return None if host is None else is_loopback(host)


def _open_write(event: Event) -> bool:
    return event.kind is Kind.OPEN and event.file is not None and bool(event.file.flags & 3)


_SYSCALLS = {
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


def _joined_host(event: Event) -> tuple[str, ...]:
    joined: tuple[str, ...] = event.raw.get("joined_host", ())
    return joined


# Containers


def _container(read: Callable[[Container], Any]) -> Getter:
    def get(event: Event) -> Any:
        container = event.process.container
        return None if container is None else read(container)

    return get


def _container_id(event: Event) -> str:
    container = event.process.container
    return "host" if container is None else container.id[:12]


def _repository(container: Container) -> str:
    name = container.image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _tag(container: Container) -> str:
    name = container.image.partition("@")[0]
    tail = name.rpartition("/")[2]
    return tail.partition(":")[2]


def _relay(event: Event) -> str | None:
    return event.raw.get("relay")


def _f(name: str, type: str, get: Getter, about: str, **more: Any) -> Field:
    return Field(name, type, get, about, **more)


_ALL = (
    _f("evt.kind", "text", lambda e: e.kind.value, "what happened: exec, connect, open, dup, setns …"),
    _f("evt.type", "text", lambda e: e.syscall or _SYSCALLS.get(e.kind), "the system call's name"),
    _f("evt.rawres", "number", lambda e: e.result, "the call's return value; negative errno when it failed"),
    _f("evt.res", "text", lambda e: names.error(e.result), "SUCCESS or the error's name"),
    _f("evt.failed", "flag", lambda e: e.result < 0, "the call failed"),
    _f("evt.blocked", "flag", lambda e: e.blocked, "the kernel side has already killed the process for it"),
    _f("evt.is_open_write", "flag", _open_write, "an open for writing"),
    _f("evt.arg.flags", "text", _flags, "open: O_WRONLY|O_CREAT …; setns, unshare: CLONE_NEWNS …"),
    _f("evt.arg.request", "text", _request, "ptrace: PTRACE_ATTACH …"),
    _f("evt.arg.fstype", "text", _mount_type, "mount: the file system's type"),
    _f("proc.name", "text", _of(_name), "the task's name, at most 15 characters"),
    _f("proc.exe", "text", _of(_first_argument), "argument 0"),
    _f("proc.exepath", "text", _of(lambda p: p.exe), "the running file, resolved"),
    _f("proc.exename", "text", _of(lambda p: basename(p.exe)), "last component of the running file"),
    _f("proc.args", "text", _of(lambda p: " ".join(p.args[1:])), "arguments after the first, joined by blanks"),
    _f("proc.nargs", "number", _of(lambda p: max(0, len(p.args) - 1)), "number of arguments after the first"),
    _f("proc.cmdline", "text", _of(_cmdline), "name and arguments"),
    _f("proc.cwd", "text", _of(lambda p: p.cwd), "working directory"),
    _f("proc.pid", "number", _of(lambda p: p.pid), "process id on the host"),
    _f("proc.vpid", "number", _of(lambda p: p.vpid), "process id inside its pid namespace"),
    _f("proc.ppid", "number", _of(lambda p: p.ppid), "the parent's process id on the host"),
    _f("proc.sid", "number", _of(lambda p: p.sid), "session id"),
    _f("proc.has_tty", "flag", _of(lambda p: bool(p.tty)), "has a controlling terminal"),
    _f("proc.is_exe_upper_layer", "flag", _of(_upper), "the running file was written after the container's start"),
    _f("proc.is_exe_from_memfd", "flag", _of(_memfd), "the running file exists in memory only"),
    _f("proc.is_exe_deleted", "flag", _of(_deleted), "the running file was unlinked"),
    _f("proc.by_exec", "flag", _of(lambda p: p.by_exec), "entered by docker exec or kubectl exec"),
    _f("proc.pname", "text", _of_parent(_name), "the parent's name"),
    _f("proc.pexe", "text", _of_parent(_first_argument), "the parent's argument 0"),
    _f("proc.pexepath", "text", _of_parent(lambda p: p.exe), "the parent's running file"),
    _f("proc.pcmdline", "text", _of_parent(_cmdline), "the parent's name and arguments"),
    _f("proc.aname", "many", _of_ancestors(_name), "names of all ancestors, or of the nth", nth=_of_nth(_name)),
    _f(
        "proc.aexepath",
        "many",
        _of_ancestors(lambda p: p.exe),
        "running files of all ancestors, or of the nth",
        nth=_of_nth(lambda p: p.exe),
    ),
    _f(
        "proc.aexe",
        "many",
        _of_ancestors(_first_argument),
        "arguments 0 of all ancestors, or of the nth",
        nth=_of_nth(_first_argument),
    ),
    _f("proc.joined_host", "many", _joined_host, "namespaces entered that are the host's: mnt, pid, net, user"),
    _f("proc.relay", "text", _relay, "a shell whose input and output pass through pipes: pipe or parent"),
    _f("stdin.type", "text", _stdio_type(0), "file, pipe, tty, inet, inet6, unix, null, other or closed"),
    _f("stdout.type", "text", _stdio_type(1), "as stdin.type"),
    _f("stderr.type", "text", _stdio_type(2), "as stdin.type"),
    _f("stdio.sockets", "number", lambda e: len(connected(e)), "how many of 0, 1, 2 are connected internet sockets"),
    _f("stdio.outgoing", "flag", _peer(lambda d: d.outgoing), "that socket was connected by this side"),
    _f("stdio.ip", "text", _peer(lambda d: d.peer.host if d.peer else None), "the other end of that socket"),
    _f("stdio.port", "number", _peer(lambda d: d.peer.port if d.peer else None), "its port"),
    _f(
        "stdio.loopback",
        "flag",
        _peer(lambda d: is_loopback(d.peer.host) if d.peer else None),
        "the other end of that socket is a loopback address",
    ),
    _f(
        "stdio.inherited", "flag", _inherited, "the parent has the same socket as its input: this is not where it began"
    ),
    _f("user.uid", "number", _of(lambda p: p.uid), "real user id"),
    _f("user.euid", "number", _of(lambda p: p.euid), "effective user id"),
    _f("user.loginuid", "number", _of(lambda p: p.loginuid), "login user id, -1 when never set"),
    _f("group.gid", "number", _of(lambda p: p.gid), "real group id"),
    _f("thread.cap_effective", "text", _of(lambda p: names.capabilities(p.caps)), "effective capabilities"),
    _f("fd.name", "text", _fd_name, "path of the file or Unix socket, or address:port"),
    _f("fd.directory", "text", _fd_directory, "its folder"),
    _f("fd.filename", "text", _fd_filename, "its last component"),
    _f("fd.type", "text", _fd_type, "file, ipv4, ipv6 or unix"),
    _f("fd.typechar", "text", _fd_typechar, "f, 4, 6 or u"),
    _f("fd.fs", "text", _fd_system, "file system: overlay, proc, sysfs, tmpfs, cgroup …"),
    _f("fd.is_upper_layer", "flag", lambda e: e.file.upper if e.file else None, "lies in the container's own layer"),
    _f("fd.is_runtime_socket", "flag", lambda e: e.raw.get("runtime_socket"), "is a container runtime's socket"),
    _f("fd.ip", "text", _host, "the address connected to"),
    _f("fd.sip", "text", _host, "the server's address: the one connected to"),
    _f("fd.rip", "text", _host, "the remote address"),
    _f("fd.net", "net", _host, "the address connected to, compared with networks"),
    _f("fd.snet", "net", _host, "as fd.net"),
    _f("fd.rnet", "net", _host, "as fd.net"),
    _f("fd.port", "number", _port, "the port connected to"),
    _f("fd.sport", "number", _port, "the server's port"),
    _f("fd.rport", "number", _port, "the remote port"),
    _f("fd.is_loopback", "flag", _loopback, "the address connected to is this machine's own"),
    _f("container.id", "text", _container_id, "the first 12 digits, or host"),
    _f("container.full_id", "text", _container(lambda c: c.id), "all 64 digits"),
    _f("container.name", "text", _container(lambda c: c.name), "its name", identity=True),
    _f("container.image", "text", _container(lambda c: c.image), "the image's name as started", identity=True),
    _f("container.image.repository", "text", _container(_repository), "the image's name without tag", identity=True),
    _f("container.image.tag", "text", _container(_tag), "the image's tag", identity=True),
    _f("container.image.digest", "text", _container(lambda c: c.image_digest), "sha256:…", identity=True),
    _f("container.image.id", "text", _container(lambda c: c.image_id), "the image's id", identity=True),
    _f("container.privileged", "flag", _container(lambda c: c.privileged), "runs privileged", identity=True),
    _f("k8s.pod.name", "text", _container(lambda c: c.pod or None), "the pod's name", identity=True),
    _f("k8s.ns.name", "text", _container(lambda c: c.namespace or None), "the pod's namespace", identity=True),
)

FIELDS = {field.name: field for field in _ALL}
