"""Opening a file of a container without being led out of it, stopped by it, or made to run anything for it.

Every component is opened by itself and none is followed when it is a link: paths that the kernel has resolved have no
links left in them, and one that has become a link since is somebody's trap. What is not a regular file is never
opened for reading: a FIFO would wait for ever, a device would act.
"""

import os
import stat

from seawall.core.errors import SeawallError

MAX_PARTS = 64
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Refused(SeawallError):
    """Not opened; `why` is one word for counting: gone, link, not_a_file, too_deep, denied."""

    def __init__(self, why: str, path: str) -> None:
        super().__init__(f"{path}: {why.replace('_', ' ')}")
        self.why = why


def open_file(root: str | int, path: str) -> int:
    """A descriptor for reading a regular file; `root` is a folder (/proc/PID/root) or a descriptor of one.

    Raises Refused. The caller closes the descriptor.
    """
    parts = [part for part in path.split("/") if part]
    if not parts or len(parts) > MAX_PARTS or ".." in parts or "." in parts or "\0" in path:
        raise Refused("too_deep" if len(parts) > MAX_PARTS else "not_a_file", path)
    folder = -1
    try:
        # The root itself is the one link that is followed: the kernel's own, to where the process sees its root.
        folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) if isinstance(root, str) else os.dup(root)
        for part in parts[:-1]:
            below = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        found = os.open(parts[-1], os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise Refused(_why(error), path) from error
    finally:
        if folder >= 0:
            os.close(folder)
    try:
        return reopened(found, path)
    finally:
        os.close(found)


def open_folder(root: str | int, path: str) -> int:
    """The same for a folder, to be listed. Raises Refused; the caller closes the descriptor."""
    parts = [part for part in path.split("/") if part]
    if len(parts) > MAX_PARTS or ".." in parts or "." in parts or "\0" in path:
        raise Refused("too_deep" if len(parts) > MAX_PARTS else "not_a_file", path)
    folder = -1
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if isinstance(root, str) else os.dup(root)
        for part in parts:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = below
    except OSError as error:
        if folder >= 0:
            os.close(folder)
        raise Refused(_why(error), path) from error
    return folder


def reopened(found: int, path: str) -> int:
    """From an O_PATH descriptor to one for reading, of the very same inode, if that is a regular file."""
    mode = os.fstat(found).st_mode
    if not stat.S_ISREG(mode):
        raise Refused("link" if stat.S_ISLNK(mode) else "not_a_file", path)
    try:
        return os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(_why(error), path) from error


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | ProcessLookupError):
        return "gone"
    if isinstance(error, NotADirectoryError):
        return "link"  # O_NOFOLLOW with O_DIRECTORY says so of a link in the way, as of a file in it
    return "denied"
