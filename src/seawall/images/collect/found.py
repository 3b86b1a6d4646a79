"""What was found in one file, or in an image's configuration."""

from dataclasses import dataclass, field

from seawall.images.model import Malware, Package, Risk, Secret

ITEM_BYTES, PATH_BYTES = 1000, 100
"""What one finding and one path take in memory, roughly."""


@dataclass(slots=True)
class Found:
    """Findings carry neither path nor layer: the place is where the file lay, see layers.merge."""

    packages: list[Package] = field(default_factory=list)
    owned: list[str] = field(default_factory=list)
    """Paths of other formats' evidence that an OS package has brought: the distribution answers for those."""
    secrets: list[Secret] = field(default_factory=list)
    malware: list[Malware] = field(default_factory=list)
    risks: list[Risk] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        """Take over what another one found in the same file."""
        self.packages += other.packages
        self.owned += other.owned
        self.secrets += other.secrets
        self.malware += other.malware
        self.risks += other.risks

    def weight(self) -> int:
        """Bytes of memory, roughly."""
        items = len(self.packages) + len(self.secrets) + len(self.malware) + len(self.risks)
        return items * ITEM_BYTES + sum(map(len, self.owned)) + len(self.owned) * PATH_BYTES
