"""Names of users and groups, and the environment's head, for rules that ask: what the kernel side does not send.

Users are those of the process's own root: uid 33 is www-data in one container and nobody in another. Its files are
hostile: they are found inside its root alone, have to be plain files, and little of them is read.
"""

import os
import stat
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from seawall.runtime.collect import origin
from seawall.runtime.model import Process

MAX_FILE = 64 << 10
"""Bytes of /etc/passwd and /etc/group that are read."""
MAX_NAMES = 512
"""Of one file that are kept."""
MAX_ROOTS = 256
"""Containers whose names are remembered; the one asked for longest ago is forgotten first."""
MAX_ENVIRONMENT = 1024
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

Names = Mapping[int, str]


def wanted(filters: Mapping[str, Any]) -> tuple[bool, bool]:
    """(names, environment) that a plan's rules look at."""
    return bool(filters.get("people")), bool(filters.get("environment"))


class People:
    """Fills processes in; `begin` says what for."""

    def __init__(self) -> None:
        self._names = self._environment = False
        self._known: OrderedDict[str, tuple[Names, Names]] = OrderedDict()

    def begin(self, filters: Mapping[str, Any]) -> None:
        """Work for another plan."""
        self._names, self._environment = wanted(filters)
        if not self._names:
            self._known.clear()

    def fill(self, process: Process, started: bool) -> None:
        """What is wanted of a process. `started`: it has just begun another program."""
        if self._environment and started and process.env is None:  # where it is large the kernel side sends none
            process.env = environment(process.pid)
        if self._names and not process.user:
            users, groups = self._of(process)
            process.user, process.group = users.get(process.uid, ""), groups.get(process.gid, "")
            if process.loginuid >= 0:
                process.login = self._host()[0].get(process.loginuid, "")

    def _of(self, process: Process) -> tuple[Names, Names]:
        if process.container is None:
            return self._host()
        return self._remembered(process.container.id, f"/proc/{process.pid}/root")

    def _host(self) -> tuple[Names, Names]:
        return self._remembered("", "/")

    def _remembered(self, key: str, root: str) -> tuple[Names, Names]:
        found = self._known.get(key)
        if found is None:
            found = names(root, "etc/passwd"), names(root, "etc/group")
            if not found[0] and key:
                return found  # its root was gone, or is not there yet: another process of it may tell
            self._known[key] = found
            if len(self._known) > MAX_ROOTS:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return found


def names(root: str, path: str) -> Names:
    """Number → name of a file in the form of /etc/passwd or /etc/group, inside `root`; none if it cannot be read."""
    found: dict[int, str] = {}
    for line in _text(root, path).splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2].isascii() and fields[2].isdigit() and len(found) < MAX_NAMES:
            found.setdefault(int(fields[2]), fields[0][:32])
    return found


def environment(pid: int) -> tuple[str, ...] | None:
    """The head of a process's environment; None if it is gone."""
    try:
        descriptor = os.open(f"/proc/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        body = os.read(descriptor, MAX_ENVIRONMENT)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return tuple(body.decode("utf-8", "surrogateescape").rstrip("\0").split("\0")) if body else ()


def _text(root: str, path: str) -> str:
    try:
        folder = os.open(root, origin.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        resolve = origin.RESOLVE_IN_ROOT | origin.RESOLVE_NO_MAGICLINKS
        file = origin.open_inside(folder, path, _FLAGS, resolve)
        if file is None:
            return ""
        try:
            return os.read(file, MAX_FILE).decode("utf-8", "replace") if stat.S_ISREG(os.fstat(file).st_mode) else ""
        finally:
            os.close(file)
    except OSError:
        return ""
    finally:
        os.close(folder)
