"""fd.*: the file or socket an event is about, by name and type."""

from seawall.runtime.detect import names
from seawall.runtime.detect.fields.event import OPENS
from seawall.runtime.detect.fields.form import Field, basename
from seawall.runtime.model import Address, Descriptor, Event, File, Kind

_CHARACTERS = {"file": "f", "directory": "d", "ipv4": "4", "ipv6": "6", "unix": "u", "fifo": "p", "other": "o"}
_STREAMS = {"inet": "ipv4", "inet6": "ipv6", "unix": "unix", "pipe": "fifo", "other": "other", "closed": None}
_FORMAT, _FOLDER = 0o170000, 0o040000


def put(event: Event) -> Descriptor | None:
    """dup: what stands on the new descriptor."""
    if event.kind is not Kind.DUP:
        return None
    return next((found for found in event.stdio if found.number == event.result), None)


def _file(event: Event) -> File | None:
    return event.file if event.kind is not Kind.EXEC else None


def _address(address: Address) -> str:
    return address.path if address.family == "unix" else f"{address.host}:{address.port}"


def _name(event: Event) -> str | None:
    file = _file(event)
    if file is not None:
        return file.path
    if event.peer is not None:
        return _address(event.peer)
    if event.kind in OPENS and event.result < 0 and event.paths:
        return event.paths[0]
    descriptor = put(event)
    if descriptor is not None and descriptor.peer is not None:
        return _address(descriptor.peer)
    return None if event.local is None else _address(event.local)


def _raw(event: Event) -> str | None:
    return event.paths[0] if event.kind in OPENS and event.paths else _name(event)


def _directory(event: Event) -> str | None:
    name = _name(event)
    return None if name is None else name.rpartition("/")[0] or "/"


def _filename(event: Event) -> str | None:
    name = _name(event)
    return None if name is None else basename(name)


def of_address(address: Address) -> str:
    """ipv4, ipv6 or unix; an IPv4 peer of an IPv6 socket is IPv4."""
    return "unix" if address.family == "unix" else "ipv6" if ":" in address.host else "ipv4"


def _type(event: Event) -> str | None:
    file = _file(event)
    if file is not None:
        return "directory" if file.mode & _FORMAT == _FOLDER else "file"
    address = event.peer or event.local
    if address is not None:
        return of_address(address)
    descriptor = put(event)
    if descriptor is not None:
        if descriptor.peer is not None:
            return of_address(descriptor.peer)
        return _STREAMS.get(descriptor.type, "file")
    return "file" if event.kind in OPENS and event.result < 0 else None


def _typechar(event: Event) -> str | None:
    return _CHARACTERS.get(_type(event) or "")


def _system(event: Event) -> str | None:
    return None if event.file is None else names.FILE_SYSTEMS.get(event.file.fs_magic, hex(event.file.fs_magic))


def _number(event: Event) -> int | None:
    if event.descriptor >= 0:
        return event.descriptor
    if event.kind in OPENS:
        return max(event.result, -1)
    return event.result if event.kind is Kind.DUP else None


ALL = (
    Field("fd.name", "text", _name, "path of the file or Unix socket, or address:port of the other end"),
    Field("fd.nameraw", "text", _raw, "the path as the caller named it, where the sensor has it; else fd.name"),
    Field("fd.directory", "text", _directory, "its folder"),
    Field("fd.filename", "text", _filename, "its last component"),
    Field("fd.type", "text", _type, "file, directory, ipv4, ipv6, unix, fifo or other"),
    Field("fd.typechar", "text", _typechar, "f, d, 4, 6, u, p or o"),
    Field("fd.num", "number", _number, "the descriptor's number; -1 for an open that failed"),
    Field("fd.fs", "text", _system, "file system: overlay, proc, sysfs, tmpfs, cgroup …"),
    Field("fd.is_upper_layer", "flag", lambda e: e.file.upper if e.file else None, "lies in the container's own layer"),
)
