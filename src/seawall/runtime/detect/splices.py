"""The shape of Dirty Pipe: a file that may only be read, and matters, is spliced into a pipe. Pure; bounded.

Alone it is odd; before credentials that nothing explains, or before the same file runs as root, it is the exploit.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from seawall.runtime.model import Event, Kind

AGE = 60.0
MAX_ENTRIES = 1024
S_ISUID, O_ACCMODE = 0o4000, 3
ACCOUNTS = frozenset(["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/sudoers"])
NOTHING: Mapping[str, Any] = {}


class Splices:
    """{"spliced": path} of such a splice; {"after_splice": path} of what follows in its container."""

    KINDS = (Kind.CALL, Kind.CRED, Kind.EXEC)

    def __init__(self) -> None:
        self._spliced: OrderedDict[str, tuple[float, str, int]] = OrderedDict()

    def observe(self, event: Event) -> Mapping[str, Any]:
        """Facts about this event."""
        place = event.process.container.id if event.process.container is not None else ""
        if event.kind is Kind.CALL:
            return self._splice(event, place) if event.syscall in ("splice", "sendfile") else NOTHING
        if not self._spliced:
            return NOTHING
        at, path, inode = self._spliced.get(place, (0.0, "", 0))
        if not path or event.time - at > AGE:
            return NOTHING
        file = event.process.file
        if event.kind is Kind.CRED or (file is not None and inode and file.ino == inode):
            return {"after_splice": path}
        return NOTHING

    def _splice(self, event: Event, place: str) -> Mapping[str, Any]:
        file = event.file
        if file is None or event.result <= 0 or file.flags & O_ACCMODE or event.process.euid == 0:
            return NOTHING
        if not file.mode & S_ISUID and file.path not in ACCOUNTS:
            return NOTHING
        self._spliced[place] = (event.time, file.path, file.ino)
        self._spliced.move_to_end(place)
        if len(self._spliced) > MAX_ENTRIES:
            self._spliced.popitem(last=False)
        return {"spliced": file.path}
