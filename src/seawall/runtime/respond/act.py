"""Carry out a rule's `block` and say honestly what came of it.

none                 nothing was asked, or enforcing is off
blocked              before the effect: the kernel side killed the process at exec, before its first instruction, or the
                     guard refused the exec; nothing had happened yet
killed_after_effect  the process was killed, but what the alert tells of had already happened
failed               it could not be killed; evidence.reason says why
"""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seawall.node import procfs
from seawall.runtime.model import Alert, Event, Process

TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
"""Nanoseconds of one clock tick, the grain of /proc/PID/stat's start time."""
ENDED = "the process had already ended"
NEVER = frozenset({0, 1, os.getpid()})
"""Process ids that are not killed, whatever an event says."""


def act(alert: Alert, event: Event, enforce: bool) -> Alert:
    """The alert with the result of what was done about it."""
    if event.blocked:
        return replace(alert, result="blocked", means=str(event.raw.get("means") or "signal"), when="before")
    if alert.action != "block" or not enforce:
        return replace(alert, result="none")
    reason = kill(event.process)
    if reason:
        return replace(alert, result="failed", means="kill", when="after", evidence=_with(alert.evidence, reason))
    return replace(alert, result="killed_after_effect", means="kill", when="after")


def kill(process: Process) -> str:
    """SIGKILL exactly this process, never one that got its number later; "" or why it could not be done."""
    return kill_exactly(process.pid, process.start)


def kill_exactly(pid: int, start: int, dry: bool = False) -> str:
    """`kill` by number and start (ns since boot); `dry` only looks whether it could be."""
    if pid in NEVER or start <= 0:
        return f"process {pid} is not one to kill"
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return ENDED
    except OSError as error:
        return f"pidfd_open: {error.strerror}"
    try:
        # The descriptor now holds one process; the start time tells whether it is the one that was meant.
        found = procfs.stat(pid)
        if found is None or found[1][0] in "ZX" or abs(int(found[1][19]) - start // TICK) > 1:
            return ENDED
        if not dry:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return ENDED
    except OSError as error:
        return f"pidfd_send_signal: {error.strerror}"
    finally:
        os.close(descriptor)
    return ""


def _with(evidence: Mapping[str, Any], reason: str) -> dict[str, Any]:
    return {**evidence, "reason": reason}
