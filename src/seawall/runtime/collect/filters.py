"""`Plan.filters` as what the kernel side keeps: keys of its maps and its settings. Pure; the forms are in bpf/maps.h
and bpf/events.h."""

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from seawall.core.errors import SeawallError
from seawall.runtime import syscalls
from seawall.runtime.model import Kind
from seawall.runtime.normalise import NUMBERS

MAX_FILTER = 255
MAX_NAME = 64
LIMITS = {
    **{"open_paths": 256, "open_prefixes": 128, "open_names": 192},
    **{"read_paths": 256, "read_prefixes": 128, "read_names": 192},
}
ALWAYS = frozenset([Kind.EXEC, Kind.EXIT, Kind.FORK])
SIZES = {
    **{"open_paths": 4 + MAX_FILTER + 1, "read_paths": 4 + MAX_FILTER + 1},
    **{"names": MAX_NAME, "block_names": MAX_NAME},
}
"""Bytes of one key of each map."""
OPEN_NAME, READ_NAME, OPEN_PATH, READ_PATH = 1, 2, 4, 8
"""What a last component is wanted for (enum name_bit)."""
OWN_KINDS = {
    **dict.fromkeys(("connect",), Kind.CONNECT),
    **dict.fromkeys(("dup", "dup2", "dup3"), Kind.DUP),
    **dict.fromkeys(("setns",), Kind.SETNS),
    **dict.fromkeys(("unshare",), Kind.UNSHARE),
    **dict.fromkeys(("ptrace",), Kind.PTRACE),
    **dict.fromkeys(("mount",), Kind.MOUNT),
    **dict.fromkeys(("sendto", "sendmsg", "sendmmsg"), Kind.SEND),
}
"""Calls that have a record of their own: who names them gets that."""
OPENS = ("open", "openat", "openat2", "creat")
_HANDLED = {
    **{Kind.OPEN: OPENS, Kind.READ: OPENS, Kind.CONNECT: ("connect",), Kind.DUP: ("dup", "dup2", "dup3", "fcntl")},
    **{Kind.SETNS: ("setns",), Kind.UNSHARE: ("unshare",), Kind.PTRACE: ("ptrace",), Kind.MOUNT: ("mount",)},
    **{Kind.SEND: ("sendto", "sendmsg", "sendmmsg", "write")},
}
_BITS = struct.Struct("<I")
SETTINGS = struct.Struct(f"<12I32s{syscalls.LIMIT}I{syscalls.LIMIT}H")
"""struct settings."""
ASLEEP_AT = 10 * 4
"""Where settings say that the agent waits for the next event: one byte is enough."""

Keys = dict[bytes, int]


def keys(filters: Mapping[str, Any]) -> dict[str, Keys]:
    """Map name to keys and their values. Raises SeawallError when a plan has more than the kernel side holds."""
    for name, limit in LIMITS.items():
        if len(filters.get(name, ())) > limit:
            raise SeawallError(f"the plan has {len(filters[name])} {name}, the sensor takes {limit}")
    shells = filters.get("block", {}).get("reverse_shell", {}).get("names", ())
    names: Keys = {}
    for kind, by_name, by_path in (("open", OPEN_NAME, OPEN_PATH), ("read", READ_NAME, READ_PATH)):
        _mark(names, filters.get(f"{kind}_names", ()), by_name)
        _mark(names, (path.rpartition("/")[2] for path in filters.get(f"{kind}_paths", ())), by_path)
    return {
        "open_paths": _paths(filters, "open"),
        "read_paths": _paths(filters, "read"),
        "names": names,
        "block_names": {name_key(name): 1 for name in shells},
    }


def kinds(filters: Mapping[str, Any]) -> frozenset[Kind]:
    """What the kernel side is to send."""
    named = {*filters.get("syscalls", ()), *filters.get("syscalls_host", ())}
    own = {OWN_KINDS[name] for name in named if name in OWN_KINDS}
    return ALWAYS | own | {Kind(kind) for kind in filters.get("kinds", ())}


def settings(filters: Mapping[str, Any], enforce: bool, self_pid: int) -> bytes:
    """`struct settings` for a plan. Raises SeawallError when it names a system call that nobody knows."""
    wanted = kinds(filters)
    everywhere = filters.get("open_scope") == "all"
    folders = [kind for kind, name in ((Kind.OPEN, "open_prefixes"), (Kind.READ, "read_prefixes")) if filters.get(name)]
    named = {*filters.get("syscalls", ()), *filters.get("syscalls_host", ())}
    head = (
        *(_bits(wanted), int(enforce), self_pid, int(everywhere)),
        *(int(filters.get("read_scope", "all" if everywhere else "container") == "all"),),
        *(_bits(Kind(kind) for kind in filters.get("wide", ())), _bits(folders), int(bool(filters.get("samples")))),
        *(int(bool(named & {"sendto", "sendmsg", "sendmmsg"})), int(bool(filters.get("environment"))), 1, 0),
    )
    return SETTINGS.pack(*head, _read_heads(filters), *_calls(filters, wanted), *_compat())


def path_key(path: str, whole: bool) -> bytes:
    """A key of the trie: a prefix, or with its closing zero one exact path. What is too long is cut, never lost."""
    data = path.encode("utf-8", "surrogateescape") + (b"\0" if whole else b"")
    data = data[:MAX_FILTER]
    return _BITS.pack(len(data) * 8) + data.ljust(MAX_FILTER + 1, b"\0")


def name_key(name: str) -> bytes:
    """A last component, as the kernel side compares it: at most MAX_NAME bytes with a closing zero."""
    return name.encode("utf-8", "surrogateescape")[: MAX_NAME - 1].ljust(MAX_NAME, b"\0")


def _read_heads(filters: Mapping[str, Any]) -> bytes:
    """The bits of all names whose reading is wanted: where none is set, no such name can be."""
    bits = 0
    paths = (path.rpartition("/")[2] for path in filters.get("read_paths", ()))
    for name in (*filters.get("read_names", ()), *paths):
        head = int.from_bytes(name.encode("utf-8", "surrogateescape")[:8], "little")
        bits |= 1 << (head * 0x9E3779B97F4A7C15 % (1 << 64) >> 56)
    return bits.to_bytes(32, "little")


def _mark(names: Keys, wanted: Iterable[str], bit: int) -> None:
    for name in wanted:
        key = name_key(name)
        names[key] = names.get(key, 0) | bit


def _paths(filters: Mapping[str, Any], kind: str) -> Keys:
    found = {path_key(path, whole=True): 1 for path in filters.get(f"{kind}_paths", ())}
    return found | {path_key(prefix, whole=False): 1 for prefix in filters.get(f"{kind}_prefixes", ())}


def _bits(wanted: Iterable[Kind]) -> int:
    return sum(1 << NUMBERS[kind] for kind in set(wanted) if kind in NUMBERS)


def _calls(filters: Mapping[str, Any], wanted: frozenset[Kind]) -> list[int]:
    """One number for each system call: enum call_form."""
    calls = [0] * syscalls.LIMIT
    for names, bit in (("syscalls", syscalls.WANTED_CONTAINER), ("syscalls_host", syscalls.WANTED_HOST)):
        for name in filters.get(names, ()):
            if name in OWN_KINDS or name in OPENS:
                continue
            if name not in syscalls.NUMBERS:
                raise SeawallError(f"the plan names a system call that is not known: {name!r}")
            calls[syscalls.NUMBERS[name]] |= syscalls.form(name) | bit
    handled = {name for kind in wanted for name in _HANDLED.get(kind, ())}
    if filters.get("samples"):
        handled |= set(OPENS)
    marks = [(handled, syscalls.HANDLED), (syscalls.CREDENTIALS, syscalls.MAY_CHANGE)]
    if Kind.CRED in wanted:
        marks.append((syscalls.GUARDED, syscalls.CHECKED))
    for marked, bit in marks:
        for name in marked:
            calls[syscalls.NUMBERS[name]] |= bit
    return calls


def _compat() -> list[int]:
    """The 64-bit number of each 32-bit call that matters, 0 for the others."""
    found = [number if number in syscalls.NAMES and number >= 403 else 0 for number in range(syscalls.LIMIT)]
    for number, name in syscalls.COMPAT.items():
        found[number] = syscalls.NUMBERS[name]
    return found
