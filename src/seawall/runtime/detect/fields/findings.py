"""What the stateful detectors, the questions to the node and the profiles found out about an event."""

import stat
from typing import Any

from seawall.runtime.detect import names
from seawall.runtime.detect.fields.form import Field, Getter, ancestors
from seawall.runtime.detect.shells import has_command, is_shell
from seawall.runtime.model import Event, Kind, Process


def _raw(name: str) -> Getter:
    return lambda event: event.raw.get(name)


def _many(name: str) -> Getter:
    def get(event: Event) -> Any:
        return event.raw.get(name, ())

    return get


def _file_type(event: Event) -> str | None:
    mode = event.file.mode if event.file is not None else 0
    return None if not mode else _TYPES.get(stat.S_IFMT(mode))


_TYPES = {
    stat.S_IFREG: "regular",
    stat.S_IFDIR: "directory",
    stat.S_IFBLK: "block",
    stat.S_IFCHR: "character",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFLNK: "link",
}


def _foreign(event: Event) -> bool | None:
    return event.file.foreign if event.file is not None and event.kind is not Kind.EXEC else None


CGROUPS = frozenset([0x27E0EB, 0x63677270])


def _cgroup(event: Event) -> str | None:
    """Runtimes name a container's cgroup by its id, and what is below is the container's own."""
    container, file = event.process.container, event.file
    if container is None or file is None or event.kind is Kind.EXEC or file.fs_magic not in CGROUPS:
        return None
    if not file.inner_path:
        return None
    return "own" if container.id in file.inner_path else "other"


def _load(name: str) -> Getter:
    def get(event: Event) -> Any:
        return event.raw.get("load", {}).get(name) or None

    return get


def _upper_path(event: Event) -> str | None:
    file = event.process.file
    return file.upper_path or None if file is not None else None


def _exe_system(event: Event) -> str | None:
    file = event.process.file
    magic = file.fs_magic if file is not None else 0
    return names.FILE_SYSTEMS.get(magic, hex(magic)) if magic else None


def _source_type(event: Event) -> str | None:
    mode = event.source.mode if event.source is not None else 0
    return None if not mode else _TYPES.get(stat.S_IFMT(mode))


def _new_namespaces(event: Event) -> tuple[str, ...]:
    if event.kind is Kind.UNSHARE:
        value = event.target
    elif event.syscall in ("clone", "clone3") and event.args:
        value = event.args[0]
    else:
        return ()
    return tuple(name for bit, name in names.CLONE_FLAGS.items() if value & bit)


def _node_type(event: Event) -> str | None:
    place = {"mknod": 1, "mknodat": 2}.get(event.syscall, len(event.args))
    return _TYPES.get(stat.S_IFMT(event.args[place])) if len(event.args) > place else None


def _argument(place: int) -> Getter:
    def get(event: Event) -> int | None:
        return event.args[place] if len(event.args) > place else None

    return get


def _own(event: Event) -> tuple[Process, ...]:
    """Ancestors within the same container."""
    found = []
    for parent in ancestors(event.process):
        if parent.container is not event.process.container:
            break
        found.append(parent)
    return tuple(found)


def _inside(event: Event) -> tuple[str, ...]:
    return tuple(process.comm for process in _own(event))


def _first_inside(event: Event) -> bool:
    return event.process.container is not None and not _own(event)


_RELAY = "a shell that is driven by a process with a connection: pipe, pty, parent, fileless, dropped or listener"

ALL = (
    Field("proc.joined_host", "many", _many("joined_host"), "the host's namespaces it entered: mnt, pid, net, user"),
    Field("proc.relay", "text", _raw("relay"), _RELAY),
    Field("proc.is_shell", "flag", lambda e: is_shell(e.process), "a shell by its file, its task or its argument 0"),
    Field("proc.has_command", "flag", lambda e: has_command(e.process), "a shell that was given a command or a script"),
    Field("proc.origin", "text", _raw("origin"), "of a program written later: dropped, copied, installed or image"),
    Field("proc.exe_fs", "text", _exe_system, "the file system of the running file: overlay, tmpfs, ext4 …"),
    Field("proc.script", "text", _raw("script"), "the script that an interpreter runs"),
    Field("proc.script_origin", "text", _raw("script_origin"), "of that script: as proc.origin"),
    Field("proc.profile", "text", _raw("profile"), "not in its image's profile, of this mode: monitor or protect"),
    Field("proc.after_userns", "text", _raw("after_userns"), "what is done just after a user namespace was made"),
    Field("proc.after_splice", "text", _raw("after_splice"), "the file that was spliced in this container before"),
    Field("proc.by_kernel", "flag", lambda e: e.process.by_kernel, "the kernel itself started it, as a helper"),
    Field("proc.foreign_cwd", "flag", lambda e: e.process.foreign_cwd, "its working directory is of another namespace"),
    Field("proc.upper_path", "text", _upper_path, "a kernel helper's file inside the written layer of an overlay"),
    Field("proc.insidename", "many", _inside, "names of the ancestors that belong to the same container"),
    Field("proc.is_first", "flag", _first_inside, "the container's first process, or the first of a docker exec"),
    Field("evt.a0", "number", _argument(0), "the call's first argument, as it was passed"),
    Field("evt.a1", "number", _argument(1), "its second"),
    Field("evt.a2", "number", _argument(2), "its third"),
    Field("evt.a3", "number", _argument(3), "its fourth"),
    Field("evt.node_type", "text", _node_type, "mknod: block, character, pipe …"),
    Field("evt.source_type", "text", _source_type, "mount: what is mounted: block, directory, regular …"),
    Field(
        "proc.crosses", "text", _raw("crosses"), "the process it reaches into belongs to the host, or to a container"
    ),
    Field("evt.new_namespaces", "many", _new_namespaces, "clone, clone3, unshare: CLONE_NEWUSER …"),
    Field("fd.spliced", "text", _raw("spliced"), "a file that matters, opened to read, and spliced into a pipe"),
    Field("fd.sweep", "text", _raw("sweep"), "the process knocks at many ports of a host, or at many hosts"),
    Field("fd.is_runtime_socket", "flag", _raw("runtime_socket"), "is a container runtime's socket"),
    Field("fd.is_runtime_program", "flag", _raw("runtime_program"), "is a program of this host's container runtime"),
    Field("load.minutes", "number", _load("minutes"), "load: for how long the container has kept processors busy"),
    Field("load.cores", "number", _load("cores"), "load: how many it used during the last minute"),
    Field("load.suspects", "many", _load("suspects"), "load: rules that fired in it within a day and point to a miner"),
    Field("fd.cgroup", "text", _cgroup, "of a file of a cgroup: own, of the container or below it, or other"),
    Field("fd.is_foreign", "flag", _foreign, "the file lies in another mount namespace than the process"),
    Field("fd.filetype", "text", _file_type, "regular, directory, block, character, pipe, socket or link"),
)
