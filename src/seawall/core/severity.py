"""Five severities and one honest "unknown", in one order for the whole product."""

from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is. Compare with `rank`, never with the text."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"
    """Nobody has rated it. Ranks over info, so that it is never sorted out of sight."""
    INFO = "info"

    @property
    def rank(self) -> int:
        """5 for critical down to 0 for info."""
        return _RANK[self]

    @classmethod
    def parse(cls, text: str | None) -> "Severity":
        """Read a feed's word for a severity; anything unheard of becomes UNKNOWN."""
        return _WORDS.get((text or "").strip().lower(), cls.UNKNOWN)

    @classmethod
    def from_score(cls, score: float) -> "Severity":
        """CVSS v3/v4 qualitative scale (https://www.first.org/cvss/specification-document, section 5)."""
        if score >= 9.0:
            return cls.CRITICAL
        if score >= 7.0:
            return cls.HIGH
        if score >= 4.0:
            return cls.MEDIUM
        return cls.LOW if score > 0 else cls.INFO


_RANK = {member: 5 - place for place, member in enumerate(Severity)}

_WORDS = {member.value: member for member in Severity} | {
    "moderate": Severity.MEDIUM,
    "important": Severity.HIGH,
    "negligible": Severity.LOW,
    "unimportant": Severity.INFO,
    "none": Severity.INFO,
    "informational": Severity.INFO,
}
