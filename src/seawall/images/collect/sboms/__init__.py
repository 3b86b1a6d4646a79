"""Bills of materials that others wrote, one form a file."""

from collections.abc import Callable
from typing import Any

from seawall.images.collect.sboms import cyclonedx, spdx, syft
from seawall.images.collect.sboms.bill import Bill

FORMS: dict[str, tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Bill]]] = {
    "cyclonedx": (cyclonedx.knows, cyclonedx.read),
    "spdx": (spdx.knows, spdx.read),
    "syft": (syft.knows, syft.read),
}
