"""What is known of a running container: what was declared (Engine API) and what holds (/proc of its first process)."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.baseline.model import Fact
from seawall.node import procfs

MAX_ITEMS = 500
"""Mounts, ports, devices … of one container that are looked at; more is "not checked", for the worst may come last."""
NOT_RUNNING = "the container does not run"
_MAY_LACK = frozenset(["image_tagged", "cpu_limit", "healthcheck", "exposed_ports", "device_requests"])
SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/podman/podman.sock",
)
"""Where runtimes usually listen; a daemon that is asked elsewhere is added."""
_NO_LIMIT = 1 << 60
"""Control groups of version 1 write a number beyond this when there is no limit."""
# fmt: off
CAPABILITIES = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
]
# fmt: on
"""By their number: include/uapi/linux/capability.h."""


@dataclass(frozen=True, slots=True)
class Host:
    """What is read once for all containers of a host."""

    daemon: int
    """Pid of the runtime: what it calls the host's namespaces are its own."""
    sockets: tuple[str, ...]
    """Where runtimes listen, links followed."""
    programs: Mapping[str, list[str]]
    """Container → names of the programs that run in it."""
    data_root: str = ""
    """Where the runtime keeps images and containers, links followed; "" when it does not say."""


def host(daemon: int, path: str, data_root: str) -> Host:
    """Read it; `path` is the socket that is asked now: neither has to lie where it usually does."""
    sockets = sorted({os.path.realpath(one) for one in (path, *SOCKETS)})
    return Host(daemon, tuple(sockets), _programs(), os.path.realpath(data_root) if data_root else "")


def facts(found: Mapping[str, Any], tags: Sequence[str], host: Host) -> dict[str, Fact]:
    """All facts of `container` from its inspection; `tags` are those that its image has now."""
    pid = _int(_map(found.get("State")).get("Pid"))
    identity = str(found.get("Id") or "")
    return _declared(found, tags, host) | _real(pid, identity, host)


def _declared(found: Mapping[str, Any], tags: Sequence[str], on: Host) -> dict[str, Fact]:
    config, host = _map(found.get("Config")), _map(found.get("HostConfig"))
    network, restart = _map(found.get("NetworkSettings")), _map(host.get("RestartPolicy"))
    security = [{"value": str(one)} for one in _list(host.get("SecurityOpt"))]
    values: dict[str, tuple[Callable[[], Any], str]] = {
        "image": (lambda: str(config.get("Image") or ""), ".Config.Image"),
        "image_tagged": (
            lambda: str(config.get("Image") or "") in tags or f"{config.get('Image')}:latest" in tags,
            "image tags",
        ),
        "privileged": (lambda: bool(host.get("Privileged")), ".HostConfig.Privileged"),
        "capabilities_added": (lambda: [_capability(one) for one in _list(host.get("CapAdd"))], ".HostConfig.CapAdd"),
        "security_options": (lambda: security, ".HostConfig.SecurityOpt"),
        "apparmor_profile": (lambda: str(found.get("AppArmorProfile") or ""), ".AppArmorProfile"),
        "process_label": (lambda: str(found.get("ProcessLabel") or ""), ".ProcessLabel"),
        "no_new_privileges_set": (
            lambda: any(
                one["value"].startswith("no-new-privileges") and "false" not in one["value"] for one in security
            ),
            ".HostConfig.SecurityOpt",
        ),
        "mounts": (lambda: [_mount(one, on) for one in _list(found.get("Mounts"))], ".Mounts"),
        "published_ports": (lambda: _ports(_map(network.get("Ports"))), ".NetworkSettings.Ports"),
        "exposed_ports": (lambda: _list(sorted(map(str, _map(config.get("ExposedPorts"))))), ".Config.ExposedPorts"),
        "network_mode": (lambda: str(host.get("NetworkMode") or ""), ".HostConfig.NetworkMode"),
        "memory_limit": (lambda: _int(host.get("Memory")), ".HostConfig.Memory"),
        "cpu_limit": (
            lambda: {key: value for key in ("NanoCpus", "CpuShares", "CpuQuota") if (value := _int(host.get(key))) > 0},
            ".HostConfig.NanoCpus, .CpuShares, .CpuQuota",
        ),
        "readonly_root": (lambda: bool(host.get("ReadonlyRootfs")), ".HostConfig.ReadonlyRootfs"),
        "restart_policy": (lambda: str(restart.get("Name") or ""), ".HostConfig.RestartPolicy.Name"),
        "restart_retries": (
            lambda: _int(restart.get("MaximumRetryCount")),
            ".HostConfig.RestartPolicy.MaximumRetryCount",
        ),
        "pid_mode": (lambda: str(host.get("PidMode") or ""), ".HostConfig.PidMode"),
        "ipc_mode": (lambda: str(host.get("IpcMode") or ""), ".HostConfig.IpcMode"),
        "uts_mode": (lambda: str(host.get("UTSMode") or ""), ".HostConfig.UTSMode"),
        "userns_mode": (lambda: str(host.get("UsernsMode") or ""), ".HostConfig.UsernsMode"),
        "devices": (
            lambda: [str(_map(one).get("PathOnHost")) for one in _list(host.get("Devices"))],
            ".HostConfig.Devices",
        ),
        "device_requests": (lambda: _list(host.get("DeviceRequests")), ".HostConfig.DeviceRequests"),
        "ulimits": (lambda: _list(host.get("Ulimits")), ".HostConfig.Ulimits"),
        "cgroup_parent": (lambda: str(host.get("CgroupParent") or ""), ".HostConfig.CgroupParent"),
        "healthcheck": (lambda: _list(_map(config.get("Healthcheck")).get("Test")), ".Config.Healthcheck.Test"),
        "pids_limit": (lambda: max(_int(host.get("PidsLimit")), 0), ".HostConfig.PidsLimit"),
        "networks": (lambda: _list(sorted(map(str, _map(network.get("Networks"))))), ".NetworkSettings.Networks"),
        "user": (lambda: str(config.get("User") or ""), ".Config.User"),
    }
    return {name: _declaration(found, name, read, where) for name, (read, where) in values.items()}


def _declaration(found: Mapping[str, Any], name: str, read: Callable[[], Any], where: str) -> Fact:
    """A fact of the inspection. A key that the runtime leaves out is not known, unless leaving it out means none."""
    place = f"GET /containers/ID/json {where}"
    at: Any = found
    for key in () if name in _MAY_LACK else where.strip(".").split("."):
        if not isinstance(at, Mapping) or key not in at:
            return Fact(None, place, "the runtime does not say it")
        at = at[key]
    try:
        return Fact(read(), place)
    except (ValueError, TypeError) as error:
        return Fact(None, place, f"cannot be read: {error}")


def _real(pid: int, identity: str, on: Host) -> dict[str, Fact]:
    """What the kernel says of the first process; whatever of it has ended meanwhile is not known."""
    start = procfs.start_ticks(pid) if pid else None
    status = procfs.status(pid) if pid and procfs.container_of(pid) in (None, identity) else None
    readers: dict[str, tuple[str, Callable[[], Any]]] = {
        "capabilities_bounding": ("status CapBnd", lambda: _names(int(_of(status, "CapBnd"), 16))),
        "seccomp_mode": ("status Seccomp", lambda: int(_of(status, "Seccomp"))),
        "no_new_privileges": ("status NoNewPrivs", lambda: _of(status, "NoNewPrivs") == "1"),
        "uid": ("status Uid (effective, on the host)", lambda: int(_of(status, "Uid").split()[1])),
        "apparmor_confined": ("attr/current", lambda: _confined(pid)),
        "root_is_host_root": ("uid_map", lambda: _needed(procfs.read(pid, "uid_map")).split()[:2] == [b"0", b"0"]),
        "programs": ("exe of its processes", lambda: _list(on.programs[identity])),
        "listening_ports": ("net/tcp, net/tcp6", lambda: _list(sorted(_listening(pid)))),
        "memory_limit_real": ("its control group", lambda: _memory(pid)),
    }
    for name, kind in (("host_network", "net"), ("host_pid", "pid"), ("host_ipc", "ipc"), ("host_uts", "uts")):
        readers[name] = (f"ns/{kind}", _shares(pid, on.daemon, kind))
    found = {
        "apparmor_available": Fact(_on("/sys/module/apparmor/parameters/enabled", "Y"), "/sys/module/apparmor"),
        "selinux_available": Fact(Path("/sys/fs/selinux/enforce").exists(), "/sys/fs/selinux"),
    }
    for name, (place, read) in readers.items():
        where = f"/proc/{pid or 'PID'}/{place}"
        if status is None:
            found[name] = Fact(None, where, NOT_RUNNING)
            continue
        try:
            found[name] = Fact(read(), where)
        except (OSError, ValueError, LookupError) as error:
            found[name] = Fact(None, where, f"cannot be read: {error}")
    if status is not None and procfs.start_ticks(pid) != start:  # the pid went to somebody else while we read
        return found | {name: Fact(None, f"/proc/{pid}", NOT_RUNNING) for name in readers}
    return found


def _of(status: Mapping[str, str] | None, name: str) -> str:
    return (status or {})[name]


def _names(bits: int) -> list[str]:
    known = [name for number, name in enumerate(CAPABILITIES) if bits >> number & 1]
    return known + [f"CAP_{number}" for number in range(len(CAPABILITIES), 64) if bits >> number & 1]


def _shares(pid: int, daemon: int, kind: str) -> Callable[[], bool]:
    def read() -> bool:
        own, host = procfs.namespace(pid, kind), procfs.namespace(daemon, kind)
        if own is None or host is None:
            raise LookupError("the namespace cannot be told")
        return own == host

    return read


def _confined(pid: int) -> bool:
    for name in ("attr/apparmor/current", "attr/current"):
        text = procfs.read(pid, name)
        if text:
            return not text.startswith(b"unconfined")
    raise LookupError("the kernel says nothing of it")


def _needed(body: bytes | None) -> bytes:
    if body is None:
        raise LookupError("the kernel says nothing of it")
    return body


def _programs() -> dict[str, list[str]]:
    """Container → its programs, by what is executed and not by what they call themselves."""
    found: dict[str, set[str]] = {}
    for pid in procfs.pids():
        inside = procfs.container_of(pid)
        if inside is not None and (exe := procfs.link(pid, "exe")):
            found.setdefault(inside, set()).add(exe.removesuffix(" (deleted)").rpartition("/")[2])
    return {inside: sorted(names) for inside, names in found.items()}


def _listening(pid: int) -> set[int]:
    """TCP ports on which anything in the container's network listens."""
    found = set()
    for family in ("tcp", "tcp6"):
        for line in (procfs.read(pid, f"net/{family}") or b"").splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[3] == b"0A":
                found.add(int(fields[1].rpartition(b":")[2], 16))
    return found


def _memory(pid: int) -> int:
    """The limit that the kernel enforces on its own control group; 0 for none."""
    for line in _needed(procfs.read(pid, "cgroup")).decode("utf-8", "surrogateescape").splitlines():
        _number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            value = int(Path(f"/sys/fs/cgroup/memory{path}/memory.limit_in_bytes").read_text())
            return 0 if value >= _NO_LIMIT else value
        if not controllers and (file := Path(f"/sys/fs/cgroup{path}/memory.max")).exists():
            text = file.read_text().strip()
            return 0 if text == "max" else int(text)
    raise LookupError("no control group limits its memory")


def _on(path: str, word: str) -> bool:
    try:
        return Path(path).read_text().strip() == word
    except OSError:
        return False


def _capability(name: Any) -> str:
    return str(name).upper().removeprefix("CAP_")


def _mount(found: Any, on: Host) -> dict[str, Any]:
    """A mount; `host_path` only where it shows a folder of the host, links followed: a volume is not one."""
    item = _map(found)
    source, bind = str(item.get("Source") or ""), item.get("Type") == "bind"
    real = os.path.realpath(source) if bind and source.startswith("/") else None
    writable = bool(item.get("RW"))
    return {
        "type": str(item.get("Type") or ""),
        "source": source,
        "destination": str(item.get("Destination") or ""),
        "writable": writable,
        "propagation": str(item.get("Propagation") or ""),
        "host_path": real,
        "writable_host_path": real if writable else None,
        "sockets": [one for one in on.sockets if real is not None and _shows(real, one)],
        "data_root": real is not None and bool(on.data_root) and _shows(real, on.data_root),
    }


def _shows(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _ports(ports: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _list(
        [
            {"port": name, "host_ip": str(_map(one).get("HostIp") or ""), "host_port": _int(_map(one).get("HostPort"))}
            for name, bindings in ports.items()
            for one in _list(bindings)
        ]
    )


def _map(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping | None):
        raise TypeError(f"an object was expected, not {type(value).__name__}")
    return value or {}


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | None):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    if value and len(value) > MAX_ITEMS:
        raise ValueError(f"it has {len(value)} members, over {MAX_ITEMS}")
    return value or []


def _int(value: Any) -> int:
    return int(value) if isinstance(value, int | str) and str(value).lstrip("-").isdigit() else 0
