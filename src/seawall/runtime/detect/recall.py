"""From a stored alert back to the event it tells of, as far as the alert carries it: what a waiver would have silenced.

Pure. Fields that no alert carries stay absent; `carried` names those that can be relied upon.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seawall.core.clock import parse_time
from seawall.runtime.detect import names
from seawall.runtime.model import Address, Container, Descriptor, Event, File, Kind, Process

_MAGIC = {name: magic for magic, name in names.FILE_SYSTEMS.items()}
_BITS = {name: bit for table in (names.CLONE_FLAGS, names.OPEN_FLAGS) for bit, name in table.items()}
_REQUESTS = {name: number for number, name in names.PTRACE_REQUESTS.items()}
_CAPABILITIES = {name: 1 << bit for bit, name in enumerate(names.CAPABILITIES)}
_WORDS = (
    "evt.kind evt.type evt.rawres evt.res evt.failed evt.blocked evt.is_open_write evt.is_open_read "
    "evt.is_open_create evt.arg.flags evt.arg.request evt.arg.fstype evt.arg.oldpath evt.arg.newpath "
    "proc.name proc.exe proc.exepath proc.exename proc.args proc.nargs proc.cmdline proc.cwd proc.pid proc.vpid "
    "proc.ppid proc.has_tty proc.is_exe_upper_layer proc.is_exe_from_memfd proc.is_exe_deleted proc.by_exec "
    "proc.pname proc.pexe proc.pexepath proc.pcmdline proc.aname proc.aexepath proc.aexe proc.insidename "
    "proc.is_shell proc.has_command proc.relay stdin.type stdout.type stderr.type stdio.sockets stdio.outgoing "
    "stdio.ip stdio.port stdio.loopback user.uid user.euid user.loginuid thread.cap_effective "
    "fd.name fd.directory fd.filename fd.type fd.typechar fd.fs fd.is_upper_layer fd.sip fd.rip fd.snet fd.rnet "
    "fd.ip fd.net fd.port fd.sport fd.rport fd.is_loopback file.paths file.names "
    "container.id container.full_id container.name container.image container.image.repository container.image.tag "
    "net.indicator net.indicator.value net.indicator.source net.indicator.confidence dns.name dns.type dns.indicator "
    "dns.indicator.value dns.indicator.source dns.indicator.confidence sample.indicator sample.indicator.source "
    "sample.verdict sample.rule sample.family sample.class sample.sha256 sample.size sample.executed "
    "container.image.digest container.image.id container.image.key container.privileged k8s.pod.name k8s.ns.name"
)
_CARRIED = frozenset(_WORDS.split())
_FACTS = ("relay", "relay_peer", "sample", "net_indicator", "dns", "dns_indicator", "sample_indicator")


def missing(fields: Iterable[str]) -> list[str]:
    """Those of the fields that stored alerts do not carry: what a condition on them says of the past is not known."""
    return sorted({name for name in fields if name.partition("[")[0] not in _CARRIED})


def recalled(alert: Mapping[str, Any]) -> Event | None:
    """The event of an alert in the form of docs/reference/schemas/alert.json; None when it tells of none."""
    evidence = _object(alert.get("evidence"))
    try:
        kind = Kind(str(evidence.get("kind", "")))
        process = _process(_object(alert.get("process")), _container(_object(alert.get("container"))))
        _lineage(process, alert.get("ancestors") or ())
        return _event(kind, process, alert, evidence)
    except (TypeError, ValueError, AttributeError, KeyError):
        return None


def _event(kind: Kind, process: Process, alert: Mapping[str, Any], evidence: Mapping[str, Any]) -> Event:
    file, peer = _object(evidence.get("file")), _object(evidence.get("peer"))
    stdio = tuple(_descriptor(_object(one)) for one in evidence.get("stdio") or ())
    event = Event(kind, parse_time(str(alert["last_seen"])), process, int(evidence.get("result") or 0))
    event.file = _file(file) if file else None
    event.peer = _address(peer) if peer else None
    event.stdio = process.stdio = stdio
    event.request = _REQUESTS.get(str(evidence.get("request", "")), 0)
    event.text = str(evidence.get("fstype", ""))
    event.syscall = str(evidence.get("syscall", ""))
    event.paths = tuple(str(path) for path in evidence.get("paths") or ())
    flags = evidence.get("flags")
    event.target = _bits(flags) if isinstance(flags, str) else int(evidence.get("target") or 0)
    event.blocked = alert.get("result") == "blocked"
    event.raw = {name: evidence[name] for name in _FACTS if name in evidence}
    return event


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _container(value: Mapping[str, Any]) -> Container | None:
    if not value.get("id"):
        return None
    known = Container(str(value["id"]), complete=True)
    for name in ("name", "image", "image_id", "image_digest", "pod", "namespace", "privileged", "labels"):
        if name in value and hasattr(known, name):
            setattr(known, name, value[name])
    return known


def _process(value: Mapping[str, Any], container: Container | None) -> Process:
    exe = str(value.get("exe", ""))
    marks = value.get("marks") or ()
    inside = value.get("in_container", container is not None)
    return Process(
        pid=int(value.get("pid") or 0),
        start=0,
        ppid=int(value.get("ppid") or 0),
        vpid=int(value.get("vpid") or 0),
        exe=exe,
        comm=str(value.get("name") or "")[:15],
        args=tuple(str(item) for item in value.get("args") or ()),
        cwd=str(value.get("cwd") or ""),
        uid=int(value.get("uid") or 0),
        euid=int(value.get("euid") or 0),
        loginuid=int(value.get("loginuid", -1)),
        caps=sum(_CAPABILITIES.get(name, 0) for name in str(value.get("capabilities") or "").split()),
        tty=str(value.get("tty") or ""),
        container=container if inside else None,
        file=File(exe, upper="upper" in marks, memfd="memfd" in marks, deleted="deleted" in marks),
        by_exec=bool(value.get("by_exec")),
    )


def _lineage(process: Process, ancestors: Sequence[Any]) -> None:
    child = process
    for value in ancestors:
        child.parent = _process(_object(value), process.container)
        child = child.parent


def _file(value: Mapping[str, Any]) -> File:
    upper, memfd, deleted = (bool(value.get(name)) for name in ("upper", "memfd", "deleted"))
    magic = str(value.get("fs") or "")
    number = _MAGIC.get(magic) or (int(magic, 16) if magic.startswith("0x") else 0)
    flags = _bits(value.get("flags"))
    path = str(value.get("path") or "")
    return File(path, fs_magic=number, flags=flags, upper=upper, memfd=memfd, deleted=deleted)


def _descriptor(value: Mapping[str, Any]) -> Descriptor:
    peer = _object(value.get("peer"))
    outgoing = value.get("outgoing")
    return Descriptor(
        int(value["fd"]), str(value["type"]), 0, _address(peer) if peer else None, bool(outgoing) if peer else None
    )


def _address(value: Mapping[str, Any]) -> Address:
    host, port = str(value.get("host") or ""), int(value.get("port") or 0)
    return Address(str(value.get("family") or ""), host, port, str(value.get("path") or ""))


def _bits(text: Any) -> int:
    return sum(_BITS.get(name, 0) for name in str(text or "").split("|"))
