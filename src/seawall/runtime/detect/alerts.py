"""From a rule that fired on an event to the alert that leaves the node. Form: docs/reference/schemas/alert.json."""

from collections.abc import Iterable
from typing import Any

from seawall.core.clock import format_time
from seawall.core.ids import content_hash, new_id
from seawall.core.plain import to_plain
from seawall.runtime.detect import names, output, redact
from seawall.runtime.detect.condition import fields_of
from seawall.runtime.detect.fields import ancestors, resolve, stdio
from seawall.runtime.model import ALERT_SCHEMA, Address, Alert, Descriptor, Event, File, Kind, Process, Rule

MAX_ANCESTORS = 16
_UNSHOWN = ("proc.args", "proc.cmdline", "proc.pcmdline")
"""Fields that are shown elsewhere, with secrets hidden."""
_FINDINGS = (
    "relay",
    "relay_peer",
    "relay_pid",
    "reason",
    "origin",
    "script",
    "script_origin",
    "after_userns",
    "sweep",
    "load",
)
_INTELLIGENCE = ("net_indicator", "dns", "dns_indicator", "sample", "sample_indicator")
"""Facts of detect/indicators.py and the scanner's verdict."""


def make(rule: Rule, event: Event, boot: float) -> Alert:
    """The alert of one rule on one event. `boot` is the host's start in seconds since the epoch."""
    time = format_time(event.time)
    return Alert(
        time=time,
        id=new_id("alert"),
        rule=rule.id,
        title=rule.title,
        category=rule.category,
        severity=rule.severity,
        action=rule.action,
        result="none",
        container=container_record(event.process),
        process={} if event.kind in (Kind.START, Kind.LOAD) else process_record(event.process, boot),
        ancestors=tuple(_ancestor_records(event.process, boot)),
        evidence=_evidence(rule, event),
        key=key(rule, event),
        first_seen=time,
        last_seen=time,
        mitre=rule.mitre,
        title_zh=rule.title_zh,
        why=rule.why,
        why_zh=rule.why_zh,
        advice=rule.advice,
        advice_zh=rule.advice_zh,
    )


def record(alert: Alert) -> dict[str, Any]:
    """The plain JSON object of an alert, as the wire and `--output json` carry it."""
    return {"schema": ALERT_SCHEMA, **to_plain(alert)}


def same(rule: Rule, event: Event) -> tuple[Any, ...]:
    """Equal for alerts that are the same one happening again: the rule and its `merge_by` fields."""
    return rule.id, *(resolve(name).get(event) for name in rule.merge_by)


def key(rule: Rule, event: Event) -> str:
    """`same` as a short text, for the server."""
    return content_hash(to_plain(same(rule, event)))


def container_record(process: Process) -> dict[str, Any]:
    """Who the container is; on the host the id is empty."""
    container = process.container
    if container is None:
        return {"id": "", "name": "", "image": "", "image_digest": "", "pod": "", "namespace": ""}
    shown = ("id", "name", "image", "image_id", "image_digest", "pod", "namespace", "privileged", "complete")
    return {name: getattr(container, name) for name in shown}


def process_record(process: Process, boot: float) -> dict[str, Any]:
    """One process as an alert shows it, secrets hidden."""
    file = process.file
    return {
        "pid": process.pid,
        "ppid": process.ppid,
        "vpid": process.vpid,
        "exe": process.exe,
        "name": process.comm,
        "args": redact.arguments(process.args),
        "cwd": process.cwd,
        "uid": process.uid,
        "euid": process.euid,
        "user": "root" if process.euid == 0 else str(process.euid),
        "loginuid": process.loginuid,
        "tty": process.tty,
        "start": format_time(boot + process.start / 1e9),
        "in_container": process.container is not None,
        "by_exec": process.by_exec,
        "capabilities": names.capabilities(process.caps),
        "marks": [mark for mark in ("upper", "memfd", "deleted") if file is not None and getattr(file, mark)],
    }


def _ancestor_records(process: Process, boot: float) -> Iterable[dict[str, Any]]:
    """Parent first, up to and with the container's runtime (the first process outside), on the host up to init."""
    outside = 0
    for place, parent in enumerate(ancestors(process)):
        outside += parent.container is None
        if place == MAX_ANCESTORS or (process.container is not None and outside > 1):
            return
        yield {
            "pid": parent.pid,
            "exe": parent.exe,
            "name": parent.comm,
            "args": redact.arguments(parent.args),
            "user": "root" if parent.euid == 0 else str(parent.euid),
            "start": format_time(boot + parent.start / 1e9),
            "in_container": parent.container is not None,
        }


def _evidence(rule: Rule, event: Event) -> dict[str, Any]:
    """What was seen, and the values of the fields that the rule looked at."""
    found: dict[str, Any] = {"kind": event.kind.value, "result": event.result, "fields": _fields(rule, event)}
    if event.peer is not None:
        found["peer"] = _address(event.peer)
    if event.file is not None:
        found["file"] = _file(event.file)
    descriptors = stdio(event)
    if descriptors and event.kind in (Kind.EXEC, Kind.DUP, Kind.CONNECT):
        found["stdio"] = [_descriptor(descriptor) for descriptor in descriptors]
    for name in (*_FINDINGS, *_INTELLIGENCE):
        if name in event.raw:
            found[name] = to_plain(event.raw[name])
    if rule.output:
        found["output"] = output.render(rule.output, event)
    if event.syscall:
        found["syscall"] = event.syscall
    if event.paths:
        found["paths"] = list(event.paths)
    if event.kind is Kind.PTRACE:
        found |= {"request": names.PTRACE_REQUESTS.get(event.request, str(event.request)), "target": event.target}
    if event.kind in (Kind.SETNS, Kind.UNSHARE):
        found["flags"] = names.flags(event.target, names.CLONE_FLAGS)
    if event.kind is Kind.MOUNT:
        found |= {"fstype": event.text, "flags": event.request}
    return found


def _fields(rule: Rule, event: Event) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in fields_of(rule.when):
        if name in values or name in _UNSHOWN:
            continue
        value = resolve(name).get(event)
        if value not in (None, "", ()):
            values[name] = redact.text(value) if isinstance(value, str) else value
    return values


def _address(address: Address) -> dict[str, Any]:
    return {"family": address.family, "host": address.host, "port": address.port, "path": address.path}


def _descriptor(descriptor: Descriptor) -> dict[str, Any]:
    shown: dict[str, Any] = {"fd": descriptor.number, "type": descriptor.type}
    if descriptor.peer is not None:
        shown |= {"peer": _address(descriptor.peer), "outgoing": descriptor.outgoing}
    return shown


def _file(file: File) -> dict[str, Any]:
    return {
        "path": file.path,
        "fs": names.FILE_SYSTEMS.get(file.fs_magic, hex(file.fs_magic)),
        "flags": names.flags(file.flags, names.OPEN_FLAGS),
        "upper": file.upper,
        "memfd": file.memfd,
        "deleted": file.deleted,
    }
