"""From what daemons say to the model. Pure: values in, frozen assets out; anything missing or odd becomes empty."""

from collections.abc import Mapping, Sequence
from typing import Any

from seawall.assets.model import Container, Image

ZERO_TIME = "0001-01-01"
"""How Go writes "never"."""


def container(found: Mapping[str, Any], *, namespaces: Mapping[str, int], processes: int, digest: str) -> Container:
    """From `GET /containers/{id}/json`; what the kernel says of it comes beside. Raises KeyError without an id."""
    config, host, state = _map(found, "Config"), _map(found, "HostConfig"), _map(found, "State")
    network = _map(found, "NetworkSettings")
    labels = {str(key): str(value) for key, value in _map(config, "Labels").items()}
    return Container(
        id=str(found["Id"]),
        name=str(found.get("Name", "")).lstrip("/"),
        state=str(state.get("Status", "")),
        image=str(config.get("Image", "")),
        image_id=str(found.get("Image", "")),
        image_digest=digest,
        created_at=_time(found.get("Created")),
        started_at=_time(state.get("StartedAt")),
        finished_at=_time(state.get("FinishedAt")),
        exit_code=None if state.get("Running") else _int(state.get("ExitCode")),
        pid=_int(state.get("Pid")),
        user=str(config.get("User") or ""),
        command=_texts(config.get("Cmd")),
        entrypoint=_texts(config.get("Entrypoint")),
        workdir=str(config.get("WorkingDir") or ""),
        privileged=bool(host.get("Privileged")),
        capabilities_added=_texts(host.get("CapAdd")),
        capabilities_dropped=_texts(host.get("CapDrop")),
        security_options=_texts(host.get("SecurityOpt")),
        readonly_root=bool(host.get("ReadonlyRootfs")),
        restart_policy=str(_map(host, "RestartPolicy").get("Name") or ""),
        memory_limit=_int(host.get("Memory")),
        cpu_limit=_cpus(host),
        pids_limit=max(_int(host.get("PidsLimit")), 0),
        network_mode=str(host.get("NetworkMode") or ""),
        pid_mode=str(host.get("PidMode") or ""),
        ipc_mode=str(host.get("IpcMode") or ""),
        networks=tuple(_networks(_map(network, "Networks"))),
        ports=tuple(published(_map(network, "Ports"))),
        mounts=tuple(_mount(item) for item in found.get("Mounts") or [] if isinstance(item, Mapping)),
        env_names=tuple(sorted({text.partition("=")[0] for text in _texts(config.get("Env"))})),
        labels=labels,
        namespaces=dict(namespaces),
        pod=labels.get("io.kubernetes.pod.name", ""),
        pod_namespace=labels.get("io.kubernetes.pod.namespace", ""),
        process_count=processes,
    )


def image(found: Mapping[str, Any], containers: int) -> Image:
    """From `GET /images/{id}/json`. Raises KeyError without an id."""
    config = _map(found, "Config")
    tags = tuple(tag for tag in _texts(found.get("RepoTags")) if "<none>" not in tag)
    digests = tuple(digest for digest in _texts(found.get("RepoDigests")) if "<none>" not in digest)
    identity = str(found["Id"])
    return Image(
        id=identity,
        name=tags[0] if tags else identity.removeprefix("sha256:")[:12],
        tags=tags,
        digests=digests,
        created_at=_time(found.get("Created")),
        size=_int(found.get("Size")),
        architecture=str(found.get("Architecture") or ""),
        os=str(found.get("Os") or ""),
        author=str(found.get("Author") or ""),
        user=str(config.get("User") or ""),
        layers=len(_texts(_map(found, "RootFS").get("Layers"))),
        labels={str(key): str(value) for key, value in _map(config, "Labels").items()},
        containers=containers,
    )


def published(ports: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Docker's {"80/tcp": [{"HostIp", "HostPort"}]} as a flat list; exposed but not published ports are left out."""
    return [
        {
            "proto": str(name).partition("/")[2] or "tcp",
            "host_ip": str(binding.get("HostIp") or "0.0.0.0"),
            "host_port": _int(binding.get("HostPort")),
            "container_port": _int(str(name).partition("/")[0]),
        }
        for name, bindings in ports.items()
        for binding in bindings or []
        if isinstance(binding, Mapping)
    ]


def _networks(networks: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": str(name),
            "ip4": str(item.get("IPAddress") or ""),
            "ip6": str(item.get("GlobalIPv6Address") or ""),
            "mac": str(item.get("MacAddress") or ""),
            "gateway": str(item.get("Gateway") or ""),
        }
        for name, item in networks.items()
        if isinstance(item, Mapping)
    ]


def _mount(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": str(item.get("Type") or ""),
        "source": str(item.get("Source") or ""),
        "destination": str(item.get("Destination") or ""),
        "mode": str(item.get("Mode") or ""),
        "rw": bool(item.get("RW")),
        "propagation": str(item.get("Propagation") or ""),
        "name": str(item.get("Name") or ""),
    }


def _cpus(host: Mapping[str, Any]) -> float:
    """Cores, from either of Docker's two ways to limit them; 0 means no limit."""
    if nano := _int(host.get("NanoCpus")):
        return nano / 1e9
    quota, period = _int(host.get("CpuQuota")), _int(host.get("CpuPeriod")) or 100_000
    return quota / period if quota > 0 else 0.0


def _map(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, Sequence) else ()


def _int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _time(value: Any) -> str:
    """Go's nanoseconds cut to the milliseconds that Seawall's times have; never becomes ""."""
    text = str(value or "")
    if not text or text.startswith(ZERO_TIME):
        return ""
    head, dot, tail = text.rstrip("Z").partition(".")
    return f"{head}.{(tail if dot else '')[:3]:0<3}Z" if head[10:11] == "T" and "+" not in tail else text
