"""What runs where. One frozen dataclass per kind of asset; `id` is stable, unique within its kind on its host.

Attributes follow docs/reference/assets.md. Times are core.clock texts, sizes are bytes.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Host:
    """The node itself."""

    id: str
    """Hash of the machine id."""
    name: str
    addresses: tuple[str, ...] = ()
    os: str = ""
    os_id: str = ""
    os_version: str = ""
    kernel: str = ""
    architecture: str = ""
    cpus: int = 0
    memory: int = 0
    booted_at: str = ""
    cgroup: int = 0
    """1 or 2."""
    runtimes: tuple[dict[str, Any], ...] = ()
    """{name, version, api, socket, storage_driver, root_dir, reachable, error}"""
    containers: int = 0
    images: int = 0


@dataclass(frozen=True, slots=True)
class Container:
    """A container of any state."""

    id: str
    name: str
    state: str
    """running, paused, restarting, exited, created, dead."""
    image: str
    image_id: str
    runtime: str = "docker"
    image_digest: str = ""
    created_at: str = ""
    started_at: str = ""
    finished_at: str = ""
    exit_code: int | None = None
    pid: int = 0
    """Host pid of its first process; 0 when not running."""
    user: str = ""
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    workdir: str = ""
    privileged: bool = False
    capabilities_added: tuple[str, ...] = ()
    capabilities_dropped: tuple[str, ...] = ()
    security_options: tuple[str, ...] = ()
    readonly_root: bool = False
    restart_policy: str = ""
    memory_limit: int = 0
    cpu_limit: float = 0.0
    pids_limit: int = 0
    network_mode: str = ""
    pid_mode: str = ""
    ipc_mode: str = ""
    networks: tuple[dict[str, Any], ...] = ()
    """{name, ip4, ip6, mac, gateway}"""
    ports: tuple[dict[str, Any], ...] = ()
    """{proto, host_ip, host_port, container_port}"""
    mounts: tuple[dict[str, Any], ...] = ()
    """{type, source, destination, mode, rw, propagation, name}"""
    env_names: tuple[str, ...] = ()
    """Names only: values may be secrets."""
    labels: dict[str, str] = field(default_factory=dict)
    namespaces: dict[str, int] = field(default_factory=dict)
    pod: str = ""
    pod_namespace: str = ""
    process_count: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """A local image."""

    id: str
    """sha256:…"""
    name: str
    """First tag, or the short id."""
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    runtime: str = "docker"
    created_at: str = ""
    size: int = 0
    architecture: str = ""
    os: str = ""
    author: str = ""
    user: str = ""
    layers: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    containers: int = 0


@dataclass(frozen=True, slots=True)
class Process:
    """A process, on the host or in a container."""

    id: str
    """pid-startticks"""
    pid: int
    container_pid: int
    ppid: int
    name: str
    exe: str
    args: tuple[str, ...]
    cwd: str
    user: str
    uid: int
    started_at: str
    state: str
    memory: int
    container_id: str = ""
    container_name: str = ""


@dataclass(frozen=True, slots=True)
class Port:
    """A listening socket, seen from inside its network namespace."""

    id: str
    proto: str
    """tcp, tcp6, udp, udp6."""
    address: str
    port: int
    pid: int
    process: str
    exe: str
    user: str
    container_id: str = ""
    container_name: str = ""
    public: tuple[dict[str, Any], ...] = ()
    """Host addresses that lead here: {host_ip, host_port}."""
    exposure: str = "local"
    """local (loopback only), container (inside its network), host (on an address of the host)."""
