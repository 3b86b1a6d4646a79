"""What runs on this node, one kind of asset a file. Each yields frozen assets; a dead source is an error to show."""

from collections.abc import Callable, Iterator
from typing import Any

from seawall.assets.collect.containers import containers
from seawall.assets.collect.hosts import hosts
from seawall.assets.collect.images import images
from seawall.assets.collect.node import Node
from seawall.assets.collect.ports import ports
from seawall.assets.collect.processes import processes
from seawall.core.plain import to_plain

__all__ = ["KINDS", "Node", "records"]

KINDS: dict[str, Callable[[Node], Iterator[Any]]] = {
    "hosts": hosts,
    "containers": containers,
    "images": images,
    "processes": processes,
    "ports": ports,
}


def records(kind: str, node: Node) -> Iterator[dict[str, Any]]:
    """The assets of a kind as plain JSON. Raises Unreachable when the source of the kind is away."""
    for asset in KINDS[kind](node):
        yield to_plain(asset)
