"""May this file run in this container? Decided from the open descriptor alone, within microseconds.

A file is of the image only if the very same inode is found in one of the image's layers: whoever renames, links or
swaps files while the question is open proves nothing and is refused. Light: the guard imports it.
"""

import os
import stat
import time
from collections.abc import Callable
from typing import Any

from seawall.runtime.respond import mounts

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
        self._known: dict[tuple[Any, ...], str] = {}

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

    def _judge(self, descriptor: int, path: str, found: os.stat_result) -> str:
        if self.hashes and found.st_size in self.hashes and digest(descriptor) in self.hashes[found.st_size]:
            return "quarantined"
        written = bool(self.layers) and found.st_dev in self.devices and not self._of_the_image(path, found)
        lifted = self.lift(path, written) if self.lift is not None else ""
        unknown = self._programs is not None and path not in self._programs
        if unknown and lifted != "profile" and not _companion(descriptor, path, written):
            return "profile"
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
