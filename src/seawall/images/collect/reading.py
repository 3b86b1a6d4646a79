"""How one image is read: with which analysers, at what cost, and who hears of the progress."""

from dataclasses import dataclass, field

from seawall.images.collect.analysers import Analysers, Options, opened
from seawall.images.collect.progress import Progress, silent
from seawall.images.collect.streams import Budget


@dataclass(slots=True)
class Reading:
    """Of one image; a budget is used up by it."""

    analysers: Analysers = field(default_factory=lambda: opened(Options()))
    progress: Progress = silent
    budget: Budget = field(default_factory=Budget)
