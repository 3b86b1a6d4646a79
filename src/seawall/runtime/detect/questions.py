"""Questions to the node: what no event shows, a look at /proc does. Pure: it asks, remembers, and takes answers.

Two are asked. *holders*, of a shell that is driven through pipes or a terminal: who in its container holds the other
end, and has that process a connection? Asked at once and again after a while, for the relay may connect later.
*origin*, of a program or script out of a container's written layer: was it dropped there, or only copied up?
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seawall.runtime.detect.fields import ancestors, basename
from seawall.runtime.detect.scripts import script_of
from seawall.runtime.detect.shells import has_command, is_bare_shell, is_shell
from seawall.runtime.model import Event, Found, Kind, Process, Scan

FIRST, AGAIN = 0.3, 2.3
"""Seconds after which holders are asked for, for the first and the last time: whoever feeds a shell one script has let
go of it by then, whoever relays has not."""
MAX_PENDING, AT_ONCE = 512, 20
MAX_KNOWN, KNOWN_FOR = 1024, 60.0
"""Origins remembered, and for how many seconds: the file may be written again."""
_LOGINS = (
    "sshd sshd-session dropbear in.telnetd telnetd in.rshd mosh-server tmux screen amazon-ssm-agent ssm-session-worker "
    "teleport tailscaled code-tunnel code-server ttyd gotty"
)
ETXTBSY = -26
LOGINS = frozenset(_LOGINS.split())
"""Programs that give people they have let in a shell: it is what they are for."""
NOTHING: Mapping[str, Any] = {}

_TERMINAL = re.compile(r"pts/?(\d+)$")


class _Pending:
    __slots__ = ("again", "at", "event", "given", "scan")

    def __init__(self, scan: Scan, event: Event, at: float) -> None:
        self.scan, self.event, self.at, self.again, self.given = scan, event, at, False, False


class Questions:
    """`ask` for each event, `due` for what shall be looked up, `answer` with what was found."""

    def __init__(self, answered: bool) -> None:
        """`answered`: somebody looks. Otherwise what lies in the written layer counts as dropped."""
        self._answered = answered
        self._pending: OrderedDict[int, _Pending] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()
        self._number = 0
        self._fresh: list[_Pending] = []

    def ask(self, event: Event, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Facts that are known at once; what is not is asked for."""
        process = event.process
        self._fresh = []
        if event.kind is Kind.OPEN and event.result == ETXTBSY and process.container is not None:
            self._busy(event)
        if event.kind is not Kind.EXEC or process.container is None or event.result < 0:
            return NOTHING
        found: dict[str, Any] = {}
        file = process.file
        if file is not None and file.upper and not file.memfd:
            found |= {"origin": "installed"} if facts.get("installed") else self._origin(event, "origin", process.exe)
        script = script_of(process)
        if script:
            found["script"] = script
            found |= self._origin(event, "script_origin", script)
        if facts.get("relay", "parent") == "parent" and self._answered:
            self._holders(event)
        return found

    def keep(self, event: Event) -> None:
        """The event with all its facts, to be judged again when the answer is there."""
        for pending in self._fresh:
            pending.event = event

    def due(self, now: float) -> list[Scan]:
        """At most AT_ONCE scans whose time has come."""
        found = []
        for pending in self._pending.values():
            if not pending.given and pending.at <= now:
                pending.given = True
                found.append(pending.scan)
                if len(found) == AT_ONCE:
                    break
        return found

    def answer(self, scan: Scan, found: Found) -> tuple[Event | None, frozenset[str]]:
        """(the event with what was found, the fields that are new); no event when nothing was."""
        pending = self._pending.get(scan.number)
        if pending is None:
            return None, frozenset()
        if scan.what == "holders":
            return self._held(pending, found)
        del self._pending[scan.number]
        if scan.what == "inode":
            return _with(pending.event, {"inode": (found.dev, found.ino)}), frozenset(["fd.is_runtime_program"])
        name = "origin" if scan.path == pending.event.process.exe else "script_origin"
        origin = found.origin or ("dropped" if name == "origin" else "")
        if not origin:
            return None, frozenset()
        _put(self._known, (scan.container, scan.path), (pending.event.time, origin))
        return _with(pending.event, {name: origin}), frozenset([f"proc.{name}"])

    def _held(self, pending: _Pending, found: Found) -> tuple[Event | None, frozenset[str]]:
        known = found.holder and basename(found.exe) not in LOGINS
        if not known and not pending.again:
            pending.again, pending.given, pending.at = True, False, pending.event.time + AGAIN
            return None, frozenset()
        del self._pending[pending.scan.number]
        if not known:
            return None, frozenset()
        facts = {"relay": found.through if found.outgoing else "listener", "relay_pid": found.holder}
        if found.peer is not None:
            facts["relay_peer"] = found.peer
        return _with(pending.event, facts), frozenset(["proc.relay"])

    def _origin(self, event: Event, name: str, path: str) -> Mapping[str, Any]:
        container = event.process.container
        place = container.id if container is not None else ""
        layers = container.layers if container is not None else ()
        at, known = self._known.get((place, path), (0.0, ""))
        if known and event.time - at <= KNOWN_FOR:
            return {name: known}
        if self._answered and self._add(
            event, Scan("origin", place, event.process.pid, event.process.start, path=path, layers=layers)
        ):
            return NOTHING
        return {name: "dropped"} if name == "origin" else NOTHING

    def _busy(self, event: Event) -> None:
        """A running program cannot be opened to write: which file it was, only its path tells."""
        path = event.file.path if event.file is not None else ""
        place = event.process.container.id if event.process.container is not None else ""
        if path.startswith("/") and self._answered:
            self._add(event, Scan("inode", place, event.process.pid, event.process.start, path=path))

    def _holders(self, event: Event) -> None:
        process = event.process
        place = process.container.id if process.container is not None else ""
        if is_bare_shell(process):
            ends = {found.inode: found.type for found in process.stdio if found.inode}
            pipes, pairs = (tuple(inode for inode in ends if ends[inode] == kind) for kind in ("pipe", "unix"))
            self._add(event, Scan("holders", place, process.pid, process.start, pipes=pipes, pairs=pairs))
        elif is_shell(process) and not has_command(process):
            terminal = _terminal(process)
            if terminal >= 0:
                self._add(event, Scan("holders", place, process.pid, process.start, terminal=terminal))

    def _add(self, event: Event, scan: Scan) -> bool:
        if len(self._pending) >= MAX_PENDING:
            return False
        self._number += 1
        others = tuple(one.pid for one in ancestors(event.process) if one.container is event.process.container)
        at = event.time + FIRST if scan.what == "holders" else event.time
        pending = _Pending(replace(scan, number=self._number, others=others), event, at)
        self._pending[self._number] = pending
        self._fresh.append(pending)
        return True


def _terminal(process: Process) -> int:
    """The number of the pseudo terminal on standard input, or -1."""
    for found in process.stdio:
        if found.number == 0 and found.type == "tty":
            named = _TERMINAL.search(process.tty)
            return int(named[1]) if named else found.inode - 3 if found.inode >= 3 else -1
    return -1


def _with(event: Event, facts: Mapping[str, Any]) -> Event:
    return replace(event, raw={**event.raw, **facts})


def _put(table: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MAX_KNOWN:
        table.popitem(last=False)
