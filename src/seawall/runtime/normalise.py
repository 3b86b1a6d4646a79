"""From the kernel side's bytes to the room's words: one function a record, pure. bpf/events.h is the form.

tests/kernel compares sizes and offsets here with the objects' own type information.
"""

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from seawall.runtime import syscalls
from seawall.runtime.model import Address, Credentials, Descriptor, File, Kind

KINDS = {
    1: Kind.EXEC,
    2: Kind.EXIT,
    3: Kind.FORK,
    4: Kind.CONNECT,
    5: Kind.OPEN,
    6: Kind.DUP,
    7: Kind.SETNS,
    8: Kind.UNSHARE,
    9: Kind.PTRACE,
    10: Kind.MOUNT,
    11: Kind.READ,
    12: Kind.CALL,
    13: Kind.SEND,
    14: Kind.CRED,
    15: Kind.URING,
    16: Kind.THROTTLE,
}
NUMBERS = {kind: number for number, kind in KINDS.items()}
CONTAINER = 17
"""Number of the record that tells of a new container's cgroup: for the table, not an event."""
TYPES = ("closed", "file", "pipe", "tty", "inet", "inet6", "unix", "null", "other")
PROTOCOLS = {6: "tcp", 17: "udp", 136: "udp", 1: "icmp", 58: "icmp", 132: "sctp"}
OUTGOING = (None, True, False)
IN_CONTAINER, BLOCKED, SAMPLE, FOREIGN_CWD, BY_KERNEL, BEFORE = 1, 2, 4, 8, 16, 32
UPPER, MEMFD, DELETED, FOREIGN = 1, 2, 4, 8
MOUNTED = {0x9FA0: "/proc", 0x62656572: "/sys"}
"""Where the filters take file systems to be mounted."""

HEADER = struct.Struct("<BBHIIIqQQQ")
EXEC = struct.Struct("<4IQ4IQQ4I8HQQ4IIIQIIII96s16s16s64s")
_EXEC = struct.Struct("<4IQ4IQQ4I5H6xQQ16s32s96s16s16s64s")
"""EXEC in larger pieces: what most programs have in common is taken apart once."""
OPEN = struct.Struct("<IIQIIIIIHHH3H")
CONNECT = struct.Struct("<32sQIIII32s")
DUP = struct.Struct("<96s")
CALL = struct.Struct("<QQ4I")
MOUNT = struct.Struct("<Q4H")
SYSCALL = struct.Struct("<6QI6HIIQIIII32s32s")
SEND = struct.Struct("<32s32sII")
CRED = struct.Struct("<4IQ4IQII")
BORN = struct.Struct("<64s")
_DESCRIPTOR = struct.Struct("<BBHBBHQ16s")
_FACTS = struct.Struct("<IIQIIII")
_MAPPED = b"\0" * 10 + b"\xff\xff"

NAMESPACES = ("mnt", "pid", "net", "user")
_CLOSED = tuple(Descriptor(number, "closed") for number in range(3))
_NOTHING = bytes(_DESCRIPTOR.size)


class Head(NamedTuple):
    """What every record begins with. Times are nanoseconds since boot."""

    kind: int
    flags: int
    descriptor: int
    pid: int
    ppid: int
    vpid: int
    result: int
    time: int
    start: int
    cgroup: int


class Exec(NamedTuple):
    """The new state of a process."""

    uid: int
    euid: int
    gid: int
    loginuid: int
    caps: int
    permitted: int
    before: Credentials | None
    sid: int
    pgid: int
    vpgid: int
    namespaces: dict[str, int]
    file: File
    stdio: tuple[Descriptor, ...]
    comm: str
    tty: str
    container: str
    """64 hex digits, or ""."""
    cwd: str
    args: tuple[str, ...]
    env: tuple[str, ...] | None


def head(record: memoryview) -> Head:
    """Raises struct.error on a record that is too short."""
    return Head._make(HEADER.unpack_from(record))


def execution(record: memoryview, flags: int) -> Exec:
    """The body of an exec record."""
    data = bytes(record)
    fields = _EXEC.unpack_from(data, HEADER.size)
    uid, euid, gid, _, caps, old_uid, old_euid, old_gid, _, old_caps, permitted, loginuid = fields[:12]
    sid, pgid, vpgid, path_size, cwd_size, args_size, upper_size, env_size, ctime, mtime = fields[12:22]
    inodes, facts, stdio, comm, tty, container = fields[22:]
    cwd_at = HEADER.size + _EXEC.size + path_size
    args_at = cwd_at + cwd_size
    upper_at = args_at + args_size
    env_at = upper_at + upper_size
    upper = text(data[upper_at:env_at]) if upper_size else ""
    return Exec(
        uid,
        euid,
        gid,
        -1 if loginuid == 0xFFFFFFFF else loginuid,
        caps,
        permitted,
        Credentials(old_uid, old_euid, old_gid, old_caps) if flags & BEFORE else None,
        sid,
        pgid,
        vpgid,
        _known(_namespaces, inodes, _inodes),
        _executable(data[HEADER.size + _EXEC.size : cwd_at], facts, (ctime, mtime), upper),
        _known(_stdio, stdio, descriptors),
        cut(comm),
        cut(tty) if tty[0] else "",
        container.decode("ascii", "replace") if container[0] else "",
        text(data[cwd_at:args_at]),
        arguments(data[args_at:upper_at]),
        arguments(data[env_at : env_at + env_size]) if env_size else None,
    )


def opened(record: memoryview) -> tuple[File, tuple[str, ...]]:
    """(the file of an open record, the path as the caller wrote it or nothing where it is the same)."""
    fields = OPEN.unpack_from(record, HEADER.size)
    dev, mode, ino, magic, marks, rdev, _, flags, size, inner_size, raw_size = fields[:11]
    at = HEADER.size + OPEN.size
    inner = text(record[at + size : at + size + inner_size]).removeprefix(MOUNTED.get(magic, "")) if inner_size else ""
    end = at + size + inner_size
    raw = (text(record[end : end + raw_size]),) if raw_size else ()
    return _file(text(record[at : at + size]), (dev, ino, mode, magic, marks, rdev), flags, inner), raw


class Connected(NamedTuple):
    """Where a connect went."""

    peer: Address | None
    inode: int
    """Inode and device of the file that a Unix peer is bound to."""
    dev: int
    pid: int
    """Who listens there, on a Unix socket."""
    repeats: int
    """Equal calls that were not told since the last record."""
    local: Address | None
    protocol: str


def connected(record: memoryview) -> Connected:
    """The body of a connect record."""
    peer, inode, dev, size, pid, repeats, own = CONNECT.unpack_from(record, HEADER.size)
    kind, _, port, _, _, _, _, address = _DESCRIPTOR.unpack(peer)
    if TYPES[kind] == "unix":
        at = HEADER.size + CONNECT.size
        where = Address("unix", path=unix_path(bytes(record[at : at + size])))
        return Connected(where, inode, device(dev), pid, repeats, None, "")
    where_to = _address(TYPES[kind], address, port)
    return Connected(where_to, inode, device(dev), pid, repeats, _end(own), protocol(own))


def duplicated(record: memoryview) -> tuple[Descriptor, ...]:
    """Descriptors 0 to 2 after the call."""
    return descriptors(DUP.unpack_from(record, HEADER.size)[0])


def called(record: memoryview) -> tuple[int, int, dict[str, int]]:
    """(request, target, namespaces) of setns, unshare and ptrace."""
    request, target, *inodes = CALL.unpack_from(record, HEADER.size)
    return request, target, dict(zip(NAMESPACES, inodes, strict=True))


def mounted(record: memoryview) -> tuple[str, str, str, int]:
    """(target, source and file system's type as the caller named them, flags); relative names are made absolute."""
    flags, path_size, source_size, type_size, cwd_size = MOUNT.unpack_from(record, HEADER.size)
    at = HEADER.size + MOUNT.size
    target, source, kind, cwd = texts(record[at:], (path_size, source_size, type_size, cwd_size))
    if "/" in source and not source.startswith("/"):
        source = absolute(cwd, source)
    return absolute(cwd, target), source, kind, flags


class Call(NamedTuple):
    """A system call, or an operation of io_uring."""

    name: str
    args: tuple[int, ...]
    paths: tuple[str, ...]
    file: File | None
    peer: Address | None
    local: Address | None
    protocol: str


def called_any(record: memoryview, ring: bool) -> Call:
    """The body of a CALL record, or with `ring` of a URING record."""
    fields = SYSCALL.unpack_from(record, HEADER.size)
    number, base1, text1, base2, text2, size, _ = fields[6:13]
    dev, mode, ino, magic, marks, rdev, _, peer, own = fields[13:]
    at = HEADER.size + SYSCALL.size
    first_base, first, second_base, second, path = texts(record[at:], (base1, text1, base2, text2, size))
    names = syscalls.OPCODES if ring else syscalls.NAMES
    paths = []
    if base1 or text1:
        paths.append(absolute(first_base, first) if base1 else first)
    if base2 or text2:
        paths.append(absolute(second_base, second) if base2 else second)
    return Call(
        name=names.get(number, str(number)),
        args=fields[:6],
        paths=tuple(paths),
        file=_file(path, (dev, ino, mode, magic, marks, rdev)) if size or ino else None,
        peer=_end(peer),
        local=_end(own),
        protocol=protocol(own),
    )


def sent(record: memoryview) -> tuple[str, Address | None, bytes, Address | None, str]:
    """(system call, where to, head of the payload, this side, protocol)."""
    peer, own, number, size = SEND.unpack_from(record, HEADER.size)
    at = HEADER.size + SEND.size
    name = syscalls.NAMES.get(number, str(number))
    return name, _end(peer), bytes(record[at : at + size]), _end(own), protocol(own)


def protocol(own: bytes) -> str:
    """tcp, udp, icmp or raw, of an internet socket; "" for others."""
    kind, _, _, _, socket_type, number, _, _ = _DESCRIPTOR.unpack(own)
    if TYPES[kind] not in ("inet", "inet6"):
        return ""
    return PROTOCOLS.get(number) or ("raw" if socket_type == 3 else "")


def credentials(record: memoryview) -> tuple[Credentials, Credentials, str]:
    """(before, after, where it showed: a system call, exec or fork)."""
    fields = CRED.unpack_from(record, HEADER.size)
    number = fields[10]
    where = {0xFFFFFFFF: "fork", 0xFFFFFFFE: "exec"}.get(number) or syscalls.NAMES.get(number, str(number))
    uid, euid, gid, _, caps = fields[5:10]
    return Credentials(fields[0], fields[1], fields[2], fields[4]), Credentials(uid, euid, gid, caps), where


def born(record: memoryview) -> str:
    """The id of a container whose cgroup was made."""
    return cut(BORN.unpack_from(record, HEADER.size)[0])


def texts(data: memoryview, sizes: tuple[int, ...]) -> list[str]:
    """Texts that stand one behind the other."""
    found, at = [], 0
    for size in sizes:
        found.append(text(data[at : at + size]))
        at += size
    return found


def absolute(base: str, name: str) -> str:
    """A name as seen from a directory, without "." and ".."; links in between are not followed."""
    path = name if name.startswith("/") else f"{base}/{name}"
    if "/." not in path and "//" not in path:
        return path.rstrip("/") or "/"
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def descriptors(data: bytes) -> tuple[Descriptor, ...]:
    """Three descriptors in a row."""
    size = _DESCRIPTOR.size
    parts = (data[at : at + size] for at in range(0, 3 * size, size))
    return tuple(
        _CLOSED[number] if part == _NOTHING else _descriptor(number, part) for number, part in enumerate(parts)
    )


def device(number: int) -> int:
    """The kernel's device number (12 bits major, 20 bits minor) as stat(2) shows it."""
    major, minor = number >> 20, number & 0xFFFFF
    return minor & 0xFF | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12


def arguments(data: bytes) -> tuple[str, ...]:
    """Arguments, each closed by a zero; the last may have been cut."""
    if not data:
        return ()
    return tuple(data.removesuffix(b"\0").decode("utf-8", "surrogateescape").split("\0"))


def text(data: bytes | memoryview) -> str:
    """Bytes as text; what is not UTF-8 comes through as surrogates."""
    return str(data, "utf-8", "surrogateescape")


def cut(data: bytes) -> str:
    """Text up to the first zero."""
    return text(data.partition(b"\0")[0])


def unix_path(data: bytes) -> str:
    """The name of a Unix socket; an abstract one begins with @."""
    if data[:1] == b"\0":
        return "@" + text(data[1:].rstrip(b"\0")).replace("\0", "@")
    return cut(data)


def _descriptor(number: int, data: bytes) -> Descriptor:
    kind, direction, port, _, _, _, inode, address = _DESCRIPTOR.unpack(data)
    name = TYPES[kind]
    if name not in ("inet", "inet6"):
        return Descriptor(number, name, inode)
    return Descriptor(number, name, inode, _address(name, address, port) if port else None, OUTGOING[direction])


def _end(data: bytes) -> Address | None:
    kind, _, port, _, _, _, _, address = _DESCRIPTOR.unpack(data)
    name = TYPES[kind]
    if name == "unix":
        return Address("unix")
    return _address(name, address, port) if port or any(address) else None


def _address(family: str, data: bytes, port: int) -> Address | None:
    if family == "inet":
        return Address(family, _dotted(data), port)
    if family != "inet6":
        return None
    if data.startswith(_MAPPED):  # an IPv4 peer of an IPv6 socket is judged as what it is
        return Address(family, _dotted(data[12:]), port)
    return Address(family, _colons(data), port)


def _dotted(data: bytes) -> str:
    return f"{data[0]}.{data[1]}.{data[2]}.{data[3]}"


def _colons(data: bytes) -> str:
    """As RFC 5952 writes it. The module ipaddress would weigh half a megabyte in an agent for this line."""
    groups = [f"{data[at] << 8 | data[at + 1]:x}" for at in range(0, 16, 2)]
    best = max(range(8), key=lambda at: (_zeros(groups, at), -at))
    run = _zeros(groups, best)
    if run < 2:
        return ":".join(groups)
    return f"{':'.join(groups[:best])}::{':'.join(groups[best + run :])}"


def _zeros(groups: list[str], at: int) -> int:
    """How many zero groups stand there in a row."""
    end = at
    while end < len(groups) and groups[end] == "0":
        end += 1
    return end - at


Value = TypeVar("Value")
_MAX_KNOWN = 192
_namespaces: dict[bytes, dict[str, int]] = {}
_stdio: dict[bytes, tuple[Descriptor, ...]] = {}
_files: dict[bytes, File] = {}


def _known(known: dict[bytes, Value], data: bytes, make: Callable[[bytes], Value]) -> Value:
    """What these bytes mean, remembered: the same few come again and again."""
    found = known.get(data)
    if found is None:
        if len(known) >= _MAX_KNOWN:
            known.clear()
        found = known[data] = make(data)
    return found


def _inodes(data: bytes) -> dict[str, int]:
    return dict(zip(NAMESPACES, struct.unpack("<4I", data), strict=True))


def _executable(path: bytes, facts: bytes, times: tuple[int, int], upper_path: str) -> File:
    def make(_: bytes) -> File:
        dev, mode, ino, magic, marks, rdev, _ = _FACTS.unpack(facts)
        found = _file(text(path), (dev, ino, mode, magic, marks, rdev), upper_path=upper_path)
        return replace(found, ctime=times[0], mtime=times[1])

    return make(facts) if upper_path else _known(_files, facts + times[0].to_bytes(8, "little") + path, make)


def _file(
    path: str, facts: tuple[int, int, int, int, int, int], flags: int = 0, inner_path: str = "", upper_path: str = ""
) -> File:
    dev, ino, mode, magic, marks, rdev = facts
    return File(
        path=path,
        dev=device(dev),
        ino=ino,
        mode=mode,
        fs_magic=magic,
        upper=bool(marks & UPPER),
        memfd=bool(marks & MEMFD),
        deleted=bool(marks & DELETED),
        flags=flags,
        rdev=device(rdev),
        inner_path=inner_path,
        upper_path=upper_path,
        foreign=bool(marks & FOREIGN),
    )
