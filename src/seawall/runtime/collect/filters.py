"""`Plan.filters` as keys of the kernel side's maps. Pure; the maps' forms are in bpf/maps.h."""

import struct
from collections.abc import Mapping
from typing import Any

from seawall.core.errors import SeawallError
from seawall.runtime.model import Kind

MAX_FILTER = 255
MAX_NAME = 64
LIMITS = {"open_paths": 256, "open_prefixes": 128, "open_names": 192}
ALWAYS = frozenset([Kind.EXEC, Kind.EXIT, Kind.FORK])
SIZES = {"open_paths": 4 + MAX_FILTER + 1, "open_names": MAX_NAME, "block_names": MAX_NAME}
"""Bytes of one key of each map."""
_BITS = struct.Struct("<I")


def keys(filters: Mapping[str, Any]) -> dict[str, list[bytes]]:
    """Map name to keys. Raises SeawallError when a plan has more than the kernel side holds."""
    for name, limit in LIMITS.items():
        if len(filters.get(name, ())) > limit:
            raise SeawallError(f"the plan has {len(filters[name])} {name}, the sensor takes {limit}")
    shells = filters.get("block", {}).get("reverse_shell", {}).get("names", ())
    paths = [path_key(path, whole=True) for path in filters.get("open_paths", ())]
    paths += [path_key(prefix, whole=False) for prefix in filters.get("open_prefixes", ())]
    return {
        "open_paths": paths,
        "open_names": [name_key(name) for name in filters.get("open_names", ())],
        "block_names": [name_key(name) for name in shells],
    }


def kinds(filters: Mapping[str, Any]) -> frozenset[Kind]:
    """What the kernel side is to send."""
    return ALWAYS | {Kind(kind) for kind in filters.get("kinds", ())}


def path_key(path: str, whole: bool) -> bytes:
    """A key of the trie: a prefix, or with its closing zero one exact path. What is too long is cut, never lost."""
    data = path.encode("utf-8", "surrogateescape") + (b"\0" if whole else b"")
    data = data[:MAX_FILTER]
    return _BITS.pack(len(data) * 8) + data.ljust(MAX_FILTER + 1, b"\0")


def name_key(name: str) -> bytes:
    """A last component, as the kernel side compares it: at most MAX_NAME bytes with a closing zero."""
    return name.encode("utf-8", "surrogateescape")[: MAX_NAME - 1].ljust(MAX_NAME, b"\0")
