"""How one image is read: with which analysers, at what cost, and who hears of the progress."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seawall.images.collect.analysers import Analysers, Options, opened
from seawall.images.collect.progress import Progress, silent
from seawall.images.collect.registry.access import Access
from seawall.images.collect.streams import Budget

if TYPE_CHECKING:
    from seawall.images.collect.cache import Cache


@dataclass(slots=True)
class Reading:
    """Of one image; a budget is used up by it."""

    analysers: Analysers = field(default_factory=lambda: opened(Options()))
    progress: Progress = silent
    budget: Budget = field(default_factory=Budget)
    platform: str = ""
    """os/architecture[/variant] of an image that has several; "": this machine's."""
    image: str = ""
    """Name, id or number of the one image that is meant, where an archive holds several."""
    access: Access = field(default_factory=Access)
    """How registries are entered."""
    cache: "Cache | None" = None
    """What was read before."""
