"""Which advisories hit an installed package. Pure: knowledge comes in by `Known`, a store or a test."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from seawall.core.severity import Severity
from seawall.intel import versions
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected, Match, Query, Range
from seawall.intel.names import normalise

HARMLESS = ("not_affected",)
"""States of an advisory that say: this package is not concerned."""
OPEN = ("will_not_fix", "deferred", "end_of_life", "affected")
"""States without a fix, the most telling first."""
MAX_KEPT = 200_000
"""Answers that a matcher keeps; with more it begins anew."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What is known of a CVE whoever reports it."""

    severity: Severity = Severity.UNKNOWN
    score: float | None = None
    cvss: str = ""
    title: str = ""
    kev: bool = False
    epss: float | None = None
    percentile: float | None = None
    vectors: tuple[str, ...] = ()
    cwes: tuple[str, ...] = ()
    poc: bool = False
    ransomware: bool = False
    due: str = ""
    source: str = ""
    """Whose rating it is: "nvd", "osv"."""


class Known(Protocol):
    """What the matcher asks of a store."""

    def affecting(self, ecosystem: str, package: str) -> Sequence[tuple[Advisory, Affected]]:
        """Advisories about a package, each with the part that is about it; none that is withdrawn."""
        ...

    def rating(self, cve: str) -> Rating:
        """The best rating any feed gives, and whether it is exploited."""
        ...


class Matcher:
    """Answers with one state of knowledge, each distinct question once: a thousand images ask the same few thousand."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._answers: dict[Query, tuple[Match, ...]] = {}
        self._ratings: dict[str, Rating] = {}

    def ask(self, query: Query) -> tuple[Match, ...]:
        """Vulnerabilities of a package, worst first; those of one CVE are one."""
        found = self._answers.get(query)
        if found is None:
            if len(self._answers) >= MAX_KEPT:
                self._answers.clear()
                self._ratings.clear()
            found = self._answers[query] = tuple(self._find(query))
        return found

    def _find(self, query: Query) -> list[Match]:
        parts = self.known.affecting(query.ecosystem, normalise(query.ecosystem, query.name))
        if not parts:
            return []
        key = versions.order(query.ecosystem)
        groups: dict[str, _Group] = {}
        harmless: set[str] = set()
        for advisory, affected in parts:
            if not concerns(affected, query):
                continue
            if affected.status in HARMLESS:
                if not (affected.ranges or affected.versions) or hits(affected, query.version, key):
                    harmless.add(cve_of(advisory))
            elif hits(affected, query.version, key):
                groups.setdefault(cve_of(advisory), _Group()).add(advisory, affected)
        found = [
            group.merged(cve, self._rating(cve), query.version, key)
            for cve, group in groups.items()
            if cve not in harmless
        ]
        return sorted(found, key=lambda one: (-one.severity.rank, -(one.score or 0.0), one.id))

    def _rating(self, cve: str) -> Rating:
        found = self._ratings.get(cve)
        if found is None:
            found = self._ratings[cve] = self.known.rating(cve)
        return found


def match(known: Known, queries: Iterable[Query]) -> Iterator[tuple[Query, list[Match]]]:
    """Each query with its vulnerabilities."""
    matcher = Matcher(known)
    for query in queries:
        yield query, list(matcher.ask(query))


def cve_of(advisory: Advisory) -> str:
    """The id that people look for: the CVE where there is one."""
    return next((name for name in (advisory.id, *advisory.aliases) if name.startswith("CVE-")), advisory.id)


def concerns(affected: Affected, query: Query) -> bool:
    """Whether an advisory's part speaks of this build: its architecture, and its module or none."""
    if affected.arches and query.arch and query.arch not in affected.arches:
        return False
    if affected.module or query.module:
        return _stream(affected, query.module) == affected.module and bool(query.module)
    return True


def _stream(affected: Affected, module: str) -> str:
    """The module of a package as the advisory writes it. A feed that does not know modules gives them away by the fixed
    version (….module+el8…)."""
    if affected.module:
        return ":".join(module.split(":")[: affected.module.count(":") + 1])
    built = any("module" in span.fixed or "module" in span.last_affected for span in affected.ranges)
    return "" if built else "another"


def hits(affected: Affected, version: str, key: versions.Key | None) -> bool:
    """Whether a version is one that the advisory speaks of."""
    if version in affected.versions:
        return True
    if key is None or not version:
        return False
    mine = key(version)
    if any(inside(span, mine, key) for span in affected.ranges):
        return True
    # Versions listed one by one may be spelled otherwise (1.0 and 1.0.0).
    return not affected.ranges and any(key(one) == mine for one in affected.versions)


def inside(span: Range, mine: Any, key: versions.Key) -> bool:
    """Whether a version, given by its sort key, lies in a range."""
    if span.introduced and mine < key(span.introduced):
        return False
    if span.after and not key(span.after) < mine:
        return False
    if span.limit and not mine < key(span.limit):
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
        severity, score, cvss, chosen = self._severity(rating)
        names = {name for advisory in advisories for name in (advisory.id, *advisory.aliases)} - {id}
        states = {affected.status for _, affected in self.parts}
        vectors = (vector for one in advisories for vector in (*one.vectors, one.cvss))
        return Match(
            id=id,
            aliases=tuple(sorted(names)),
            severity=severity,
            score=score,
            cvss=cvss,
            fixed=fixed,
            status="fixed" if fixed else next((state for state in OPEN if state in states), "affected"),
            kev=rating.kev,
            epss=rating.epss,
            title=next((one.title for one in advisories if one.title), "") or rating.title,
            url=next((url for one in advisories for url in one.urls if url), ""),
            source=",".join(sorted({one.source for one in advisories})),
            published=min((one.published for one in advisories if one.published), default=""),
            vectors=_vectors(cvss, (*vectors, *rating.vectors, rating.cvss)),
            chosen=chosen,
            cwes=tuple(dict.fromkeys(cwe for one in (*(one.cwes for one in advisories), rating.cwes) for cwe in one)),
            poc=rating.poc or any(one.poc for one in advisories),
            ransomware=rating.ransomware,
            due=rating.due,
            percentile=rating.percentile,
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
            if span.fixed and inside(span, mine, key)
        ]
        return min(ends, key=key, default="")

    def _severity(self, rating: Rating) -> tuple[Severity, float | None, str, str]:
        """The distribution's own word first, then the advisories', then what others say of the same CVE. Beside it the
        score that goes with it, and whose words they are."""
        advisories = [one for one, _ in self.parts]
        own = _worst(affected.severity for _, affected in self.parts)
        theirs = _worst(one.severity for one in advisories)
        scored = max(advisories, key=lambda one: one.score or 0.0)
        score, cvss, by = scored.score, scored.cvss, scored.source
        if score is None:
            cvss, score = choose([vector for one in advisories for vector in (one.cvss, *one.vectors)])
        if score is None:
            score, cvss, by = rating.score, rating.cvss, rating.source or "another source"
        whose = f"score by {by}" if score is not None else "no score"
        if own is not Severity.UNKNOWN:
            word = next(one.source for one, part in self.parts if part.severity is own)
            return own, score, cvss, f"rated by {word} for this package; {whose}"
        if theirs is not Severity.UNKNOWN:
            word = next(one.source for one in advisories if one.severity is theirs)
            return theirs, score, cvss, f"rated by {word}; {whose}"
        if rating.severity is not Severity.UNKNOWN:
            return rating.severity, score, cvss, f"rated by {rating.source or 'another source'} of the same id; {whose}"
        if score is not None:
            return Severity.from_score(score), score, cvss, f"by the score; {whose}"
        return Severity.UNKNOWN, None, cvss, "nobody has rated it"


def _vectors(first: str, found: Iterable[str]) -> tuple[str, ...]:
    rest = sorted({one for one in found if one and one != first}, reverse=True)
    return tuple(one for one in (first, *rest) if one)


def _worst(severities: Iterable[Severity]) -> Severity:
    rated = [one for one in severities if one is not Severity.UNKNOWN]
    return max(rated, key=lambda one: one.rank, default=Severity.UNKNOWN)
