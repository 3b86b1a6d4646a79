"""One number for a vulnerability in its place, 0 to 100, and what it is made of.

    likelihood = the highest of: exploited 1.0 · public exploit code 0.6 · EPSS (its square root) · otherwise 0.15
    impact     = CVSS score / 10, or what stands for the word: critical 0.95, high 0.8, medium 0.55, low 0.25
    risk       = 100 × impact × (0.35 + 0.65 × likelihood), then points for what is around it

A critical one that nobody exploits is about 40, one that attackers use is above 90; of two that are alike the one that
runs, or that can be mended today, comes first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from seawall.core.severity import Severity
from seawall.images.model import RiskPart

_WORDS = {Severity.CRITICAL: 0.95, Severity.HIGH: 0.8, Severity.MEDIUM: 0.55, Severity.LOW: 0.25, Severity.INFO: 0.05}
_UNRATED = 0.5
"""Nobody knows: in the middle, so that it is not sorted out of sight."""
_BASE, _SPAN = 0.35, 0.65
_SELDOM = 0.15
_CODE = 0.6


@dataclass(frozen=True, slots=True)
class Facts:
    """What the number is made of."""

    severity: Severity
    score: float | None = None
    """CVSS, 0 to 10."""
    exploited: bool = False
    """In CISA's catalogue."""
    ransomware: bool = False
    poc: bool = False
    epss: float | None = None
    """Probability of exploitation within 30 days, 0 to 1."""
    fixable: bool = False
    running: bool | None = None
    """A running container uses the image, or a process has loaded the package; None: not known."""
    exposed: bool | None = None
    """Reachable from other machines."""


def risk(facts: Facts) -> tuple[int, tuple[RiskPart, ...]]:
    """The number, and its parts in points: they add up to it."""
    parts = list(_parts(facts))
    total = sum(part.points for part in parts)
    whole = max(0, min(100, total))
    if whole != total:
        parts.append(RiskPart("bounds", whole - total, "0 to 100"))
    return whole, tuple(parts)


def _parts(facts: Facts) -> Iterator[RiskPart]:
    impact, word = _impact(facts)
    base = round(100 * impact * _BASE)
    yield RiskPart("severity", base, word)
    likelihood, name, why = _likelihood(facts)
    yield RiskPart(name, round(100 * impact * (_BASE + _SPAN * likelihood)) - base, why)
    if facts.ransomware:
        yield RiskPart("ransomware", 5, "used in ransomware campaigns")
    if facts.fixable:
        yield RiskPart("fix", 3, "a fixed version is there")
    if facts.exposed:
        yield RiskPart("exposed", 6, "reachable from other machines")
    if facts.running is not None:
        yield RiskPart("running", 6 if facts.running else -6, "in use" if facts.running else "not in use")


def _impact(facts: Facts) -> tuple[float, str]:
    """The distribution's word bounds what the score says: it knows how its package is built."""
    word = _WORDS.get(facts.severity, _UNRATED)
    if facts.score is None:
        return word, facts.severity.value
    if facts.severity is Severity.UNKNOWN:
        return facts.score / 10, f"CVSS {facts.score}"
    return (facts.score / 10 + word) / 2, f"{facts.severity.value}, CVSS {facts.score}"


def _likelihood(facts: Facts) -> tuple[float, str, str]:
    found = [(_SELDOM, "exploitation", "nothing is known of attacks")]
    if facts.epss is not None:
        share = max(0.0, min(1.0, facts.epss))
        found = [(share**0.5, "probability", f"EPSS {share:.1%} within 30 days")]
    if facts.poc:
        found.append((_CODE, "exploitation", "exploit code is public"))
    if facts.exploited:
        found.append((1.0, "exploitation", "used by attackers (CISA KEV)"))
    return max(found, key=lambda one: one[0])
