"""`docker:NAME`: an image of this host's Docker Engine, by name, tag, digest or id."""

from typing import Any

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import image
from seawall.images.collect.progress import Counted
from seawall.images.collect.reading import Reading
from seawall.images.model import Inventory
from seawall.node.docker import Docker, DockerError


def read(name: str, reading: Reading, docker: Docker | None = None, engine_name: str = "Docker") -> Inventory:
    """Raises Unreachable without a daemon, SeawallError when it has no such image."""
    engine = docker or Docker()
    try:
        known = engine.image(name)
    except DockerError as error:
        if error.status != 404:
            raise
        raise SeawallError(
            f"{engine_name} has no image {name!r} on this host",
            f"`{engine_name.lower()} images` lists them; `{engine_name.lower()} pull` brings one",
        ) from error
    if not isinstance(known, dict) or not isinstance(known.get("Id"), str):
        raise Hostile(f"Docker Engine's answer about the image {name!r} is not understood")
    tags, digests = _texts(known.get("RepoTags")), _texts(known.get("RepoDigests"))
    shown = name if name in tags or not tags or f"{name}:latest" in tags else tags[0]
    names = image.Names(f"docker:{name}", shown, tags, digests)
    return image.known(f"docker:{known['Id']}", names, reading, lambda: _saved(engine, known, names, reading))


def _saved(engine: Docker, known: dict[str, Any], names: image.Names, reading: Reading) -> Inventory:
    size = known.get("Size")
    with engine.save(known["Id"], reading.budget.left_seconds()) as answer:
        counted = Counted(answer, size if isinstance(size, int) else 0, reading.progress)
        return image.read(counted, names, reading)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str))[:100] if isinstance(value, list) else ()
