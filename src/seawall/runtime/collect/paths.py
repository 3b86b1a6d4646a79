"""Where a path that a system call named really leads: links on the way are followed in the caller's own root.

The kernel side tells what the caller wrote, made absolute; a rename over `/tmp/way/passwd` may be one over
`/etc/passwd`. Looked up just after the call, so a caller who is quick can still change a link in between; its last
component is never followed. Bounded in number: each costs some system calls.
"""

import os
import re
import time

from seawall.runtime import syscalls
from seawall.runtime.collect import origin
from seawall.runtime.model import Event, File

RATE = 200
"""Look-ups a second; twice that at once."""
_OWN_ROOT = re.compile(r"^(?:/proc/(?:self|thread-self|\d+)(?:/task/\d+)?/root)+(?=/)")
_FOLDER = origin.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_FIRST_RAW, _SECOND_RAW = 1 << 6, 1 << 13
"""Texts that are no paths (enum call_form of bpf/events.h)."""


class Paths:
    """Resolves the paths of events of containers."""

    def __init__(self) -> None:
        self._tokens = 2.0 * RATE
        self._at = 0.0

    def resolve(self, event: Event) -> None:
        """Give a call's paths their true folders; `raw["named"]` keeps them as the caller wrote them."""
        form = syscalls.form(event.syscall)
        raws = (bool(form & _FIRST_RAW), bool(form & _SECOND_RAW))
        found = tuple(
            path if raw or not path.startswith("/") else self._real(event, path)
            for path, raw in zip(event.paths, raws, strict=False)
        )
        if found != event.paths:
            event.raw = {**event.raw, "named": event.paths}
            event.paths = found

    def source(self, event: Event, path: str) -> File | None:
        """What a mount mounts, if it is something of the container's file tree: a device has its mode and number."""
        if not path.startswith("/") or not self._allowed():
            return None
        for pid in _standing(event):
            found = _inside(pid, path, origin.O_PATH | os.O_CLOEXEC)
            if found is not None:
                try:
                    status = os.fstat(found)
                finally:
                    os.close(found)
                return File(path, status.st_dev, status.st_ino, status.st_mode, rdev=status.st_rdev)
        return None

    def _real(self, event: Event, path: str) -> str:
        path = _OWN_ROOT.sub("", path)
        folder, _, name = path.rpartition("/")
        if not folder or not self._allowed():
            return path
        for pid in _standing(event):
            found = _inside(pid, folder, _FOLDER)
            if found is None:
                continue
            try:
                true = os.readlink(f"/proc/self/fd/{found}")
            except OSError:
                continue
            finally:
                os.close(found)
            return f"{true.rstrip('/')}/{name}" if true.startswith("/") and not true.endswith(" (deleted)") else path
        return path

    def _allowed(self) -> bool:
        now = time.monotonic()
        self._tokens = min(2.0 * RATE, self._tokens + (now - self._at) * RATE)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _standing(event: Event) -> tuple[int, ...]:
    """The process, and its parent of the same container to stand in for it when it has ended."""
    process, parent = event.process, event.process.parent
    if parent is not None and parent.container is process.container:
        return process.pid, parent.pid
    return (process.pid,)


def _inside(pid: int, path: str, flags: int) -> int | None:
    try:
        root = os.open(f"/proc/{pid}/root", _FOLDER)
    except OSError:
        return None
    try:
        return origin.open_inside(root, path, flags, origin.RESOLVE_IN_ROOT | origin.RESOLVE_NO_MAGICLINKS)
    finally:
        os.close(root)
