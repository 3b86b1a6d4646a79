"""One collection of this node: the daemon, then each running container. Facts only; nobody judges here."""

import os
from collections.abc import Iterator

from seawall.baseline.collect import containers, daemon
from seawall.baseline.model import Asset, Facts
from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.node import host
from seawall.node.docker import Docker, DockerError

MAX_CONTAINERS = 10_000
RUNNING = ("running", "paused")


def collect(docker: Docker) -> Iterator[Facts]:
    """Facts of every asset, one after the other. Raises Unreachable when the daemon is away.

    A container that goes away meanwhile is left out; one that cannot be read comes without facts, and so is "not
    checked" and not forgotten.
    """
    here = host.host_id()
    summaries = docker.containers(all=False)
    asset = Asset("docker_host", f"docker:{here[:32]}", os.uname().nodename, here)
    yield Facts(asset, daemon.facts(docker), clock.now())
    tags: dict[str, list[str]] = {}
    runtime = daemon.find(docker.path) or 1
    for summary in summaries[:MAX_CONTAINERS]:
        identity = str(summary.get("Id") or "")
        names = summary.get("Names")
        name = str(names[0] if isinstance(names, list) and names else identity[:12]).lstrip("/")
        asset = Asset("container", identity, name, here)
        try:
            found = docker.container(identity)
            held = _tags(docker, str(found.get("Image") or ""), tags)
            yield Facts(asset, containers.facts(found, held, runtime), clock.now())
        except DockerError:
            continue  # gone between the list and now
        except (SeawallError, ValueError):
            yield Facts(asset, {}, clock.now())


def _tags(docker: Docker, image: str, known: dict[str, list[str]]) -> list[str]:
    if image not in known:
        try:
            known[image] = [str(tag) for tag in docker.image(image).get("RepoTags") or []]
        except SeawallError:
            known[image] = []
    return known[image]
