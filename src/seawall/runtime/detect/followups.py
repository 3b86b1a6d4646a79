"""A user namespace of one's own is the door to most kernel exploits; the next steps tell whether somebody goes through.

Remembers who made one without having had the right to administer the system, and says so of the mounts, keys, packet
filters and page-fault handlers that come from there within seconds. Pure; the table is bounded.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from seawall.runtime.detect.fields import ancestors
from seawall.runtime.model import Event, Kind, Process

AGE = 10.0
"""Seconds within which a step counts as the next one."""
MAX_ENTRIES = 1024
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
CAP_SYS_ADMIN = 1 << 21
_NETFILTER = (16, 12)
"""AF_NETLINK and NETLINK_NETFILTER: the socket over which packet filters are changed."""
_STEPS = (
    "mount fsopen fsmount move_mount open_tree mount_setattr keyctl add_key request_key userfaultfd bpf perf_event_open"
)
STEPS = frozenset(_STEPS.split())
"""System calls that reach parts of the kernel which ordinary users do not reach."""
NOTHING: Mapping[str, Any] = {}

Identity = tuple[int, int]


class Followups:
    """{"after_userns": step} for a step that follows."""

    KINDS = (Kind.UNSHARE, Kind.CALL, Kind.MOUNT)

    def __init__(self) -> None:
        self._made: OrderedDict[Identity, float] = OrderedDict()

    def observe(self, event: Event) -> Mapping[str, Any]:
        """Facts about this event."""
        if event.process.container is None or not event.process.started or event.result < 0:
            return NOTHING
        if self._makes(event) and not event.process.caps & CAP_SYS_ADMIN:
            identity = event.process.pid, event.process.start
            self._made[identity] = event.time
            self._made.move_to_end(identity)
            if len(self._made) > MAX_ENTRIES:
                self._made.popitem(last=False)
            return NOTHING
        if not self._made:
            return NOTHING
        step = _step(event)
        return {"after_userns": step} if step and self._after(event.process, event.time) else NOTHING

    @staticmethod
    def _makes(event: Event) -> bool:
        if event.kind is Kind.UNSHARE:
            return bool(event.target & CLONE_NEWUSER)
        return event.syscall in ("clone", "clone3") and bool(event.args) and bool(event.args[0] & CLONE_NEWUSER)

    def _after(self, process: Process, now: float) -> bool:
        for one in (process, *ancestors(process)):
            if one.container is not process.container:
                return False
            if now - self._made.get((one.pid, one.start), -AGE - 1) <= AGE:
                return True
        return False


def _step(event: Event) -> str:
    if event.kind is Kind.MOUNT:
        return "mount"
    if event.kind is Kind.UNSHARE:
        return "unshare" if event.target & CLONE_NEWNET else ""
    if event.syscall == "socket" and len(event.args) > 2 and (event.args[0], event.args[2]) == _NETFILTER:
        return "nf_tables"
    return event.syscall if event.syscall in STEPS else ""
