"""Denials that the kernel side carries out by itself: forbidden programs and files, forbidden addresses.

Loaded beside the sensor and sharing its maps, only while something enforces and some blocking rule says exactly what a
table can say (detect/exact.py). Gone with the agent: nothing is pinned.
"""

import os
import struct
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import MAP_SHARED, PAGESIZE, PROT_READ, PROT_WRITE, mmap
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.node import procfs
from seawall.runtime.collect import filters, loading
from seawall.runtime.detect.exact import Denials, denials
from seawall.runtime.model import Plan
from seawall.runtime.respond.mounts import mounts_of

EXEC, OPEN, CHANGED, REFUSED_EXEC, REFUSED_OPEN = 1, 2, 3, 4, 5
"""What a process was stopped for, or refused (bpf/deny.h)."""
CALLS = {"mount": 1, "ptrace": 2}
CALL_TRIAL = 4
TRIAL = "seawall-trial-of-the-kernel"
ASK = "start it with `bpf` in its list of security modules: lsm=…,bpf"
LAST = 128
MAX_KNOWN = 1024
MAPS = {
    "deny_exec_paths": filters.SIZES["open_paths"],
    "deny_exec_names": filters.SIZES["names"],
    "deny_write_paths": filters.SIZES["open_paths"],
    "deny_write_names": filters.SIZES["names"],
    "deny_peers4": 8,
    "deny_peers6": 20,
}
"""Bytes of one key."""
_BITS = struct.Struct("<I")
_ONE = struct.Struct("<QIIQ104s")
_COUNT = struct.Struct("<Q")
_HEAD = 128
"""Bytes before the first of them."""
_SIZE = -(-(_HEAD + LAST * _ONE.size) // PAGESIZE) * PAGESIZE


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that the kernel has failed."""

    exec: bool
    """An exec; else an open for writing."""
    pid: int
    start: int
    """Of the process, ns since boot."""
    at: float
    """Seconds since boot."""
    path: str
    """The file's, at most 103 bytes of it."""


class Kernel:
    """`apply` puts a plan's denials to work; `stopped` tells whom they have stopped."""

    def __init__(self, sensor: Mapping[str, int], folder: Path = loading.FOLDER) -> None:
        """`sensor`: the descriptors of the sensor's maps."""
        self._sensor = sensor
        self._folder = folder
        self._loaded: dict[str, tuple[dict[str, int], list[int]]] = {}
        self._seen = 0
        self._stopped: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._denied: mmap | None = None
        self._networks: list[Any] = []
        self._refused: list[Refusal] = []
        self._host = procfs.namespace(1, "mnt") or procfs.namespace("self", "mnt") or 0
        self.reasons: dict[str, str] = {}
        """Object ("lsm", "deny", "egress") to the reason why it could not be loaded."""

    @property
    def on(self) -> frozenset[str]:
        """Objects that are at work."""
        return frozenset(self._loaded)

    def apply(self, plan: Plan) -> None:
        """Deny what this plan's blocking rules say exactly. What cannot be loaded is in `reasons`."""
        wanted = denials(plan)
        self._networks = _networks(wanted.peers)
        keys = keys_of(wanted, self._networks)
        files = any(keys[name] for name in MAPS if not name.startswith("deny_peers"))
        files = files or bool(wanted.marks)
        self._hold("lsm", files or bool(self._networks or wanted.calls))
        inline = "lsm" in self._loaded
        self._hold("deny", files and not inline)
        self._hold("egress", bool(self._networks) and not inline)
        if inline:
            self._set("lsm", "deny_calls", sum(CALLS.get(call, 0) for call in wanted.calls))
        holder = next((name for name in ("lsm", "deny") if name in self._loaded), "")
        if holder:
            self._set(holder, "deny_memory", self._host if "memfd" in wanted.marks else 0)
        for maps, _ in self._loaded.values():
            loading.fill({fd: (MAPS[name], dict.fromkeys(keys[name], 1)) for name, fd in maps.items() if name in MAPS})

    def refuses(self, host: str) -> bool:
        """Whether connections of containers to an address are refused."""
        if not {"egress", "lsm"} & self._loaded.keys():
            return False
        import ipaddress

        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)

    def stopped(self, pid: int, start: int) -> int:
        """Why the kernel side has killed a process (by number and start in ns since boot): EXEC, OPEN, CHANGED or 0."""
        self._read()
        return self._stopped.get((pid, start), 0)

    def refusals(self) -> list["Refusal"]:
        """What was refused inline since the last question; the processes go on."""
        self._read()
        found, self._refused = self._refused, []
        return found

    def _read(self) -> None:
        if self._denied is None:
            return
        (count,) = _COUNT.unpack_from(self._denied, 0)
        for number in range(max(self._seen, count - LAST), count):
            start, pid, kind, at, path = _ONE.unpack_from(self._denied, _HEAD + number % LAST * _ONE.size)
            if kind in (REFUSED_EXEC, REFUSED_OPEN):
                text = path.partition(b"\0")[0].decode("utf-8", "surrogateescape")
                self._refused.append(Refusal(kind == REFUSED_EXEC, pid, start, at / 1e9, text))
                continue
            self._stopped[pid, start] = kind
            if len(self._stopped) > MAX_KNOWN:
                self._stopped.popitem(last=False)
        self._seen = count

    def _set(self, name: str, what: str, value: int) -> None:
        """The one number of an object's map."""
        with mmap(self._loaded[name][0][what], PAGESIZE, MAP_SHARED, PROT_READ | PROT_WRITE) as page:
            _BITS.pack_into(page, 0, value)

    def close(self) -> None:
        """Deny nothing any more."""
        for name in list(self._loaded):
            self._hold(name, wanted=False)

    def _hold(self, name: str, wanted: bool) -> None:
        if wanted == (name in self._loaded) or (wanted and name in self.reasons):
            return  # what this kernel has refused once it refuses again
        if not wanted:
            maps, links = self._loaded.pop(name)
            if name in ("deny", "lsm") and self._denied is not None:
                self._denied.close()
                self._denied = None
            for descriptor in (*links, *maps.values()):
                os.close(descriptor)
            return
        try:
            self._loaded[name] = load(name, self._sensor, self._folder)
        except (SeawallError, OSError) as error:
            self.reasons[name] = str(error)[:300]
            return
        if name in ("deny", "lsm"):
            self._seen = 0
            self._denied = mmap(self._loaded[name][0]["denied"], _SIZE, MAP_SHARED, PROT_READ)


def load(name: str, sensor: Mapping[str, int], folder: Path = loading.FOLDER) -> tuple[dict[str, int], list[int]]:
    """Load an object beside the sensor, in a child: its own maps and its links. Raises SeawallError."""

    def work() -> tuple[dict[str, Any], list[int]]:
        from seawall.runtime.collect import libbpf

        loader = libbpf.Loader()
        loader.maps.update(sensor)
        cgroup = os.open(unified(), os.O_RDONLY | os.O_DIRECTORY) if name == "egress" else -1
        try:
            loader.add(folder / f"{name}.bpf.o", cgroup)
        except SeawallError:
            if not (folder / f"{name}.old.o").is_file():
                raise
            loader.add(folder / f"{name}.old.o", cgroup)
        own = {each: fd for each, fd in loader.maps.items() if each not in sensor}
        if name == "lsm" and not _asks(own):
            raise SeawallError("the kernel takes security programs but does not ask them", ASK)
        return {"maps": list(own)}, [*own.values(), *loader.links]

    answer, descriptors = loading.in_child(work)
    if "error" in answer:
        raise SeawallError(answer["error"], answer.get("hint", ""))
    names = answer["maps"]
    return dict(zip(names, descriptors, strict=False)), descriptors[len(names) :]


def _asks(maps: Mapping[str, int]) -> bool:
    """Whether the kernel asks what it took: for a moment, a file of a name that nothing else has must not be opened."""
    from seawall.runtime.collect import libbpf

    page = mmap(maps["deny_calls"], PAGESIZE, MAP_SHARED, PROT_READ | PROT_WRITE)
    libbpf.replace(maps["deny_write_names"], {filters.name_key(TRIAL): 1}, MAPS["deny_write_names"])
    _BITS.pack_into(page, 0, CALL_TRIAL)
    try:
        with tempfile.TemporaryDirectory() as place:
            Path(place, TRIAL).write_bytes(b"")
    except PermissionError:
        return True
    finally:
        _BITS.pack_into(page, 0, 0)
        libbpf.replace(maps["deny_write_names"], {}, MAPS["deny_write_names"])
        page.close()
    return False


def unified() -> str:
    """Where the unified hierarchy is mounted. Raises SeawallError when it is not."""
    for mount in mounts_of("self"):
        if mount.type == "cgroup2":
            return mount.point
    raise SeawallError("the unified cgroup hierarchy is not mounted", "mount -t cgroup2 none /sys/fs/cgroup/unified")


def keys_of(wanted: Denials, networks: list[Any]) -> dict[str, list[bytes]]:
    """Keys of each map."""
    found: dict[str, list[bytes]] = {}
    for what in ("exec", "write"):
        paths = [filters.path_key(path, whole=True) for path in sorted(getattr(wanted, f"{what}_paths"))]
        paths += [filters.path_key(path, whole=False) for path in sorted(getattr(wanted, f"{what}_prefixes"))]
        found[f"deny_{what}_paths"] = paths
        found[f"deny_{what}_names"] = [filters.name_key(name) for name in sorted(getattr(wanted, f"{what}_names"))]
    for version in (4, 6):
        found[f"deny_peers{version}"] = [
            _BITS.pack(network.prefixlen) + network.network_address.packed
            for network in networks
            if network.version == version
        ]
    return found


def _networks(peers: frozenset[str]) -> list[Any]:
    if not peers:
        return []
    import ipaddress

    found = []
    for peer in sorted(peers):
        try:
            found.append(ipaddress.ip_network(peer, strict=False))
        except ValueError:
            continue  # a name: the kernel side knows addresses only
    return found
