"""`docker-archive:FILE`: what `docker save` wrote, packed or not; an OCI layout in a tar too."""

from pathlib import Path

from seawall.core.errors import SeawallError
from seawall.images.collect import image
from seawall.images.collect.reading import Reading
from seawall.images.model import Inventory


def read(name: str, reading: Reading) -> Inventory:
    """Raises SeawallError when the file cannot be read, Hostile when it is no image."""
    try:
        return image.read_file(Path(name), image.Names(f"docker-archive:{name}"), reading)
    except OSError as error:
        raise SeawallError(
            f"cannot read {name}: {error.strerror or error}", "docker save NAME -o FILE writes an archive"
        ) from error
