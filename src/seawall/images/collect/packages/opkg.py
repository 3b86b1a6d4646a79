"""Packages of OpenWrt and Yocto: the status file of opkg, which is written as dpkg's. Source: opkg, README"""

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages import dpkg
from seawall.images.collect.packages.format import Format, Read, listed

_FOLDERS = ("usr/lib/opkg", "var/lib/opkg", "opt/lib/opkg")


def read(path: str, data: Buffer) -> Read:
    """Installed packages, or the evidence of other formats that one brought."""
    if path.endswith(".list"):
        lines = bytes(data).decode("utf-8", "surrogateescape").split("\n")
        return Read(owned=list(dpkg.owned(path, "\n".join(line.partition("\t")[0] for line in lines).encode())))
    return Read(listed(dpkg.installed(bytes(data).decode("utf-8", "replace"), "opkg", False, "opkg status")))


FORMAT = Format(
    files=tuple(f"{folder}/{name}" for folder in _FOLDERS for name in ("status", "info/*.list")),
    read=read,
    kinds=("opkg",),
    limit=32 << 20,
    fields=("name", "version", "source_name", "source_version", "arch"),
)
