"""What people and vendors have decided on findings, applied to what was found. What does not count keeps its why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import TypeVar

from seawall.images.detect.findings import ordered
from seawall.images.detect.purls import parsed, speaks_of
from seawall.images.model import Inventory, Judgement, Malware, Risk, Secret, Statement, Vulnerability

_Seen = TypeVar("_Seen", Secret, Malware, Risk)
SETTLED = ("not_affected", "fixed", "accepted")
"""States of a decision that make a finding not count; the others only say that it is known."""
MAX_TOLD = 50


def settle(
    inventory: Inventory, judgement: Judgement | None, decisions: Iterable[Statement], today: str
) -> tuple[Inventory, Judgement | None, tuple[str, ...]]:
    """Inventory and judgement without what does not count, and what is to be told: decisions that no longer hold
    (`today` is YYYY-MM-DD), that nothing needs, and how many files' findings are left out."""
    book = _Book(inventory, decisions, today)
    if judgement is not None:
        judgement = book.judgement(judgement)
    inventory = book.inventory()
    told = tuple(book.told())
    return inventory, replace(judgement, told=(*judgement.told, *told)) if judgement else None, told


def unfixed(judgement: Judgement) -> Judgement:
    """Without vulnerabilities that nobody can mend: they do not count, and are kept with that reason."""
    left = [one for one in judgement.vulnerabilities if one.fixed]
    open_ = [
        replace(one, suppressed=f"there is no fix ({one.status.replace('_', ' ')})")
        for one in judgement.vulnerabilities
        if not one.fixed
    ]
    return replace(judgement, vulnerabilities=ordered(left), suppressed=ordered((*judgement.suppressed, *open_)))


@dataclass(slots=True)
class _Book:
    """Decisions that are about one image, by what they name."""

    image: Inventory
    given: Iterable[Statement]
    today: str
    by_id: dict[str, list[tuple[int, Statement]]] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    _mine: dict[int, Statement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, one in enumerate(self.given):
            if not _about(self.image, one):
                continue
            if one.until and one.until < self.today:
                self.notes.append(f"no longer holds since {one.until}: {_named(one)}")
                continue
            self._mine[number] = one
            for name in one.ids or ("",):
                self.by_id.setdefault(f"{one.kind}:{name.upper()}", []).append((number, one))

    def judgement(self, given: Judgement) -> Judgement:
        found, suppressed = [], list(given.suppressed)
        for one in given.vulnerabilities:
            decision = self._decided("vulnerability", (one.id, *one.aliases), one)
            if decision is None:
                found.append(one)
            else:
                suppressed.append(replace(one, suppressed=_why(decision), decided=decision.status))
        decided = [(one.id, one.purl, one.suppressed) for one in suppressed]
        mark = sha256(f"{given.mark}{decided!r}".encode("utf-8", "surrogateescape")).hexdigest() if given.mark else ""
        return replace(given, vulnerabilities=ordered(found), suppressed=ordered(suppressed), mark=mark)

    def inventory(self) -> Inventory:
        left_out: Counter[str] = Counter()
        image = self.image
        secrets = tuple(self._counted("secret", image.secrets, left_out))
        malware = tuple(self._counted("malware", image.malware, left_out))
        risks = tuple(self._counted("config", image.risks, left_out))
        self.notes += [f"{count} findings of {kind} do not count by decision" for kind, count in left_out.items()]
        return replace(image, secrets=secrets, malware=malware, risks=risks) if left_out else image

    def _counted(self, kind: str, found: Sequence[_Seen], left_out: Counter[str]) -> Iterator[_Seen]:
        for one in found:
            names = (one.check,) if isinstance(one, Risk) else (one.rule,)
            if self._decided(kind, names, one) is None:
                yield one
            else:
                left_out[kind] += 1

    def _decided(
        self, kind: str, names: Iterable[str], finding: Vulnerability | Secret | Malware | Risk
    ) -> Statement | None:
        """The first decision that settles a finding; all that speak of it count as needed."""
        settled: Statement | None = None
        for name in (*names, ""):
            for number, one in self.by_id.get(f"{kind}:{name.upper()}", ()):
                if _covers(one, finding):
                    self.used.add(number)
                    if settled is None and one.status in SETTLED:
                        settled = one
        return settled

    def told(self) -> Iterator[str]:
        """Expired ones first. Vendors' statements are about much that is not here: nobody needs to tidy them up."""
        unused = [
            f"nothing needs it: {_named(one)}"
            for number, one in self._mine.items()
            if number not in self.used and not one.systems and one.status == "accepted"
        ]
        notes = [*self.notes, *unused]
        yield from notes[:MAX_TOLD]
        if len(notes) > MAX_TOLD:
            yield f"… and {len(notes) - MAX_TOLD} more"


def _about(image: Inventory, one: Statement) -> bool:
    if one.systems:
        here = image.os
        if here is None or f"{here.id} {here.version.partition('.')[0]}" not in one.systems:
            return False
    return not one.images or any(_is_image(pattern, image) for pattern in one.images)


def _is_image(pattern: str, image: Inventory) -> bool:
    """By purl (pkg:oci/NAME@sha256:…?repository_url=…), digest, id or name; in names * and ? stand for any."""
    digests = {image.config.id, *(text.rpartition("@")[2] for text in image.digests)}
    names = {image.name, image.target, *image.tags, *image.digests, *digests}
    if said := parsed(pattern):
        if said.type not in ("oci", "docker"):
            return False
        if said.version.startswith("sha256:"):
            return said.version in digests
        short = {name.partition("@")[0].rpartition("/")[2].partition(":")[0].lower() for name in names}
        tag = dict(said.qualifiers).get("tag", said.version)
        return said.path.rpartition("/")[2] in short and (not tag or any(name.endswith(f":{tag}") for name in names))
    return any(fnmatchcase(name, pattern) for name in names if name)


def _covers(one: Statement, finding: Vulnerability | Secret | Malware | Risk) -> bool:
    if one.paths and not any(fnmatchcase(finding.path, pattern.lstrip("/")) for pattern in one.paths):
        return False
    if not isinstance(finding, Vulnerability) or not one.packages:
        return not one.packages
    return any(
        speaks_of(pattern, finding.purl) if pattern.startswith("pkg:") else fnmatchcase(finding.package, pattern)
        for pattern in one.packages
    )


def _named(one: Statement) -> str:
    what = " ".join(filter(None, (", ".join(one.ids) or f"every {one.kind}", ", ".join(one.packages))))
    return f"{what} ({one.source})"


def _why(one: Statement) -> str:
    words = {"not_affected": "not affected", "fixed": "fixed", "accepted": "accepted"}[one.status]
    until = f" until {one.until}" if one.until else ""
    return f"{words}{until}: {one.reason or one.justification.replace('_', ' ') or 'no reason given'} ({one.source})"
