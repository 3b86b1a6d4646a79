"""What is known of a Docker daemon: what it says of itself, and the configuration it really runs with.

The configuration is that of the process which answers on this socket (SO_PEERCRED), not of whichever dockerd is newest:
defaults, then its daemon.json, then its own flags.
"""

import json
import os
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from seawall.baseline.model import Fact
from seawall.core.errors import SeawallError
from seawall.node import procfs
from seawall.node.docker import Docker

Reader = Callable[[Any], Any]
"""From an answer of the daemon to a fact; LookupError, TypeError or AttributeError when it is not there."""
MAX_CONFIG = 1 << 20
ICC = "com.docker.network.bridge.enable_icc"
LISTEN = "0A"
SWARM = (2377, 7946)
"""Ports of Swarm itself, which asks for certificates always."""
_FLAGS = {
    "log_level": ("log-level", "info"),
    "iptables": ("iptables", True),
    "cgroup_parent": ("cgroup-parent", ""),
    "storage_options": ("storage-opts", []),
    "default_ulimits": ("default-ulimits", {}),
    "no_new_privileges": ("no-new-privileges", False),
    "userland_proxy": ("userland-proxy", True),
    "seccomp_profile": ("seccomp-profile", "builtin"),
    "tls_verify": ("tlsverify", False),
    "tls_ca": ("tlscacert", ""),
    "tls_cert": ("tlscert", ""),
    "tls_key": ("tlskey", ""),
}
"""Fact → (name of the setting, what the daemon does without it). Flags that may come often drop their plural s."""
_OFTEN = {"storage-opts": "storage-opt", "default-ulimits": "default-ulimit", "hosts": "host"}
_SHORT = {"-H": "host", "-s": "storage-driver", "-l": "log-level", "-D": "debug", "-g": "data-root"}
_SWITCHES = frozenset(
    [
        *("debug", "experimental", "icc", "init", "ip-forward", "ip-masq", "ip6tables", "iptables", "ipv6"),
        *("live-restore", "no-new-privileges", "raw-logs", "selinux-enabled", "tls", "tlsverify", "userland-proxy"),
    ]
)
"""Flags that take their value only after an equal sign."""


def facts(docker: Docker) -> dict[str, Fact]:
    """All facts of `docker_host`; each that could not be read says why."""
    found = _said(docker)
    try:
        pid = _daemon(docker.path)
        settings = _settings(pid)
    except (SeawallError, OSError, ValueError, RecursionError) as error:
        where = "the daemon's configuration"
        return found | {name: Fact(None, where, str(error)) for name in (*_FLAGS, "tcp_listeners")}
    for name, (setting, default) in _FLAGS.items():
        value, where = settings.get(setting, (default, "default"))
        found[name] = Fact(_options(value) if name == "storage_options" else value, where)
    found["tcp_listeners"] = Fact(sorted(set(_listeners(pid, settings))), f"listening sockets of pid {pid}, hosts")
    return found


def find(path: str) -> int | None:
    """The pid of the daemon that answers on the socket, or None when that cannot be told."""
    try:
        return _daemon(path)
    except (SeawallError, OSError):
        return None


def _said(docker: Docker) -> dict[str, Fact]:
    """What /info, /version and the default network say; what they leave out is not known."""
    found = _asked(docker, "/info", _INFO) | _asked(docker, "/version", {"version": (".Version", _text("Version"))})
    found |= _asked(docker, "/networks/bridge", {"bridge_icc": (f".Options[{ICC}]", _icc)})
    return found


def _asked(docker: Docker, path: str, readers: Mapping[str, tuple[str, Reader]]) -> dict[str, Fact]:
    said, error = None, ""
    try:
        said = docker.get(path)
    except SeawallError as problem:
        error = str(problem)
    found = {}
    for name, (place, read) in readers.items():
        where = f"GET {path} {place}"
        try:
            found[name] = Fact(None, where, error) if error else Fact(read(said), where)
        except (LookupError, TypeError, AttributeError) as problem:
            found[name] = Fact(None, where, f"the daemon does not say it: {problem!r}")
    return found


def _text(name: str) -> Reader:
    return lambda said: str(said[name])


def _flag(name: str) -> Reader:
    return lambda said: bool(said[name])


def _option(name: str) -> Reader:
    return lambda said: any(str(one).startswith(name) for one in said["SecurityOptions"])


def _icc(said: Any) -> bool:
    options = said["Options"]
    return str(options.get(ICC, "true")) == "true"


def _insecure(said: Any) -> list[str]:
    """Registries off this host that are asked without TLS."""
    registries = said["RegistryConfig"]
    networks = {str(one) for one in registries["InsecureRegistryCIDRs"] or []} - {"127.0.0.0/8", "::1/128"}
    names = {str(name) for name, index in registries["IndexConfigs"].items() if index["Secure"] is not True}
    return sorted(networks | names)


_INFO: dict[str, tuple[str, Reader]] = {
    "rootless": (".SecurityOptions", _option("name=rootless")),
    "security_options": (".SecurityOptions", lambda said: [str(one) for one in said["SecurityOptions"]]),
    "user_namespaces": (".SecurityOptions", _option("name=userns")),
    "live_restore": (".LiveRestoreEnabled", _flag("LiveRestoreEnabled")),
    "experimental": (".ExperimentalBuild", _flag("ExperimentalBuild")),
    "storage_driver": (".Driver", _text("Driver")),
    "logging_driver": (".LoggingDriver", _text("LoggingDriver")),
    "insecure_registries": (".RegistryConfig", _insecure),
    "authorization_plugins": (".Plugins.Authorization", lambda said: list(said["Plugins"]["Authorization"] or [])),
    "swarm_state": (".Swarm.LocalNodeState", lambda said: str(said["Swarm"]["LocalNodeState"])),
}
"""Fact → (where it is in /info, how it is read there)."""


def _daemon(path: str) -> int:
    """The pid of the daemon that answers on the socket. Raises SeawallError when that cannot be told."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(5)
        connected.connect(path)
        pid, _, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if _name(pid) == "dockerd":
        return int(pid)
    # The socket was opened by systemd and handed over: then the daemon is told only if there is but one.
    daemons = [one for one in procfs.pids() if _name(one) == "dockerd"]
    if len(daemons) != 1:
        raise SeawallError(f"which of {len(daemons)} dockerd processes answers on {path} cannot be told")
    return daemons[0]


def _name(pid: int) -> str:
    return (procfs.link(pid, "exe") or "").removesuffix(" (deleted)").rpartition("/")[2] if pid > 0 else ""


def _settings(pid: int) -> dict[str, tuple[Any, str]]:
    """Setting → (value, where it was read); flags win over the file, as in the daemon itself."""
    flags = _flags(procfs.cmdline(pid)[1:])
    named = flags.get("config-file", (["/etc/docker/daemon.json"], ""))[0]
    path = str(named[-1] if isinstance(named, list) else named)
    found: dict[str, tuple[Any, str]] = {}
    text = _read(pid, path)
    if text is not None:
        value = json.loads(text)
        if not isinstance(value, dict):
            raise SeawallError(f"{path} holds no object")
        found = {str(key): (one, path) for key, one in value.items()}
    for name, (values, where) in flags.items():
        plural = next((many for many, one in _OFTEN.items() if one == name), "")
        found[plural or name] = (values if plural else values[-1], where)
    return found


def _flags(arguments: list[str]) -> dict[str, tuple[list[Any], str]]:
    found: dict[str, tuple[list[Any], str]] = {}
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        name, equal, text = word.partition("=")
        name = _SHORT.get(name, name.lstrip("-"))
        if not word.startswith("-"):
            continue
        value: Any = text
        if name in _SWITCHES:
            value = text.lower() not in ("false", "0") if equal else True
        elif not equal and at < len(arguments) and not arguments[at].startswith("-"):
            value = arguments[at]
            at += 1
        found.setdefault(name, ([], f"/proc cmdline {word.partition('=')[0]}"))[0].append(value)
    return found


def _read(pid: int, path: str) -> str | None:
    """A file as the daemon sees it; None when there is none."""
    try:
        descriptor = os.open(f"/proc/{pid}/root{path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MAX_CONFIG + 1)
    if len(data) > MAX_CONFIG:
        raise SeawallError(f"{path} is over {MAX_CONFIG} bytes")
    return data.decode("utf-8", "replace")


def _listeners(pid: int, settings: Mapping[str, tuple[Any, str]]) -> Iterator[str]:
    """TCP addresses of the API: those of `hosts`, and where sockets were handed over (fd://) what these really are."""
    named = settings.get("hosts", ([], ""))[0]
    hosts = [str(host) for host in (named if isinstance(named, list) else [named])]
    # A host without a scheme is TCP for the daemon.
    yield from (host for host in hosts if host.partition("://")[0] not in ("unix", "fd", "npipe"))
    if not any(host.startswith("fd://") for host in hosts):
        return  # a daemon listens on other ports too (Swarm, metrics, published ports): they are not its API
    own = {target for number in _descriptors(pid) if (target := procfs.link(pid, f"fd/{number}"))}
    for family in ("tcp", "tcp6"):
        for line in (procfs.read(pid, f"net/{family}") or b"").decode().splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == LISTEN and f"socket:[{fields[9]}]" in own:
                port = int(fields[1].rpartition(":")[2], 16)
                if port not in SWARM:
                    yield f"{family}:{port}"


def _descriptors(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []


def _options(value: Any) -> list[dict[str, str]]:
    texts = [str(one) for one in value] if isinstance(value, list) else []
    return [{"name": text.partition("=")[0], "value": text.partition("=")[2]} for text in texts]
