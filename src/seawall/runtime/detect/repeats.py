"""The same program, started by the same process in the same state again and again: health checks, loops, workers.

Where no rule held the last time, none holds now, if the rules look at nothing but what is compared here. That is
asked of each plan by an explicit list of fields; a plan that looks at more is judged in full. Pure; bounded.
"""

from collections.abc import Iterable
from typing import Any

from seawall.runtime.detect.condition import fields_of
from seawall.runtime.model import Event, Kind, Rule

MAX_KNOWN = 48
"""Starts remembered. Each holds its parent, and so a family tree."""
_STEADY = (
    "container.id container.name container.image container.image.repository container.privileged "
    "evt.blocked evt.failed evt.rawres evt.kind evt.type evt.num evt.is_open_write evt.is_open_read "
    "proc.after_splice proc.aname proc.args proc.by_exec proc.by_kernel proc.by_package_manager proc.by_runtime "
    "proc.cmdline proc.cwd proc.env proc.exe proc.exe_fs proc.exename proc.exepath proc.foreign_cwd proc.insidename "
    "proc.is_exe_deleted proc.is_exe_from_memfd proc.is_exe_upper_layer proc.is_first proc.is_shell proc.joined_host "
    "proc.name proc.origin proc.own_anames proc.own_name proc.pname proc.profile proc.relay proc.script "
    "proc.script_origin proc.tty proc.upper_path stdin.type stdout.type stderr.type stdio.inherited stdio.ip "
    "stdio.loopback stdio.outgoing stdio.port stdio.sockets"
)
STEADY = frozenset(_STEADY.split())
"""Fields whose value follows from what `_key` compares, from an event without facts of its own, and from nothing else:
no time, no number of a process."""
CHANGES = frozenset({Kind.CRED, Kind.DUP, Kind.SETNS, Kind.UNSHARE})
"""Events that change a process in place."""


class Repeats:
    """Starts on which no rule held."""

    def __init__(self) -> None:
        self.on = False
        self._known: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def update(self, rules: Iterable[Rule]) -> None:
        """Work for these rules from now on."""
        fields = {name for rule in rules if rule.enabled and Kind.EXEC in rule.kinds for name in fields_of(rule.when)}
        self.on = all(name.partition("[")[0] in STEADY for name in fields)
        self.forget()

    def forget(self) -> None:
        """Something changed that is not compared."""
        self._known.clear()

    def key(self, event: Event) -> tuple[Any, ...] | None:
        """By which a start is known; None for an event that is not to be compared."""
        process = event.process
        if not self.on or event.kind is not Kind.EXEC or event.raw or process.parent is None:
            return None
        # The decoder shares equal files, descriptors and namespaces; they and the parent are held as long as the key.
        shared = id(process.parent), id(process.container), id(process.file), id(event.stdio), id(process.namespaces)
        return (
            *shared,
            *(process.comm, process.args, process.cwd, process.env, process.tty, process.vpid == 1),
            *(process.uid, process.euid, process.gid, process.loginuid, process.caps, process.permitted),
            *(process.by_exec, process.by_kernel, process.foreign_cwd, event.blocked, event.result),
        )

    def knows(self, key: tuple[Any, ...] | None) -> bool:
        """Whether no rule held on such a start."""
        return key in self._known

    def remember(self, key: tuple[Any, ...], event: Event) -> None:
        """No rule held."""
        process = event.process
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        held = process.parent, process.container, process.file, event.stdio, process.namespaces
        self._known[key] = held
