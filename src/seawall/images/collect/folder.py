"""A folder as a layer: what lies on disk, walked without being led out of it, stopped by it or made to run anything.

Every folder and file is opened below the one before it, links are never followed, and only regular files are opened:
a pipe would wait for ever, a device would act. What is mounted from elsewhere than a disk is not entered.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from seawall.core.errors import Hostile
from seawall.images.collect import layers, tar
from seawall.images.collect.layers import Contents
from seawall.images.collect.reading import Reading
from seawall.images.collect.streams import Budget
from seawall.images.collect.tar import Body, Entry

MAX_ENTRIES = 5_000_000
STORES = ("var/lib/docker", "var/lib/containerd", "var/lib/containers/storage", "var/lib/rancher/k3s/agent/containerd")
"""Where engines keep images and containers: of these each is a file system of its own, to be read by its name."""
DISKS = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "reiserfs", "jfs", "bcachefs", "erofs", "squashfs"}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")


@dataclass(slots=True)
class _Walk:
    contents: Contents
    reading: Reading
    overlay: bool
    foreign: set[tuple[int, int]]
    """Devices that are no disks."""
    entries: int = 0
    size: int = 0


def read(root: str | int, reading: Reading, *, overlay: bool = False) -> tuple[Contents, int]:
    """What the folder holds, and the bytes of its files. `overlay`: it is the upper folder of an overlay, where devices
    0:0 and marked folders take away what lies below. Raises OSError when the folder cannot be opened.
    """
    walk = _Walk(Contents(), reading, overlay, _foreign())
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if isinstance(root, str) else os.dup(root)
    _walk(walk, top)
    return walk.contents, walk.size


def _walk(walk: _Walk, top: int) -> None:
    """Depth first, with one open folder for each step down."""
    about = os.fstat(top)
    walk.foreign.discard((os.major(about.st_dev), os.minor(about.st_dev)))
    stack: list[tuple[int, str, Iterator[str]]] = []
    try:
        stack.append((top, "", _names(walk, top, "")))
        while stack:
            folder, path, names = stack[-1]
            name = next(names, None)
            if name is None:
                os.close(stack.pop()[0])
                continue
            below = f"{path}/{name}" if path else name
            opened = _entry(walk, folder, name, below, len(stack))
            if opened is not None:
                stack.append((opened, below, _names(walk, opened, below)))
    finally:
        for folder, _, _ in stack:
            os.close(folder)


def _names(walk: _Walk, folder: int, path: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        walk.contents.skip(path, f"the folder cannot be read: {error.strerror}")
        names = []
    walk.entries += len(names)
    if walk.entries > MAX_ENTRIES:
        raise Hostile(f"more than {MAX_ENTRIES} files and folders")
    return iter(names)


def _entry(walk: _Walk, folder: int, name: str, path: str, depth: int) -> int | None:
    """Looks at one; a descriptor when it is a folder to go into."""
    walk.reading.budget.tick()
    try:
        about = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(about.st_mode):
            return _enter(walk, folder, name, path, depth)
        walk.contents.files += 1
        _take(walk, folder, name, path, about)
    except OSError as error:
        walk.contents.skip(path, f"it cannot be read: {error.strerror}")
    return None


def _enter(walk: _Walk, folder: int, name: str, path: str, depth: int) -> int | None:
    if path in STORES:
        walk.contents.skip(path, "images and containers of an engine: scan those by their names")
        return None
    if depth >= layers.MAX_DEPTH:
        walk.contents.skip(path, f"more than {layers.MAX_DEPTH} folders deep")
        return None
    opened = os.open(name, _FOLDER, dir_fd=folder)
    device = os.fstat(opened).st_dev
    if (os.major(device), os.minor(device)) in walk.foreign:
        os.close(opened)
        walk.contents.skip(path, "another file system is mounted here, which is no disk")
        return None
    if walk.overlay and _opaque(opened):
        walk.reading.budget.keep(len(path) + layers.MARK_BYTES)
        walk.contents.opaque.add(path)
    return opened


def _take(walk: _Walk, folder: int, name: str, path: str, about: os.stat_result) -> None:
    contents = walk.contents
    if stat.S_ISREG(about.st_mode):
        _regular(walk, folder, name, path)
    elif stat.S_ISLNK(about.st_mode):
        if walk.overlay:
            walk.reading.budget.keep(len(path) + layers.MARK_BYTES)
            contents.covered.add(path)
    elif walk.overlay and stat.S_ISCHR(about.st_mode) and about.st_rdev == 0:
        walk.reading.budget.keep(len(path) + layers.MARK_BYTES)
        contents.removed.add(path)
    else:
        layers.take(contents, path, Entry(path, tar.SPECIAL, 0), Body(_Nothing(), 0), walk.reading)


def _regular(walk: _Walk, folder: int, name: str, path: str) -> None:
    opened = os.open(name, _FILE, dir_fd=folder)
    try:
        about = os.fstat(opened)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(0, "it changed while it was looked at")
        walk.size += about.st_size
        entry = Entry(path, tar.REGULAR, about.st_size, "", about.st_mode & 0o7777, about.st_uid, about.st_gid)
        try:
            layers.take(
                walk.contents, path, entry, Body(_Descriptor(opened, walk.reading.budget), about.st_size), walk.reading
            )
        except Hostile:
            if os.fstat(opened).st_size >= about.st_size:
                raise
            walk.contents.skip(path, "it became shorter while it was read")
    finally:
        os.close(opened)


class _Descriptor:
    """Reads a file, on the image's account."""

    def __init__(self, opened: int, budget: Budget) -> None:
        self._opened = opened
        self._budget = budget

    def read(self, size: int, /) -> bytes:
        data = os.read(self._opened, size)
        self._budget.take(len(data))
        return data


class _Nothing:
    def read(self, _size: int, /) -> bytes:
        return b""


def _opaque(folder: int) -> bool:
    for name in _OPAQUE:
        try:
            if os.getxattr(folder, name) == b"y":
                return True
        except OSError:
            continue
    return False


def _foreign() -> set[tuple[int, int]]:
    """Devices of what is mounted on this host and is no disk. Source: proc(5), mountinfo."""
    found = set()
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                before, _, behind = line.partition(" - ")
                device, kind = before.split(" ", 3)[2], behind.split(" ", 1)[0]
                major, _, minor = device.partition(":")
                if kind not in DISKS:
                    found.add((int(major), int(minor)))
    except (OSError, ValueError, IndexError):
        return found
    return found
