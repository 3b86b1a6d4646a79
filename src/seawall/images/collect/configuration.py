"""The analyser of how an image is configured: looks at no file, and judges the image when it is whole."""

import time
from collections.abc import Sequence
from dataclasses import replace

from seawall.images.collect.files import File
from seawall.images.collect.found import Found
from seawall.images.detect import base, checks
from seawall.images.model import ImageConfig, Inventory, Layer

SCANNER = "config"


class Configuration:
    """Needs nothing, has no options."""

    version = checks.VERSION

    def __init__(self, _options: object = None) -> None:
        pass

    def limit(self, _file: File) -> int:
        """None."""
        return 0

    def needs(self, _path: str) -> bool:
        """None."""
        return False

    def read(self, _file: File) -> Found | None:
        """Nothing: files are others' work."""
        return None

    def described(self, _config: ImageConfig, _layers: Sequence[Layer]) -> Found | None:
        """Nothing yet: checks ask for packages too, see `judged`."""
        return None


def judged(inventory: Inventory) -> Inventory:
    """The inventory with what the checks say of it; without a configuration there is nothing to judge."""
    layers = base.marked(inventory.layers, base.base_of(inventory))
    inventory = replace(inventory, layers=layers)
    if inventory.checked.get(SCANNER) is None or not inventory.config.id:
        return inventory
    answers = checks.results(checks.of_image(inventory, time.time()))
    counts = {
        f"config_{one}": float(sum(answer.outcome == one for answer in answers))
        for one in ("pass", "fail", "not_applicable")
    }
    others = tuple(one for one in inventory.risks if one.check not in checks.CHECKS)
    return replace(inventory, risks=(*others, *checks.risks(answers)), stats={**inventory.stats, **counts})
