"""container.*: how a container was started, and what that puts within its reach."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from seawall.runtime.detect.fields.form import Field, Getter
from seawall.runtime.model import Container, Event, Mount

FOLDERS = ("/etc", "/root", "/proc", "/sys", "/dev", "/boot", "/run", "/var/run", "/var/log", "/home", "/usr", "/lib")
"""Folders of the host that hold its accounts, its programs or its devices …"""
INSIDE = ("/etc", "/root", "/proc", "/sys", "/boot", "/var/lib/docker", "/var/lib/kubelet", "/var/lib/containerd")
"""… and those of which any part does."""
HARMLESS = (
    *("/etc/localtime", "/etc/timezone", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/etc/machine-id"),
    *("/etc/ssl/certs", "/etc/pki", "/etc/ca-certificates", "/etc/os-release", "/etc/nsswitch.conf"),
)
VOLUMES = ("/var/lib/docker/volumes/", "/var/lib/kubelet/pods/", "/var/lib/containerd/io.containerd.grpc.v1.cri/")
"""Where runtimes keep what belongs to containers."""
_STRONG = (
    "CAP_ALL CAP_SYS_ADMIN CAP_SYS_MODULE CAP_SYS_PTRACE CAP_SYS_RAWIO CAP_DAC_READ_SEARCH CAP_BPF CAP_PERFMON "
    "CAP_SYS_BOOT CAP_SYS_TIME CAP_NET_ADMIN CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_SYSLOG CAP_LINUX_IMMUTABLE "
    "CAP_CHECKPOINT_RESTORE"
)
STRONG = frozenset(_STRONG.split())
"""Capabilities with which a container reaches the host or its neighbours."""
DEVICES = (
    "/dev/mem",
    "/dev/kmem",
    "/dev/port",
    "/dev/sd",
    "/dev/vd",
    "/dev/xvd",
    "/dev/nvme",
    "/dev/dm-",
    "/dev/mapper/",
    "/dev/loop",
    "/dev/md",
    "/dev/mmcblk",
)


def is_sensitive(mount: Mount) -> bool:
    """Whether what was mounted from the host gives power over it. A runtime's socket counts apart."""
    source = mount.source.rstrip("/") or "/"
    if mount.type != "bind" or source in HARMLESS or source.startswith(VOLUMES) or is_socket(mount):
        return False
    if source == "/" or source in FOLDERS or source == "/var":
        return True
    return any(source == folder or source.startswith(folder + "/") for folder in INSIDE)


def is_socket(mount: Mount) -> bool:
    """Whether it is a runtime's socket, or the folder it lies in."""
    return mount.source.endswith(".sock") and any(
        name in mount.source for name in ("docker", "containerd", "crio", "podman", "cri-dockerd", "kubelet")
    )


def _of(read: Callable[[Container], Any]) -> Getter:
    def get(event: Event) -> Any:
        container = event.process.container
        return None if container is None else read(container)

    return get


def _sources(mounts: Iterable[Mount], wanted: Callable[[Mount], bool]) -> tuple[str, ...]:
    return tuple(mount.source for mount in mounts if wanted(mount))


def _image_key(container: Container) -> str:
    return container.image_digest or container.image_id or container.image


_DRAWN = re.compile(r"^[a-z]+_[a-z]+\d?$")
_NUMBERED = re.compile(r"([-_.])(?:[0-9]+|[0-9a-f]{5,10}|[a-z0-9]{5})$")


def workload(container: Container) -> str:
    """What a container is one of: its pod's or its own name without the parts that are drawn or counted."""
    name = container.pod or container.name
    if not container.pod and _DRAWN.match(name):
        return ""
    for _ in range(2 if container.pod else 1):
        name = _NUMBERED.sub("", name)
    return name


def _strong(container: Container) -> tuple[str, ...]:
    return tuple(name for name in container.caps if name in STRONG)


def _devices(container: Container) -> tuple[str, ...]:
    return tuple(path for path in container.devices if path.startswith(DEVICES))


def _writable(container: Container) -> tuple[str, ...]:
    return _sources(container.mounts, lambda mount: mount.writable and is_sensitive(mount))


def _readable(container: Container) -> tuple[str, ...]:
    return _sources(container.mounts, lambda mount: not mount.writable and is_sensitive(mount))


def _f(name: str, read: Callable[[Container], Any], about: str, type: str = "many") -> Field:
    return Field(name, type, _of(read), about, identity=True)


ALL = (
    _f("container.image.key", _image_key, "the image's digest, else its id, else its name", "text"),
    _f("container.workload", workload, "its pod's or own name without what is drawn or counted", "text"),
    _f("container.caps", lambda c: c.caps, "capabilities added to the default"),
    _f("container.strong_caps", _strong, "those of them that reach beyond the container"),
    _f("container.host_namespaces", lambda c: c.host_namespaces, "namespaces shared with the host"),
    _f("container.unconfined", lambda c: c.unconfined, "what does not confine it: seccomp, apparmor, selinux"),
    _f("container.host_mounts", _writable, "the host's own folders it may write to"),
    _f("container.host_mounts_ro", _readable, "the host's own folders it may read"),
    _f("container.runtime_sockets", lambda c: _sources(c.mounts, is_socket), "runtime sockets mounted into it"),
    _f("container.devices", lambda c: c.devices, "devices of the host given to it"),
    _f("container.strong_devices", _devices, "those of them that are disks or memory"),
)
