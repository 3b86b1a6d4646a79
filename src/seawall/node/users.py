"""Names of user ids, on the host and inside a container, whose files are not to be trusted."""

import os
import stat
from functools import lru_cache

MAX_FILE = 1 << 20
"""Bytes of a passwd file that are read."""


def name(pid: int | None, uid: int) -> str:
    """The user's name in the file system of a process (None: the host's own); the number where there is no name."""
    body = inside(pid, "etc", "passwd")
    return _names(body).get(uid, str(uid)) if body else str(uid)


@lru_cache(64)
def _names(body: bytes) -> dict[int, str]:
    names: dict[int, str] = {}
    for line in body.decode("utf-8", "replace").splitlines():
        parts = line.split(":")
        if len(parts) > 2 and parts[2].isdecimal() and len(parts[2]) < 11:
            names.setdefault(int(parts[2]), parts[0][:64])
    return names


def inside(pid: int | None, *parts: str) -> bytes | None:
    """A small file of a process's root, or None.

    No link is followed on the way: an absolute one would lead out of the container into this host. A pipe or a device
    is not waited for.
    """
    try:
        folder = os.open(f"/proc/{pid}/root" if pid else "/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = below
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    finally:
        os.close(folder)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        return os.read(file, MAX_FILE)
    except OSError:
        return None
    finally:
        os.close(file)
