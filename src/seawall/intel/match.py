"""Which advisories hit an installed package. Pure: knowledge comes in by `Known`, a store or a test."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from seawall.core.severity import Severity
from seawall.intel import versions
from seawall.intel.model import Advisory, Affected, Match, Query, Range
from seawall.intel.names import normalise

HARMLESS = ("not_affected",)
"""States of an advisory that say: this package is not concerned."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What is known of a CVE whoever reports it."""

    severity: Severity = Severity.UNKNOWN
    score: float | None = None
    cvss: str = ""
    title: str = ""
    kev: bool = False
    epss: float | None = None


class Known(Protocol):
    """What the matcher asks of a store."""

    def affecting(self, ecosystem: str, package: str) -> Sequence[tuple[Advisory, Affected]]:
        """Advisories about a package, each with the part that is about it; none that is withdrawn."""
        ...

    def rating(self, cve: str) -> Rating:
        """The best rating any feed gives, and whether it is exploited."""
        ...


def match(known: Known, queries: Iterable[Query]) -> Iterator[tuple[Query, list[Match]]]:
    """Each query with its vulnerabilities, worst first; those of one CVE are one."""
    for query in queries:
        found = known.affecting(query.ecosystem, normalise(query.ecosystem, query.name))
        key = versions.order(query.ecosystem)
        groups: dict[str, _Group] = {}
        for advisory, affected in found:
            if affected.status in HARMLESS or not _hits(affected, query.version, key):
                continue
            groups.setdefault(cve_of(advisory), _Group()).add(advisory, affected)
        matches = [group.merged(cve, known.rating(cve), query.version, key) for cve, group in groups.items()]
        yield query, sorted(matches, key=lambda one: (-one.severity.rank, -(one.score or 0.0), one.id))


def cve_of(advisory: Advisory) -> str:
    """The id that people look for: the CVE where there is one."""
    return next((name for name in (advisory.id, *advisory.aliases) if name.startswith("CVE-")), advisory.id)


def _hits(affected: Affected, version: str, key: versions.Key | None) -> bool:
    if version in affected.versions:
        return True
    if key is None or not version:
        return False
    mine = key(version)
    if any(_inside(span, mine, key) for span in affected.ranges):
        return True
    # Versions listed one by one may be spelled otherwise (1.0 and 1.0.0).
    return not affected.ranges and any(key(one) == mine for one in affected.versions)


def _inside(span: Range, mine: Any, key: versions.Key) -> bool:
    if span.introduced and mine < key(span.introduced):
        return False
    if span.fixed:
        return bool(mine < key(span.fixed))
    if span.last_affected:
        return bool(mine <= key(span.last_affected))
    return True


@dataclass(slots=True)
class _Group:
    """Advisories that speak of one vulnerability of one package."""

    parts: list[tuple[Advisory, Affected]] = field(default_factory=list)

    def add(self, advisory: Advisory, affected: Affected) -> None:
        self.parts.append((advisory, affected))

    def merged(self, id: str, rating: Rating, version: str, key: versions.Key | None) -> Match:
        advisories = [advisory for advisory, _ in self.parts]
        fixed = self._fixed(version, key)
        severity, score, cvss = self._severity(rating)
        names = {name for advisory in advisories for name in (advisory.id, *advisory.aliases)} - {id}
        states = {affected.status for _, affected in self.parts}
        return Match(
            id=id,
            aliases=tuple(sorted(names)),
            severity=severity,
            score=score,
            cvss=cvss,
            fixed=fixed,
            status="fixed" if fixed else next(iter(sorted(states - {"fixed"})), "affected"),
            kev=rating.kev,
            epss=rating.epss,
            title=next((one.title for one in advisories if one.title), "") or rating.title,
            url=next((url for one in advisories for url in one.urls if url), ""),
            source=",".join(sorted({one.source for one in advisories})),
            published=min((one.published for one in advisories if one.published), default=""),
        )

    def _fixed(self, version: str, key: versions.Key | None) -> str:
        """The lowest version that mends the range the installed one lies in, by any of the advisories."""
        if key is None:
            return ""
        mine = key(version)
        ends = [
            span.fixed
            for _, affected in self.parts
            for span in affected.ranges
            if span.fixed and key(span.fixed) > mine and (not span.introduced or key(span.introduced) <= mine)
        ]
        return min(ends, key=key, default="")

    def _severity(self, rating: Rating) -> tuple[Severity, float | None, str]:
        """The distribution's own word first, then the advisories', then what others say of the same CVE."""
        own = _worst(affected.severity for _, affected in self.parts)
        scored = max((one for one, _ in self.parts), key=lambda one: one.score or 0.0)
        score, cvss = (scored.score, scored.cvss) if scored.score is not None else (rating.score, rating.cvss)
        for severity in (own, _worst(one.severity for one, _ in self.parts), rating.severity):
            if severity is not Severity.UNKNOWN:
                return severity, score, cvss
        return Severity.UNKNOWN, score, cvss


def _worst(severities: Iterable[Severity]) -> Severity:
    rated = [one for one in severities if one is not Severity.UNKNOWN]
    return max(rated, key=lambda one: one.rank, default=Severity.UNKNOWN)
