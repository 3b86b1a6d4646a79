"""Local images from the Docker Engine."""

from collections.abc import Iterator

from seawall.assets import normalise
from seawall.assets.collect.node import Node
from seawall.assets.model import Image
from seawall.node.docker import DockerError


def images(node: Node) -> Iterator[Image]:
    """All local images with how many containers use each. Raises Unreachable when the daemon is away."""
    if node.docker is None:
        return
    used: dict[str, int] = {}
    for summary in node.docker.containers():
        name = str(summary.get("ImageID", ""))
        used[name] = used.get(name, 0) + 1
    for summary in node.docker.images():
        identity = str(summary.get("Id", ""))
        try:
            found = node.docker.image(identity)
        except DockerError:  # removed between the list and now
            continue
        yield normalise.image(found, used.get(identity, 0))
