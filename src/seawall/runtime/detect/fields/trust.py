"""Names that may be believed: anybody can call a file runc or dpkg, but not put it into the image.

A running file counts as the image's own when it was not written after the container's start, is on a disk, and lies in
no folder that exists to be written to.
"""

from seawall.runtime.detect.fields.form import MAX_ANCESTORS, Field, ancestors, basename
from seawall.runtime.model import Event, Process

TMPFS = 0x01021994
_WRITABLE = "/tmp/ /var/tmp/ /dev/ /run/ /var/run/ /mnt/ /media/ /home/ /root/ /srv/ /proc/"  # noqa: S108
WRITABLE = tuple(_WRITABLE.split())
_MANAGERS = (
    "apt apt-get aptitude dpkg dpkg-deb dpkg-preconfigure apk yum dnf dnf-3 microdnf rpm zypper pacman tdnf "
    "unattended-upgr unattended-upgrade update-alternatives"
)
MANAGERS = frozenset(_MANAGERS.split())
_RUNTIMES = (
    "runc crun youki containerd containerd-shim containerd-shim-runc-v2 dockerd docker-init docker-proxy conmon "
    "buildkitd podman buildah cri-o crio kubelet"
)
RUNTIMES = frozenset(_RUNTIMES.split())
SEALED = "memfd:runc_cloned"
"""What runc calls the copy of itself that it runs from memory."""


def own_name(process: Process) -> str:
    """The last component of the running file, or "" if it is not the image's own."""
    file = process.file
    if file is not None and (file.upper or file.memfd or file.deleted or file.fs_magic == TMPFS):
        return ""
    return "" if process.container is not None and process.exe.startswith(WRITABLE) else basename(process.exe)


def _inside(process: Process) -> list[Process]:
    """The process and its ancestors within the same container; on the host all of them."""
    found = [process]
    for parent in ancestors(process):
        if parent.container is not process.container:
            break
        found.append(parent)
    return found


def by_package_manager(process: Process) -> bool:
    """It or an ancestor is a package manager: an interpreter that runs one (dnf, unattended-upgrade) counts too."""
    container = process.container
    one: Process | None = process
    for _ in range(MAX_ANCESTORS):
        if one is None or one.container is not container:
            return False
        name = basename(one.exe)
        if (
            name in MANAGERS or (one.comm in MANAGERS and name.startswith("python") and _script_is_own(one))
        ) and own_name(one):
            return True
        one = one.parent
    return False


def _script_is_own(process: Process) -> bool:
    script = process.args[1] if len(process.args) > 1 else ""
    return script.startswith(("/usr/bin/", "/usr/sbin/", "/bin/"))


def by_runtime(process: Process) -> bool:
    """A program of a container runtime; inside a container one of a nested runtime that came with the image."""
    if own_name(process) in RUNTIMES:
        return True
    if SEALED not in process.exe:
        return False
    return process.container is None or any(own_name(parent) in RUNTIMES for parent in _inside(process)[1:])


def _names(event: Event) -> tuple[str, ...]:
    return tuple(name for parent in _inside(event.process)[1:] if (name := own_name(parent)))


ALL = (
    Field("proc.own_name", "text", lambda e: own_name(e.process) or None, "its file's name if it is the image's own"),
    Field("proc.own_anames", "many", _names, "the same of the ancestors within the container"),
    Field("proc.by_package_manager", "flag", lambda e: by_package_manager(e.process), "a package manager does this"),
    Field("proc.by_runtime", "flag", lambda e: by_runtime(e.process), "a container runtime does this"),
)
