"""Whether a container's file comes from its image: dropped there after the start, copied up unchanged, or the image's.

On overlayfs a file of the written layer hides the image's. One that was only copied up (by chmod, chown, touch) has the
same content as the one below it, and is no stranger.
"""

import contextlib
import functools
import os
import stat
import struct
from collections.abc import Sequence
from typing import Any

from seawall.node import procfs

MAX_COMPARED = 32 << 20
"""Bytes that are compared; of larger files size and time of change have to do."""
MAX_LAYERS = 128
RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS = 0x10, 0x04, 0x02
_OPENAT2 = 437
_O_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
O_PATH = getattr(os, "O_PATH", 0o10000000)


def of(pid: int, path: str) -> str:
    """dropped, copied, image, or "" when it cannot be told (no overlay, another file system, the file is gone)."""
    layers = _layers(pid)
    inside = _resolved(pid, path) if layers else None
    return among(layers, inside) if inside is not None else ""


def among(layers: Sequence[str], path: str) -> str:
    """The same of a path without links, by the container's layers from the top alone."""
    if not layers or not path.startswith("/"):
        return ""
    with contextlib.ExitStack() as stack:
        above = _opened(layers[0], path, stack)
        below = next((found for one in layers[1:] if (found := _opened(one, path, stack)) is not None), None)
        if above is None:
            return "image" if below is not None else ""
        return "copied" if below is not None and _same(above, below) else "dropped"


def inode(pid: int, path: str) -> tuple[int, int]:
    """(st_dev, st_ino) of a file as the process sees it, links followed inside its root; zeros if there is none."""
    try:
        root = os.open(f"/proc/{pid}/root", O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return 0, 0
    try:
        found = open_inside(root, path.lstrip("/"), O_PATH | os.O_CLOEXEC, RESOLVE_IN_ROOT)
        if found is None:
            return 0, 0
        status = os.fstat(found)
        os.close(found)
        return status.st_dev, status.st_ino
    finally:
        os.close(root)


def _layers(pid: int) -> list[str]:
    """The upper layer and the lower ones from the top of the process's root, as folders of this host."""
    for line in (procfs.read(pid, "mountinfo") or b"").decode("utf-8", "surrogateescape").splitlines():
        fields, _, rest = line.partition(" - ")
        mounted = fields.split()
        system = rest.split()
        if len(mounted) < 5 or mounted[4] != "/" or len(system) < 3 or system[0] != "overlay":
            continue
        options = dict(option.partition("=")[::2] for option in system[2].split(","))
        if options.get("upperdir") and options.get("lowerdir"):
            return [options["upperdir"], *options["lowerdir"].split(":")[:MAX_LAYERS]]
    return []


def _resolved(pid: int, path: str) -> str | None:
    """The path with its symbolic links followed inside the container's root; None outside the root's file system."""
    try:
        root = os.open(f"/proc/{pid}/root", O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = open_inside(root, path.lstrip("/"), O_PATH | os.O_CLOEXEC, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
        if found is None:
            return None
        try:
            if os.fstat(found).st_dev != os.fstat(root).st_dev or not stat.S_ISREG(os.fstat(found).st_mode):
                return None
            return os.readlink(f"/proc/self/fd/{found}").removesuffix(" (deleted)")
        finally:
            os.close(found)
    except OSError:
        return None
    finally:
        os.close(root)


def _opened(layer: str, path: str, stack: contextlib.ExitStack) -> int | None:
    """The regular file at a path of one layer."""
    try:
        folder = os.open(layer, O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = open_inside(folder, path.lstrip("/"), _O_FLAGS, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS)
    finally:
        os.close(folder)
    if found is None:
        return None
    stack.callback(os.close, found)
    return found if stat.S_ISREG(os.fstat(found).st_mode) else None


def _same(one: int, other: int) -> bool:
    first, second = os.fstat(one), os.fstat(other)
    if first.st_size != second.st_size:
        return False
    if first.st_size > MAX_COMPARED:
        return first.st_mtime_ns == second.st_mtime_ns
    while part := os.read(one, 1 << 16):
        if part != os.read(other, 1 << 16):
            return False
    return True


@functools.cache
def _libc() -> Any:
    import ctypes  # half a megabyte, only where something in a container makes us look

    return ctypes.CDLL(None, use_errno=True)


def open_inside(folder: int, path: str, flags: int, resolve: int) -> int | None:
    how = struct.pack("<QQQ", flags, 0, resolve)
    found = int(_libc().syscall(_OPENAT2, folder, os.fsencode(path), how, len(how)))
    return found if found >= 0 else None
