"""May this file run, or be opened, in this container? Decided from the open descriptor, within microseconds.

A file is of the image only if the very same inode is found in one of the image's layers: whoever renames, links or
swaps files while the question is open proves nothing and is refused. Light: the guard imports it.
"""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seawall.runtime.respond import mounts

if TYPE_CHECKING:
    from seawall.runtime.respond.opens import Opens

MAX_CACHED = 4096
"""Verdicts remembered of one container."""
MAX_COMPARED = 16 << 20
"""Bytes of a file that was copied up (chmod, chown) and is compared with the image's; a larger one counts as other."""
MAX_HASHED = 64 << 20
COMPARE_SECONDS = 0.02
ALLOWED = ""
_LOADERS = ("ld-linux", "ld-musl-", "ld64.so", "ld-2.", "ld.so")

Check = Callable[[str, bool], str]
"""(path, upper) → id of the rule that forbids it, or ""."""


@dataclass(slots=True)
class Asked:
    """An open that was asked about: why not (or ALLOWED), of which path, in which container."""

    why: str = ALLOWED
    path: str = ""
    guarded: "Guarded | None" = None
    call: str = ""
    flags: int = 0
    script: bool = False
    """An interpreter opens what it was told to run."""
    settled: bool = False
    """Nobody needs to be asked about this file again until it is changed."""


class Guarded:
    """One container: what it may run, and what was found out about its files."""

    def __init__(self, id: str, pid: int, policy: dict[str, Any], layers: list[str]) -> None:
        self.id, self.pid = id, pid
        self.layers = layers
        self.devices: set[int] = set()
        self._drift = bool(policy.get("drift"))
        programs = policy.get("programs")
        self._programs = None if programs is None else frozenset(programs)
        self.check: Check | None = None
        self.lift: Check | None = None
        """Says which of the image's own refusals ("profile", "drift") somebody has waived for a file."""
        self.hashes: dict[int, set[str]] = {}
        """Quarantined files: size to SHA-256."""
        self.opens: Opens | None = None
        """Rules on opens."""
        self.scripts = bool(policy.get("scripts"))
        """Whether what interpreters are given to run is asked about as programs are."""
        self._known: dict[tuple[Any, ...], str] = {}
        self._written: dict[tuple[Any, ...], bool] = {}

    @property
    def asks_opens(self) -> bool:
        """Whether the kernel shall ask before files are opened, too."""
        return self.scripts or self.opens is not None

    def forget(self) -> None:
        """Judge anew: what is forbidden has changed."""
        self._known.clear()

    def verdict(self, descriptor: int, path: str, found: os.stat_result) -> str:
        """Why the file may not run, or ALLOWED. The answer is kept as long as file and path stay what they are."""
        key = (found.st_dev, found.st_ino, found.st_ctime_ns, found.st_mtime_ns, found.st_size, path)
        known = self._known.get(key)
        if known is None:
            known = self._judge(descriptor, path, found)
            if len(self._known) >= MAX_CACHED:
                self._known.clear()
            self._known[key] = known
        return known

    def opened(self, descriptor: int, path: str, found: os.stat_result, tid: int) -> Asked:
        """An open of a file: by a rule on opens, or by an interpreter that was told to run it."""
        asked = Asked(path=path, guarded=self)
        named = self.opens.named(path, found) if self.opens is not None else ""
        written = self._is_written(path, found)
        if named and self.opens is not None:
            rule, asked.call, asked.flags = self.opens.check(named, found, written, tid)
            if rule:
                asked.why, asked.path = f"rule:{rule}", named
                return asked
        why = self._script(descriptor, path, found, written) if self.scripts else ALLOWED
        if not why:
            asked.settled = not written and not named and found.st_dev in self.devices
        elif why == "quarantined" or _runs(tid, found, path):
            asked.why, asked.script = why, True
        return asked

    def _script(self, descriptor: int, path: str, found: os.stat_result, written: bool) -> str:
        """Why the file may not be run by an interpreter."""
        key = ("script", found.st_dev, found.st_ino, found.st_ctime_ns, found.st_mtime_ns, found.st_size, path)
        known = self._known.get(key)
        if known is None:
            known = self._forbidden(descriptor, path, found, written) if stat.S_ISREG(found.st_mode) else ALLOWED
            if len(self._known) >= MAX_CACHED:
                self._known.clear()
            self._known[key] = known
        return known

    def _is_written(self, path: str, found: os.stat_result) -> bool:
        if not self.layers or found.st_dev not in self.devices:
            return False
        key = (found.st_dev, found.st_ino, found.st_ctime_ns, path)
        known = self._written.get(key)
        if known is None:
            known = not self._of_the_image(path, found)
            if len(self._written) >= MAX_CACHED:
                self._written.clear()
            self._written[key] = known
        return known

    def _judge(self, descriptor: int, path: str, found: os.stat_result) -> str:
        written = self._is_written(path, found)
        unknown = self._programs is not None and path not in self._programs
        if unknown and not self._is_quarantined(descriptor, found) and not _companion(descriptor, path, written):
            lifted = self.lift(path, written) if self.lift is not None else ""
            if lifted != "profile":
                return "profile"
        return self._forbidden(descriptor, path, found, written)

    def _is_quarantined(self, descriptor: int, found: os.stat_result) -> bool:
        return found.st_size in self.hashes and digest(descriptor) in self.hashes[found.st_size]

    def _forbidden(self, descriptor: int, path: str, found: os.stat_result, written: bool) -> str:
        """What is said of a program and of a script alike."""
        if self._is_quarantined(descriptor, found):
            return "quarantined"
        lifted = self.lift(path, written) if self.lift is not None else ""
        if written and self._drift and lifted != "drift" and not self._same_content(descriptor, path, found):
            return "drift"
        if self.check is not None:
            rule = self.check(path, written)
            if rule:
                return f"rule:{rule}"
        return ALLOWED

    def _of_the_image(self, path: str, found: os.stat_result) -> bool:
        for layer in self.layers:
            try:
                there = os.lstat(layer + path)
            except OSError:
                continue
            if same_file(there, found):
                return True
        return False

    def _same_content(self, descriptor: int, path: str, found: os.stat_result) -> bool:
        """A change of mode or owner copies a file up: it is not another program for that."""
        if found.st_size > MAX_COMPARED:
            return False
        for layer in self.layers:
            try:
                there = os.open(layer + path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                return stat.S_ISREG(os.fstat(there).st_mode) and _equal(descriptor, there, found.st_size)
            finally:
                os.close(there)
        return False


class Verdicts:
    """All containers that are guarded."""

    def __init__(self) -> None:
        self.containers: dict[str, Guarded] = {}
        self._by_device: dict[int, Guarded] = {}

    def put(self, guarded: Guarded) -> None:
        """Guard a container, or guard it by another policy."""
        self.drop(guarded.id)
        self.containers[guarded.id] = guarded
        for device in guarded.devices:
            self._by_device[device] = guarded

    def drop(self, id: str) -> None:
        """Guard it no longer."""
        old = self.containers.pop(id, None)
        if old is not None:
            self._by_device = {device: found for device, found in self._by_device.items() if found is not old}

    def decide(self, descriptor: int, pid: int) -> tuple[str, str, Guarded | None]:
        """(why not or ALLOWED, path, container) for an open file that `pid` wants to run."""
        found = os.fstat(descriptor)
        guarded = self._by_device.get(found.st_dev) or self._container_of(pid)
        if guarded is None:
            return ALLOWED, "", None
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        return guarded.verdict(descriptor, path, found), path, guarded

    def decide_open(self, descriptor: int, tid: int) -> Asked:
        """The same for a file that a thread opens. Whoever asks from outside the container is let through."""
        found = os.fstat(descriptor)
        guarded = self._by_device.get(found.st_dev) or self._container_of(tid)
        if guarded is None or not guarded.asks_opens:
            return Asked()
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        asked = guarded.opened(descriptor, path, found, tid)
        if asked.why and self._container_of(tid) is not guarded:
            return Asked()
        return asked

    def _container_of(self, pid: int) -> Guarded | None:
        """For files on volumes, which several containers may share."""
        try:
            with open(f"/proc/{pid}/cgroup", "rb") as file:
                text = file.read(8192).decode("utf-8", "replace")
        except OSError:
            return None
        return next((found for name, found in self.containers.items() if name in text), None)


def devices(found: list[mounts.Mount], host: frozenset[str]) -> set[int]:
    """st_dev of the file systems that are one container's alone."""
    return {mounts.number(mount.dev) for mount in found if mounts.private(mount, host)}


def digest(descriptor: int) -> str:
    """SHA-256 of an open file; "" if it is too large to be read now."""
    import hashlib

    made = hashlib.sha256()
    offset = 0
    while part := os.pread(descriptor, 1 << 18, offset):
        offset += len(part)
        if offset > MAX_HASHED:
            return ""
        made.update(part)
    return made.hexdigest()


def _runs(tid: int, found: os.stat_result, path: str) -> bool:
    """Whether the asker is an interpreter that was given this file to run."""
    from seawall.runtime.detect.scripts import is_interpreter, script_of
    from seawall.runtime.respond import asker

    process = asker.process_of(tid, depth=0)
    name = script_of(process) if is_interpreter(process) else ""
    return bool(name) and (name == path or _leads_to(tid, name, found))


def _leads_to(tid: int, name: str, found: os.stat_result) -> bool:
    """Whether a name, as the asker sees it, is another way to the file: a link, `..`."""
    from seawall.runtime.respond import fanotify

    try:
        root = os.open(f"/proc/{tid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            there = fanotify.openat2(root, name, os.O_PATH)
        finally:
            os.close(root)
        try:
            return os.path.samestat(os.fstat(there), found)
        finally:
            os.close(there)
    except OSError:
        return False


def _companion(descriptor: int, path: str, written: bool) -> bool:
    """What runs only together with a program that is asked for as well: a script's interpreter, a program's loader.

    A profile names neither scripts (what runs is the interpreter) nor the loader.
    """
    if os.pread(descriptor, 2, 0) == b"#!":
        return True
    return not written and path.rpartition("/")[2].startswith(_LOADERS)


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether a layer's file and an overlay's are one inode."""
    return _identity(one) == _identity(other)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    # The upper bits of an overlay's inode number may name the layer.
    return found.st_ino & 0xFFFFFFFF, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode


def _equal(one: int, other: int, size: int) -> bool:
    if os.fstat(other).st_size != size:
        return False
    end = time.monotonic() + COMPARE_SECONDS
    for offset in range(0, size, 1 << 18):
        if os.pread(one, 1 << 18, offset) != os.pread(other, 1 << 18, offset) or time.monotonic() > end:
            return False
    return True
