"""The agent's child for one image: `python -m seawall.images.collect.errand IMAGE_ID NAME ORDER ARGUMENTS`.

Progress and the parts of the inventory go to stdout, one JSON object a line, see docs/reference/wire.md.
"""

import json
import sys
from dataclasses import replace
from typing import Any

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect.analysers import ANALYSERS, Options, opened
from seawall.images.collect.reading import Reading
from seawall.images.collect.sources import docker
from seawall.images.model import Inventory
from seawall.images.normalise import parts


def main() -> int:
    """0 when everything was said; else 1, with the reason as the last line on stderr."""
    image_id, name, order, args = sys.argv[1:5]
    try:
        inventory = docker.read(image_id, Reading(opened(_options(args)), progress))
        if inventory.config.id != image_id:
            inventory = _vouched(inventory, image_id)
        send(replace(inventory, name=name or inventory.name, target=f"docker:{name or image_id}"), image_id, order)
    except (SeawallError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except MemoryError:
        sys.stderr.write("the image needs more memory than an errand may use\n")
        return 1
    return 0


def _options(args: str) -> Options:
    """What the order wants; one that does not say wants everything."""
    wanted = json.loads(args).get("scanners")
    names = wanted.split(",") if isinstance(wanted, str) else [known.scanner for known in ANALYSERS.values()]
    return Options(("package", *names))


def send(inventory: Inventory, image_id: str, order: str) -> None:
    """Write the inventory, part by part."""
    whole = parts(inventory)
    for number, part in enumerate(whole, 1):
        address = {"order": order, "image_id": image_id, "part": number, "parts": len(whole)}
        line({"item": {**address, "inventory": part}})


def _vouched(inventory: Inventory, image_id: str) -> Inventory:
    """Engines on containerd know an image by its manifest's digest, which they list; anything else is another image."""
    if not any(digest.endswith(image_id) for digest in inventory.digests):
        raise Hostile(f"Docker gave the image {inventory.config.id} when it was asked for {image_id}")
    return inventory


def progress(share: float, message: str) -> None:
    """Tell how far it is."""
    line({"progress": round(share, 3), "message": message})


def line(value: dict[str, Any]) -> None:
    """One line for the parent."""
    sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
