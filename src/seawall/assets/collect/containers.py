"""Containers of any state from the Docker Engine; namespaces and process counts from the kernel."""

from collections.abc import Iterator

from seawall.assets import normalise
from seawall.assets.collect.node import CACHED, Node
from seawall.assets.model import Container
from seawall.core.errors import SeawallError
from seawall.node import procfs
from seawall.node.docker import Docker, DockerError

NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")


def containers(node: Node) -> Iterator[Container]:
    """All containers; one that goes away while it is read is left out. Raises Unreachable when the daemon is away."""
    if node.docker is None:
        return
    for summary in node.docker.containers():
        try:
            found = node.docker.container(str(summary.get("Id", "")))
        except DockerError:  # gone between the list and now
            continue
        state = found.get("State")
        pid = int(state.get("Pid") or 0) if isinstance(state, dict) else 0
        yield normalise.container(
            found,
            namespaces=_namespaces(pid),
            processes=_processes(pid),
            digest=_digest(node, node.docker, str(found.get("Image", ""))),
        )


def _namespaces(pid: int) -> dict[str, int]:
    if not pid:
        return {}
    found = ((kind, procfs.namespace(pid, kind)) for kind in NAMESPACES)
    return {kind: inode for kind, inode in found if inode is not None}


def _processes(pid: int) -> int:
    """Processes and threads' leaders in the container's cgroup; 0 when it does not run."""
    lines = (procfs.read(pid, "cgroup") or b"").decode("utf-8", "replace").splitlines() if pid else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("pids", ""):
            # No Path: it would keep the parts of each container's name.
            folder = "/sys/fs/cgroup/pids" if controllers else "/sys/fs/cgroup"
            try:
                with open(f"{folder}/{path.strip('/')}/cgroup.procs", "rb") as file:
                    return len(file.read().split())
            except OSError:
                continue
    return 1 if lines else 0


def _digest(node: Node, docker: Docker, image: str) -> str:
    """The digest under which a registry knows the image; "" for one that was built here."""
    if image not in node.digests:
        if len(node.digests) > CACHED:
            node.digests.clear()
        try:
            names = docker.image(image).get("RepoDigests") or []
        except SeawallError:
            return ""
        node.digests[image] = str(names[0]).partition("@")[2] if names else ""
    return node.digests[image]
