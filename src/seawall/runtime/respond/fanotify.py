"""fanotify(7) and openat2(2) through ctypes. Imported in the guard and in errands only, never by the resident agent.

Reading the descriptor and answering are plain reads and writes; only making it and marking need system calls that the
standard library lacks.
"""

import ctypes
import os

EVENT = "=IBBHQii"
"""struct fanotify_event_metadata: length, version, reserved, its own length, mask, descriptor, pid."""
ANSWER = "=iI"
"""struct fanotify_response: descriptor, FAN_ALLOW or FAN_DENY."""
ALLOW, DENY = 1, 2
OPEN_PERM = 0x00010000
OPEN_EXEC_PERM = 0x00040000
ADD, REMOVE, MOUNT, FILESYSTEM = 0x1, 0x2, 0x10, 0x100
_IGNORED, _EVICTABLE = 0x20, 0x200
_CLOEXEC, _NONBLOCK, _CONTENT, _UNLIMITED_QUEUE, _UNLIMITED_MARKS = 0x1, 0x2, 0x4, 0x10, 0x20
_REPORT_TID = 0x100
"""Events name the thread that asks: /proc shows which system call it waits in."""
_LARGEFILE = 0o100000
_AT_FDCWD = -100
_SYS_OPENAT2 = 437
RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_IN_ROOT = 0x02, 0x04, 0x10


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def library() -> ctypes.CDLL:
    """The C library with errors kept."""
    return ctypes.CDLL(None, use_errno=True)


def init() -> int:
    """A descriptor that is asked before a program runs. Raises OSError where kernel or rights do not allow it."""
    flags = _CLOEXEC | _NONBLOCK | _CONTENT | _UNLIMITED_QUEUE | _UNLIMITED_MARKS | _REPORT_TID
    return _checked(library().fanotify_init(flags, os.O_RDONLY | os.O_CLOEXEC | _LARGEFILE), "fanotify_init")


def mark(group: int, flags: int, mask: int, descriptor: int) -> None:
    """Add or remove a mark on the mount or file system of an open descriptor (O_PATH is enough)."""
    path = f"/proc/self/fd/{descriptor}".encode()
    done = library().fanotify_mark(group, flags, ctypes.c_uint64(mask), _AT_FDCWD, path)
    _checked(done, "fanotify_mark")


def pass_over(group: int, descriptor: int) -> None:
    """Ask no more about opens of this file until it is changed. Raises OSError (before Linux 5.19 always)."""
    mark(group, ADD | _IGNORED | _EVICTABLE, OPEN_PERM, descriptor)


def openat2(folder: int, path: str, flags: int, mode: int = 0, resolve: int = RESOLVE_IN_ROOT) -> int:
    """Open below a folder as if it were the root: no symbolic link leads out of it. Raises OSError."""
    how = _How(flags | os.O_CLOEXEC, mode, resolve)
    name = path.encode("utf-8", "surrogateescape")
    return _checked(
        library().syscall(_SYS_OPENAT2, folder, name, ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how))), path
    )


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return int(result)
