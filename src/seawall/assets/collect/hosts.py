"""The node itself, from /proc, /etc/os-release and its container daemons."""

import os
from collections.abc import Iterator
from pathlib import Path
from socket import AF_INET6, inet_ntop
from typing import Any

from seawall.assets.collect.node import Node
from seawall.assets.model import Host
from seawall.core.clock import format_time
from seawall.core.errors import SeawallError
from seawall.node import procfs
from seawall.node.docker import Docker
from seawall.node.host import host_id


def hosts(node: Node) -> Iterator[Host]:
    """Exactly one. A daemon that does not answer is in `runtimes` with the reason."""
    system = os.uname()
    release = os_release(_text("/etc/os-release") or _text("/usr/lib/os-release"))
    runtime, counts = _docker(node.docker)
    yield Host(
        id=host_id(),
        name=system.nodename,
        addresses=tuple(_addresses()),
        os=release.get("PRETTY_NAME", ""),
        os_id=release.get("ID", ""),
        os_version=release.get("VERSION_ID", ""),
        kernel=system.release,
        architecture=system.machine,
        cpus=os.cpu_count() or 0,
        memory=_memory(),
        booted_at=format_time(procfs.boot_time()),
        cgroup=2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1,
        runtimes=(runtime,),
        containers=counts[0],
        images=counts[1],
    )


def os_release(text: str) -> dict[str, str]:
    """os-release(5) as a dict."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def _docker(docker: Docker | None) -> tuple[dict[str, Any], tuple[int, int]]:
    described: dict[str, Any] = {
        "name": "docker", "version": "", "api": "", "socket": docker.path if docker else "", "storage_driver": "",
        "root_dir": "", "reachable": False, "error": "" if docker else "there is no Docker socket on this host",
    }  # fmt: skip
    if docker is None:
        return described, (0, 0)
    try:
        info, version = docker.info(), docker.version()
    except SeawallError as error:
        return described | {"error": str(error)}, (0, 0)
    described |= {
        "version": str(version.get("Version", "")),
        "api": str(version.get("ApiVersion", "")),
        "storage_driver": str(info.get("Driver", "")),
        "root_dir": str(info.get("DockerRootDir", "")),
        "reachable": True,
    }
    return described, (int(info.get("Containers") or 0), int(info.get("Images") or 0))


def _addresses() -> list[str]:
    """Addresses of this host that others can reach, IPv4 before IPv6; loopback and link-local ones left out."""
    found: list[str] = []
    candidate = ""
    for line in _text("/proc/net/fib_trie").splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] in ("|--", "+--"):
            candidate = words[1]
        elif line.strip() == "/32 host LOCAL" and not candidate.startswith("127.") and candidate not in found:
            found.append(candidate)
    for line in _text("/proc/net/if_inet6").splitlines():
        words = line.split()
        if len(words) >= 4 and words[3] == "00":
            found.append(inet_ntop(AF_INET6, bytes.fromhex(words[0])))
    return found


def _memory() -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
