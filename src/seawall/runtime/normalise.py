"""From the kernel side's bytes to the room's words: one function a record, pure. bpf/events.h is the form.

tests/kernel compares sizes and offsets here with the objects' own type information.
"""

import struct
from dataclasses import dataclass

from seawall.runtime.model import Address, Descriptor, File, Kind

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
TYPES = ("closed", "file", "pipe", "tty", "inet", "inet6", "unix", "null", "other")
OUTGOING = (None, True, False)
IN_CONTAINER, BLOCKED = 1, 2
UPPER, MEMFD, DELETED = 1, 2, 4

HEADER = struct.Struct("<BBHIIIqQQQ")
EXEC = struct.Struct("<4IQI4HI4IIIQII96s16s16s64s")
OPEN = struct.Struct("<IIQIIII")
CONNECT = struct.Struct("<32sQII")
DUP = struct.Struct("<96s")
CALL = struct.Struct("<QQ4I")
MOUNT = struct.Struct("<QII")
_DESCRIPTOR = struct.Struct("<BBHIQ16s")
_MAPPED = b"\0" * 10 + b"\xff\xff"

NAMESPACES = ("mnt", "pid", "net", "user")
_CLOSED = tuple(Descriptor(number, "closed") for number in range(3))
_NOTHING = bytes(_DESCRIPTOR.size)


@dataclass(frozen=True, slots=True)
class Head:
    """What every record begins with. Times are nanoseconds since boot."""

    kind: int
    flags: int
    pid: int
    ppid: int
    vpid: int
    result: int
    time: int
    start: int
    cgroup: int


@dataclass(frozen=True, slots=True)
class Exec:
    """The new state of a process."""

    uid: int
    euid: int
    gid: int
    loginuid: int
    caps: int
    sid: int
    namespaces: dict[str, int]
    file: File
    stdio: tuple[Descriptor, ...]
    comm: str
    tty: str
    container: str
    """64 hex digits, or ""."""
    cwd: str
    args: tuple[str, ...]


def head(record: memoryview) -> Head:
    """Raises struct.error on a record that is too short."""
    kind, flags, _, pid, ppid, vpid, result, time, start, cgroup = HEADER.unpack_from(record)
    return Head(kind, flags, pid, ppid, vpid, result, time, start, cgroup)


def execution(record: memoryview) -> Exec:
    """The body of an exec record."""
    fields = EXEC.unpack_from(record, HEADER.size)
    uid, euid, gid, loginuid, caps, sid, path_size, cwd_size, args_size, _, _ = fields[:11]
    mnt, pid, net, user, dev, mode, ino, magic, marks, stdio, comm, tty, container = fields[11:]
    at = HEADER.size + EXEC.size
    path, cwd = text(record[at : at + path_size]), text(record[at + path_size : at + path_size + cwd_size])
    at += path_size + cwd_size
    return Exec(
        uid=uid,
        euid=euid,
        gid=gid,
        loginuid=-1 if loginuid == 0xFFFFFFFF else loginuid,
        caps=caps,
        sid=sid,
        namespaces={"mnt": mnt, "pid": pid, "net": net, "user": user},
        file=_file(path, (dev, ino, mode, magic, marks)),
        stdio=descriptors(stdio),
        comm=cut(comm),
        tty=cut(tty),
        container=cut(container),
        cwd=cwd,
        args=arguments(bytes(record[at : at + args_size])),
    )


def opened(record: memoryview) -> File:
    """The file of an open record."""
    dev, mode, ino, magic, marks, flags, size = OPEN.unpack_from(record, HEADER.size)
    at = HEADER.size + OPEN.size
    return _file(text(record[at : at + size]), (dev, ino, mode, magic, marks), flags)


def connected(record: memoryview) -> tuple[Address | None, int, int]:
    """(where to, inode and device of the file a Unix peer is bound to)."""
    peer, inode, dev, size = CONNECT.unpack_from(record, HEADER.size)
    kind, _, port, _, _, address = _DESCRIPTOR.unpack(peer)
    if TYPES[kind] == "unix":
        at = HEADER.size + CONNECT.size
        return Address("unix", path=unix_path(bytes(record[at : at + size]))), inode, device(dev)
    return _address(TYPES[kind], address, port), inode, device(dev)


def duplicated(record: memoryview) -> tuple[Descriptor, ...]:
    """Descriptors 0 to 2 after the call."""
    return descriptors(DUP.unpack_from(record, HEADER.size)[0])


def called(record: memoryview) -> tuple[int, int, dict[str, int]]:
    """(request, target, namespaces) of setns, unshare and ptrace."""
    request, target, *inodes = CALL.unpack_from(record, HEADER.size)
    return request, target, dict(zip(NAMESPACES, inodes, strict=True))


def mounted(record: memoryview) -> tuple[str, str, int]:
    """(target as the caller named it, file system's type, flags)."""
    flags, path_size, type_size = MOUNT.unpack_from(record, HEADER.size)
    at = HEADER.size + MOUNT.size
    return text(record[at : at + path_size]), text(record[at + path_size : at + path_size + type_size]), flags


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
    kind, direction, port, _, inode, address = _DESCRIPTOR.unpack(data)
    name = TYPES[kind]
    if name not in ("inet", "inet6"):
        return Descriptor(number, name, inode)
    return Descriptor(number, name, inode, _address(name, address, port) if port else None, OUTGOING[direction])


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
    from ipaddress import IPv6Address  # half a megabyte that most nodes never need

    return str(IPv6Address(data))


def _file(path: str, facts: tuple[int, int, int, int, int], flags: int = 0) -> File:
    dev, ino, mode, magic, marks = facts
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
    )
