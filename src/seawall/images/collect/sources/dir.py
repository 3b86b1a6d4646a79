"""`dir:PATH`: a folder, a root file system, a host's own (`dir:/`). No layers, no configuration, no marks."""

import hashlib
import os
import time

from seawall.core.errors import SeawallError
from seawall.images.collect import folder, image
from seawall.images.collect.archive import Found
from seawall.images.collect.reading import Reading
from seawall.images.model import Inventory, Layer


def read(name: str, reading: Reading) -> Inventory:
    """Raises SeawallError when it is no folder that can be opened, Hostile over a limit."""
    began = time.monotonic()
    path = os.path.realpath(name)
    reading.progress(0.0, f"walking through {path}")
    try:
        contents, size = folder.read(path, reading)
    except OSError as error:
        raise SeawallError(f"cannot read the folder {name}: {error.strerror}") from error
    parts = image.Parts(
        b"", {"os": "linux"}, (Layer(0, "", created_by="folder"),), [(0, Found(contents, "", size))], []
    )
    parts.tell()
    # Nothing names a folder but its place.
    identity = f"sha256:{hashlib.sha256(os.fsencode(f'dir:{path}')).hexdigest()}"
    return image.inventory(parts, image.Names(f"dir:{name}", name, identity=identity), reading, began)
