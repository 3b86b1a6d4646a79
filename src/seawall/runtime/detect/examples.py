"""Events described in a few words, as rule files carry them: each rule brings what it must and must not fire on.

    event: {kind: exec, container: true, process: {exe: /bin/bash, args: [bash, -i],
            stdio: [inet 203.0.113.7:4444 out, inet 203.0.113.7:4444 out, null]}}

`events` in place of `event` is a row of which the last is judged. docs/reference/rules.md tells the whole form.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from seawall.core.errors import SeawallError
from seawall.runtime.detect import dns
from seawall.runtime.detect.indicators import Listed
from seawall.runtime.detect.names import CLONE_FLAGS, FILE_SYSTEMS, OPEN_FLAGS, PTRACE_REQUESTS
from seawall.runtime.model import Address, Container, Descriptor, Event, File, Kind, Mount, Process

CONTAINER_ID = "c0ffee" + "0" * 58
_MAGIC = {name: magic for magic, name in FILE_SYSTEMS.items()}
_BITS = {name: bit for table in (CLONE_FLAGS, OPEN_FLAGS) for bit, name in table.items()}
_REQUESTS = {name: number for number, name in PTRACE_REQUESTS.items()}


def build(example: Mapping[str, Any]) -> list[Event]:
    """The events of one example. Raises SeawallError naming what is not understood."""
    described = example.get("events") or [example.get("event")]
    try:
        return [_event(value, place) for place, value in enumerate(described)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SeawallError(
            f"the example cannot be read: {error!r}", "docs/reference/rules.md shows the form"
        ) from error


def _event(value: Mapping[str, Any], place: int) -> Event:
    kind = Kind(value["kind"])
    container = _container(value.get("container"))
    process = _process(value.get("process", {}), container, value.get("parents", ()))
    flags = _flags(value.get("flags", 0))
    file = _file(value["file"], flags, 0 if kind is Kind.READ else _BITS["O_WRONLY"]) if "file" in value else None
    event = Event(kind, 1_000_000.0 + place, process, value.get("result", 0), file)
    event.peer = _address(value["peer"]) if "peer" in value else None
    event.local = _address(value["local"]) if "local" in value else None
    event.protocol, event.uptime = value.get("protocol", ""), value.get("uptime", 0)
    event.descriptor = value.get("descriptor", -1)
    event.socket_inode, event.socket_dev = value.get("socket_inode", 0), value.get("socket_dev", 0)
    event.stdio = process.stdio if kind in (Kind.EXEC, Kind.DUP) else ()
    event.target = flags if kind in (Kind.SETNS, Kind.UNSHARE) else value.get("target", 0)
    event.request = _REQUESTS.get(value.get("request", 0), value.get("request", 0))
    event.text = value.get("fstype", "")
    event.blocked = value.get("blocked", False)
    event.syscall = value.get("syscall", "")
    event.args, event.paths = tuple(value.get("args", ())), tuple(value.get("paths", ()))
    event.source = _file(value["source"], 0, _BITS["O_WRONLY"]) if "source" in value else None
    event.data = _asked(value["dns"]) if "dns" in value else bytes.fromhex(value.get("data", ""))
    event.raw = _facts(value)
    return event


def _asked(text: str) -> bytes:
    """A DNS question, `NAME` or `NAME TYPE`, as it goes over the wire."""
    name, _, kind = text.partition(" ")
    number = next(number for number, word in dns.TYPES.items() if word == (kind or "A"))
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return bytes.fromhex("000101000001000000000000") + labels + b"\0" + number.to_bytes(2, "big") + b"\0\1"


def _facts(value: Mapping[str, Any]) -> dict[str, Any]:
    """What lists, the scanner and the tracker of tunnels would say; `listed: KIND` is of the sample, name or peer."""
    facts: dict[str, Any] = dict(value.get("facts", {}))
    if "sample" in value:
        facts["sample"] = dict(value["sample"])
    if "tunnel" in value:
        facts |= {"dns_tunnel": value["tunnel"], "dns_tunnel_names": 30}
    if "listed" in value:
        about = "dns" if "dns" in value else "sample" if "sample" in value else "net"
        facts[f"{about}_indicator"] = Listed("example", value["listed"], "example", value.get("confidence", 80))
    return facts


def _container(value: Any) -> Container | None:
    if not value:
        return None
    known: dict[str, Any] = {"id": CONTAINER_ID, "name": "web", "image": "shop/web:1.4", "complete": True}
    if isinstance(value, dict):
        known |= {name: tuple(given) if isinstance(given, list) else given for name, given in value.items()}
    known["mounts"] = tuple(Mount(**mount) for mount in known.get("mounts", ()))
    return Container(**known)


def _process(value: Mapping[str, Any], container: Container | None, parents: Sequence[Mapping[str, Any]]) -> Process:
    known = dict(value)
    exe = known.pop("exe", "/usr/bin/thing")
    args = tuple(str(arg) for arg in known.pop("args", (exe.rpartition("/")[2],)))
    if "env" in known:
        known["env"] = tuple(known["env"])
    marks: dict[str, Any] = {mark: known.pop(mark, False) for mark in ("upper", "memfd", "deleted")}
    marks["fs_magic"] = _MAGIC[known.pop("exe_fs")] if "exe_fs" in known else 0
    stdio = tuple(_descriptor(number, text) for number, text in enumerate(known.pop("stdio", ())))
    process = Process(
        pid=known.pop("pid", 100 + len(parents)),
        start=known.pop("start", 1),
        exe=exe,
        comm=known.pop("comm", exe.rpartition("/")[2][:15]),
        args=args,
        container=container,
        file=File(exe, **marks),
        stdio=stdio,
    )
    for name, setting in known.items():
        setattr(process, name, tuple(setting) if isinstance(setting, list) else setting)
    process.parent = _parent(container, parents)
    process.ppid = process.parent.pid if process.parent else known.get("ppid", 0)
    return process


def _parent(container: Container | None, parents: Sequence[Mapping[str, Any]]) -> Process | None:
    if not parents:
        return None
    first = dict(parents[0])
    inside = first.pop("container", True)
    return _process(first, container if inside else None, parents[1:])


def _descriptor(number: int, text: str | None) -> Descriptor:
    """`pipe 41`, `tty`, `null`, `inet 203.0.113.7:4444 out|in`, or `inet` for a listener."""
    kind, *rest = (text or "null").split()
    if kind in ("inet", "inet6"):
        outgoing = {"out": True, "in": False}.get(rest[1]) if len(rest) > 1 else None
        return Descriptor(number, kind, 7000, _address(rest[0]) if rest else None, outgoing)
    return Descriptor(number, kind, int(rest[0]) if rest else 0)


def _address(text: str) -> Address:
    if text.startswith(("/", "@")):
        return Address("unix", path=text)
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    return Address("inet6" if ":" in host else "inet", host, int(port))


def _file(value: Any, flags: int, otherwise: int) -> File:
    if isinstance(value, str):
        value = {"path": value}
    known = dict(value)
    system = known.pop("fs", "overlay")
    flags = known.pop("flags", flags) or otherwise
    return File(fs_magic=_MAGIC[system], flags=flags, **known)


def _flags(value: Any) -> int:
    if isinstance(value, int):
        return value
    return sum(_BITS[name] for name in value.split("|"))
