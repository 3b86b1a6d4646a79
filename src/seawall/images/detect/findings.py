"""What the world's knowledge says of an image. Pure: knowledge comes in as a value that answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from seawall.images.detect.questions import Question, questions
from seawall.images.model import Inventory, Judgement, Location, Package, Vulnerability
from seawall.intel.match import Known, match
from seawall.intel.model import Match, Query

MIN_PACKAGES = 20
"""Packages that the advisories of an ecosystem speak of at least; fewer are a sample, whose silence says nothing."""
NOWHERE = Location("", -1)


class Knowledge(Known, Protocol):
    """A store of intelligence."""

    def ecosystems(self) -> Mapping[str, int]:
        """Those that advisories speak of."""
        ...


def judge(known: Knowledge, inventory: Inventory) -> Judgement:
    """All vulnerabilities of an image, the worst first, and which packages could not be judged."""
    asked = list(questions(inventory))
    answers = dict(match(known, dict.fromkeys(one.query for one in asked if one.query)))
    return Judgement(findings(asked, answers), unchecked(asked, known.ecosystems()))


def findings(asked: Iterable[Question], answers: Mapping[Query, Sequence[Match]]) -> tuple[Vulnerability, ...]:
    """Each answer with the package it is about."""
    found = [
        _vulnerability(question.package, one)
        for question in asked
        if question.query
        for one in answers.get(question.query, ())
    ]
    return tuple(sorted(found, key=lambda one: (-one.severity.rank, -(one.score or 0.0), one.id, one.package)))


def unchecked(asked: Iterable[Question], known: Mapping[str, int]) -> frozenset[str]:
    """Purls of packages whose ecosystem no feed covers: nothing was found there because nobody looked."""
    covered = {name for name, packages in known.items() if packages >= MIN_PACKAGES}
    return frozenset(question.package.purl for question in asked if question.ecosystem not in covered)


def _vulnerability(package: Package, one: Match) -> Vulnerability:
    where = package.locations[0] if package.locations else NOWHERE
    return Vulnerability(
        id=one.id,
        aliases=one.aliases,
        package=package.name,
        installed=package.version,
        fixed=one.fixed,
        status=one.status,
        severity=one.severity,
        score=one.score,
        cvss=one.cvss,
        epss=one.epss,
        kev=one.kev,
        title=one.title,
        url=one.url,
        source=one.source,
        purl=package.purl,
        path=where.path,
        layer=where.layer,
    )
