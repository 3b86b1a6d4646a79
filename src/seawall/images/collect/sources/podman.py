"""`podman:NAME`: an image of Podman, by its API where it listens, else from its storage on disk without any daemon."""

import os
from dataclasses import replace
from pathlib import Path

from seawall.core.errors import SeawallError
from seawall.images.collect import storage
from seawall.images.collect.reading import Reading
from seawall.images.collect.sources import docker
from seawall.images.model import Inventory
from seawall.node.docker import Docker

SOCKET, ROOT = "SEAWALL_PODMAN_SOCKET", "SEAWALL_PODMAN_STORAGE"


def read(name: str, reading: Reading) -> Inventory:
    """Raises SeawallError when neither has the image."""
    for socket in _sockets():
        if Path(socket).is_socket():
            found = docker.read(name, reading, Docker(socket), "Podman")
            return replace(found, target=f"podman:{name}")
    roots = [path for path in _roots() if path.is_dir()]
    for path in roots:
        found_here = storage.read(path, name, reading)
        if found_here is not None:
            return found_here
    if not roots:
        raise SeawallError(
            "Podman neither listens here nor has a storage that may be read",
            f"systemctl start podman.socket; or {ROOT} names the folder",
        )
    raise SeawallError(f"Podman has no image {name!r} in {', '.join(map(str, roots))}", "podman images lists them")


def _sockets() -> list[str]:
    own = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    named = os.environ.get(SOCKET)
    return [named] if named else ["/run/podman/podman.sock", f"{own}/podman/podman.sock"]


def _roots() -> list[Path]:
    if named := os.environ.get(ROOT):
        return [Path(named)]
    return [Path("/var/lib/containers/storage"), Path.home() / ".local/share/containers/storage"]
