"""fd.*: the file or socket an event is about, by name and type."""

from seawall.runtime.detect import names
from seawall.runtime.detect.fields.form import Field, basename
from seawall.runtime.model import Event, Kind


def _name(event: Event) -> str | None:
    if event.file is not None and event.kind is not Kind.EXEC:
        return event.file.path
    peer = event.peer
    if peer is None:
        return None
    return peer.path if peer.family == "unix" else f"{peer.host}:{peer.port}"


def _directory(event: Event) -> str | None:
    name = _name(event)
    return None if name is None else name.rpartition("/")[0] or "/"


def _filename(event: Event) -> str | None:
    name = _name(event)
    return None if name is None else basename(name)


def _type(event: Event) -> str | None:
    if event.file is not None and event.kind is not Kind.EXEC:
        return "file"
    return None if event.peer is None else {"inet": "ipv4", "inet6": "ipv6"}.get(event.peer.family, event.peer.family)


def _typechar(event: Event) -> str | None:
    return {"file": "f", "ipv4": "4", "ipv6": "6", "unix": "u"}.get(_type(event) or "")


def _system(event: Event) -> str | None:
    return None if event.file is None else names.FILE_SYSTEMS.get(event.file.fs_magic, hex(event.file.fs_magic))


ALL = (
    Field("fd.name", "text", _name, "path of the file or Unix socket, or address:port"),
    Field("fd.directory", "text", _directory, "its folder"),
    Field("fd.filename", "text", _filename, "its last component"),
    Field("fd.type", "text", _type, "file, ipv4, ipv6 or unix"),
    Field("fd.typechar", "text", _typechar, "f, 4, 6 or u"),
    Field("fd.fs", "text", _system, "file system: overlay, proc, sysfs, tmpfs, cgroup …"),
    Field("fd.is_upper_layer", "flag", lambda e: e.file.upper if e.file else None, "lies in the container's own layer"),
)
