"""What the world's knowledge says of an image. Pure: knowledge comes in as a value that answers."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Protocol

from seawall.core.severity import Severity
from seawall.images.detect.distributions import PRODUCTS, distribution, support
from seawall.images.detect.questions import DECLARED, Question, questions
from seawall.images.detect.risk import Facts, risk
from seawall.images.model import EndOfLife, Inventory, Judgement, Location, OperatingSystem, Package, Vulnerability
from seawall.intel.match import Known, Matcher
from seawall.intel.model import Cycle, Match

MIN_PACKAGES = 20
"""Packages that the advisories of an ecosystem speak of at least; fewer are a sample, whose silence says nothing."""
MAX_KEPT = 100_000
"""Packages and findings that a judge keeps; with more it begins anew."""
NOWHERE = Location("", -1)
NO_FEED = "no imported feed covers {}"
PAID = "fixed in {} for customers of Ubuntu Pro only"


class Knowledge(Known, Protocol):
    """A store of intelligence."""

    def ecosystems(self) -> Mapping[str, int]:
        """Those that advisories speak of."""
        ...

    def cycles(self, product: str) -> Sequence[Cycle]:
        """Releases of a product and when their support ends."""
        ...


class _Answer:
    """What was found of one package."""

    __slots__ = ("found", "mark")

    def __init__(self, found: tuple[Vulnerability, ...]) -> None:
        self.found = found
        self.mark = sha256(repr(found).encode("utf-8", "surrogateescape")).hexdigest() if found else ""


class Judge:
    """Judges inventories with one state of knowledge; asks each distinct question once, whichever image has it."""

    def __init__(self, known: Knowledge, today: str = "", *, declared: bool = False) -> None:
        """`today` (YYYY-MM-DD): to tell which releases have ended; "" not to. `declared`: see `questions`."""
        self._known = known
        self._matcher = Matcher(known)
        self._covered = frozenset(name for name, packages in known.ecosystems().items() if packages >= MIN_PACKAGES)
        self._today = today
        self._declared = declared
        self._answers: dict[Question, _Answer] = {}
        self._kept = 0

    def judge(self, inventory: Inventory) -> Judgement:
        """All vulnerabilities of an image, the worst first, and which packages could not be judged."""
        asked = list(questions(inventory, self._covered, declared=self._declared))
        answers = [self._answer(question) for question in asked]
        found = [one for answer in answers for one in answer.found]
        reasons = unchecked(asked, self._covered)
        end = ended(inventory.os, self._today, self._cycles(inventory.os)) if self._today else None
        said = [repr(sorted(reasons.items())), repr(end), *sorted(answer.mark for answer in answers if answer.mark)]
        return Judgement(
            ordered(one for one in found if not one.suppressed),
            frozenset(reasons),
            reasons,
            ordered(one for one in found if one.suppressed),
            end,
            mark=sha256("\n".join(said).encode("utf-8", "surrogateescape")).hexdigest(),
        )

    def _cycles(self, system: OperatingSystem | None) -> Sequence[Cycle]:
        product = PRODUCTS.get(system.id, "") if system else ""
        return self._known.cycles(product) if product else ()

    def _answer(self, question: Question) -> "_Answer":
        """What is found of a package is the same in every image that has it in the same place."""
        answer = self._answers.get(question)
        if answer is None:
            if self._kept > MAX_KEPT:
                self._answers.clear()
                self._kept = 0
            answer = self._answers[question] = _Answer(tuple(self._found(question)))
            self._kept += 1 + len(answer.found)
        return answer

    def _found(self, question: Question) -> Iterator[Vulnerability]:
        answers: dict[str, Match] = {}
        for query in question.queries:
            for one in self._matcher.ask(query):
                answers.setdefault(one.id, one)
        for one in answers.values():
            yield _vulnerability(question, one)
        for one in self._matcher.ask(question.paid) if question.paid else ():
            if one.id not in answers:
                told = _vulnerability(question, replace(one, fixed="", status="affected"))
                yield replace(told, note=PAID.format(one.fixed) if one.fixed else "")


def judge(known: Knowledge, inventory: Inventory, today: str = "") -> Judgement:
    """One image."""
    return Judge(known, today).judge(inventory)


def ordered(found: Iterable[Vulnerability]) -> tuple[Vulnerability, ...]:
    """The worst first."""
    return tuple(sorted(found, key=lambda one: (-one.severity.rank, -(one.score or 0.0), one.id, one.package)))


def unchecked(asked: Iterable[Question], covered: Collection[str]) -> dict[str, str]:
    """Purl of each package that nobody looked for → why: nothing was found there, and that says nothing.

    What a lock file only names is not there, so nothing is missing.
    """
    reasons: dict[str, str] = {}
    for question in asked:
        if question.why == DECLARED:
            continue
        if question.ecosystem not in covered:
            named = question.ecosystem or "its ecosystem"
            reasons[question.package.purl] = question.why or NO_FEED.format(named)
        elif question.why:
            reasons[question.package.purl] = question.why
    return reasons


def ended(system: OperatingSystem | None, today: str, cycles: Iterable[Cycle] = ()) -> EndOfLife | None:
    """What there is to say of a release without free support."""
    found = support(system, today, cycles)
    known = distribution(system)
    if found is None or known is None or system is None:
        return None
    last, extended = found
    severity = Severity.LOW if extended >= today else Severity.MEDIUM
    return EndOfLife(f"{known.name} {known.release(system)}", last, extended, severity)


def _vulnerability(question: Question, one: Match) -> Vulnerability:
    package: Package = question.package
    where = package.locations[0] if package.locations else NOWHERE
    height, parts = risk(
        Facts(one.severity, one.score, one.kev, one.ransomware, one.poc, one.epss, fixable=bool(one.fixed))
    )
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
        vectors=one.vectors,
        chosen=one.chosen,
        cwes=one.cwes,
        poc=one.poc,
        ransomware=one.ransomware,
        due=one.due,
        percentile=one.percentile,
        risk=height,
        parts=parts,
        suppressed=question.answered,
    )


def worst_risk(found: Sequence[Vulnerability]) -> int:
    """Of an image: its highest, and a little for how many there are beside it, at most 100."""
    heights = sorted((one.risk for one in found), reverse=True)
    if not heights:
        return 0
    return min(100, heights[0] + min(9, sum(height >= heights[0] - 15 for height in heights[1:]) // 3))
