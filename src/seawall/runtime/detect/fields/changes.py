"""file.*: which file an event changes, whatever way it does so: an open, a rename, a link, a removal, a mode."""

from seawall.runtime.detect.fields.form import Field, basename
from seawall.runtime.model import Event, Kind

OPENS = frozenset(["open", "openat", "openat2", "creat"])
_MOVES = "rename renameat renameat2 link linkat symlink symlinkat"
MOVES = frozenset(_MOVES.split())
"""Calls whose second path comes to hold something."""
LINKS = frozenset(["link", "linkat", "symlink", "symlinkat"])
_GONE = "unlink unlinkat rmdir rename renameat renameat2"
GONE = frozenset(_GONE.split())
"""Calls after which there is nothing at the first path."""
_CHANGES = "truncate ftruncate chmod fchmod fchmodat fchmodat2 setxattr lsetxattr fsetxattr setxattrat"
CHANGES = frozenset(_CHANGES.split())
MODES = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2}
"""Which argument is the mode."""
SET_IDS = 0o6000
ROOTS = {0x9FA0: "/proc", 0x62656572: "/sys"}


def written(event: Event) -> str | None:
    """The path that comes to hold something new."""
    if event.kind is Kind.OPEN or event.syscall in OPENS:
        return event.file.path if event.file is not None else event.paths[0] if event.paths else None
    if event.syscall in MOVES:
        return event.paths[-1] if event.paths else None
    if event.syscall in CHANGES:
        return event.paths[0] if event.paths and event.paths[0].startswith("/") else _path(event)
    return None


def removed(event: Event) -> str | None:
    """The path at which there is nothing any more."""
    return event.paths[0] if event.syscall in GONE and event.paths else None


def _host_path(event: Event) -> str | None:
    """Where a path of a bind mount lies on the host."""
    container = event.process.container
    if container is None or not container.mounts:
        return None
    path = written(event) or removed(event)
    if path is None:
        return None
    best = max(
        (mount for mount in container.mounts if mount.type == "bind" and _below(path, mount.target)),
        key=lambda mount: len(mount.target),
        default=None,
    )
    if best is None:
        return None
    return (best.source.rstrip("/") + path[len(best.target.rstrip("/")) :]) or "/"


def _below(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return path == folder or path.startswith(folder + "/")


def linked(event: Event) -> str | None:
    """What a link leads to, as it was named."""
    return event.paths[0] if event.syscall in LINKS and len(event.paths) > 1 else None


def _path(event: Event) -> str | None:
    return event.file.path if event.file is not None else None


def _name(path: str | None) -> str | None:
    return None if path is None else basename(path)


def _sets_id(event: Event) -> bool | None:
    """Whether a new mode has the set-user-id or set-group-id bit."""
    place = MODES.get(event.syscall)
    return None if place is None or len(event.args) <= place else bool(event.args[place] & SET_IDS)


def _attribute(event: Event) -> str | None:
    return event.paths[-1] if "xattr" in event.syscall and event.paths and "/" not in event.paths[-1] else None


def _canonical(event: Event) -> str | None:
    """In procfs and sysfs the path that it would have at /proc and /sys, else the path."""
    file = event.file
    if file is None or event.kind is Kind.EXEC:
        return None
    root = ROOTS.get(file.fs_magic)
    return root + file.inner_path if root and file.inner_path else file.path


ALL = (
    Field("file.written", "text", written, "the path that comes to hold something new: opened, renamed or linked to …"),
    Field("file.written_name", "text", lambda e: _name(written(e)), "its last component"),
    Field("file.removed", "text", removed, "the path at which there is nothing any more: unlinked or renamed"),
    Field("file.removed_name", "text", lambda e: _name(removed(e)), "its last component"),
    Field("file.linked", "text", linked, "link, symlink: what gets another name"),
    Field("file.canonical", "text", _canonical, "the path; in procfs and sysfs as it is at /proc and /sys"),
    Field("file.host_path", "text", _host_path, "of a file in a bind mount: where it lies on the host", identity=True),
    Field("file.sets_id", "flag", _sets_id, "chmod: the new mode has the set-user-id or set-group-id bit"),
    Field("file.attribute", "text", _attribute, "setxattr: the attribute's name"),
)
