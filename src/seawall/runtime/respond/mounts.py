"""A container's mounts, seen through /proc: which of them can be marked, and the layers below its root.

Standard library only and light: the guard, a small process, imports it.
"""

import os

_UNMARKED = frozenset(
    ["proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts", "devtmpfs", "securityfs", "debugfs", "tracefs", "bpf"]
)
"""File systems that hold no programs."""
_OVERLAYS = frozenset(["overlay", "fuse.fuse-overlayfs"])
MAX_MOUNTS = 256
"""Of one container."""


class Mount:
    """One line of mountinfo."""

    __slots__ = ("dev", "options", "point", "type")

    def __init__(self, line: str) -> None:
        left, _, right = line.partition(" - ")
        fields, rest = left.split(), right.split()
        self.dev, self.point = fields[2], unescape(fields[4])
        self.type, self.options = rest[0], rest[2] if len(rest) > 2 else ""


def mounts_of(pid: int | str) -> list[Mount]:
    """The mounts in the namespace of a process. Raises OSError when it is gone."""
    with open(f"/proc/{pid}/mountinfo", "rb") as file:
        lines = file.read(4 << 20).decode("utf-8", "surrogateescape").splitlines()
    return [Mount(line) for line in lines]


def markable(mounts: list[Mount]) -> list[Mount]:
    """Those that programs may lie on, at most MAX_MOUNTS."""
    return [mount for mount in mounts if mount.type not in _UNMARKED][:MAX_MOUNTS]


def private(mount: Mount, host: frozenset[str]) -> bool:
    """Whether the file system is the container's alone, so that marking it whole touches nobody else.

    An overlay is made for one container (the daemon's own mount of it shows the same files); a tmpfs is, unless the
    host has it mounted too.
    """
    return mount.type in _OVERLAYS or (mount.type == "tmpfs" and mount.dev not in host)


def devices(mounts: list[Mount]) -> frozenset[str]:
    """major:minor of each."""
    return frozenset(mount.dev for mount in mounts)


def number(dev: str) -> int:
    """st_dev of a major:minor."""
    major, _, minor = dev.partition(":")
    return os.makedev(int(major), int(minor))


def layers(mounts: list[Mount]) -> list[str]:
    """Folders of the host that hold the image's files below an overlay root, uppermost first; none on other roots."""
    root = [mount for mount in mounts if mount.point == "/"]
    if not root or root[-1].type != "overlay":
        return []
    for option in root[-1].options.split(","):
        if option.startswith("lowerdir="):
            return [unescape(path).replace("\\:", ":") for path in option[9:].split(":") if path]
    return []


def upper(mounts: list[Mount]) -> str:
    """The folder of the host that holds what the container wrote, or "" on another root than an overlay."""
    for mount in reversed(mounts):
        if mount.point == "/" and mount.type == "overlay":
            for option in mount.options.split(","):
                if option.startswith("upperdir="):
                    return unescape(option[9:])
    return ""


def check_apart(pid: int) -> None:
    """Raises OSError unless a process has mounts of its own and another root: the host's are never marked."""
    if os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt"):
        raise OSError("it shares the host's mounts")
    root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if os.path.samestat(os.fstat(root), os.lstat("/")):
            raise OSError("its root is the host's")
    finally:
        os.close(root)


def unescape(text: str) -> str:
    """mountinfo writes blanks, tabs, newlines and backslashes as octal numbers."""
    if "\\" not in text:
        return text
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text
