"""Where images come from, one source a file. A target is `SOURCE:NAME`; a bare name is one of Docker's."""

from collections.abc import Callable

from seawall.core.errors import SeawallError
from seawall.images.collect.reading import Reading
from seawall.images.collect.sources import containerd, docker, docker_archive, dockerfile, oci, podman, registry, sbom
from seawall.images.collect.sources import dir as directory
from seawall.images.collect.streams import OutOfTime
from seawall.images.model import Inventory

SOURCES: dict[str, Callable[[str, Reading], Inventory]] = {
    "containerd": containerd.read,
    "dir": directory.read,
    "docker": docker.read,
    "docker-archive": docker_archive.read,
    "oci": oci.read,
    "podman": podman.read,
    "registry": registry.read,
    "dockerfile": dockerfile.read,
    "sbom": sbom.read,
}


def collect(target: str, reading: Reading | None = None) -> Inventory:
    """Read an image. Raises SeawallError when it is not there or takes too long, Hostile when it is broken."""
    source, colon, name = target.partition(":")
    if not colon or source not in SOURCES:
        source, name = "docker", target
    if not name:
        raise SeawallError(f"the target {target!r} names no image", "for example docker:nginx:1.27")
    try:
        return SOURCES[source](name, reading or Reading())
    except OutOfTime as over:
        raise SeawallError(str(over), over.hint) from over
