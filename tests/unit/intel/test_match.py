"""The matcher over knowledge written down here: ranges, lists, merging, ratings."""

from collections.abc import Sequence
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.match import Rating, match
from seawall.intel.model import Advisory, Affected, Match, Query, Range


class _World:
    def __init__(self, *advisories: Advisory, ratings: dict[str, Rating] | None = None) -> None:
        self.advisories = advisories
        self.ratings = ratings or {}

    def affecting(self, ecosystem: str, package: str) -> Sequence[tuple[Advisory, Affected]]:
        return [
            (one, part)
            for one in self.advisories
            for part in one.affected
            if (part.ecosystem, part.package) == (ecosystem, package)
        ]

    def rating(self, cve: str) -> Rating:
        return self.ratings.get(cve, Rating())


def _ask(world: _World, ecosystem: str, name: str, version: str) -> list[Match]:
    return next(match(world, [Query(ecosystem, name, version)]))[1]


def _advisory(id: str, *ranges: Range, aliases: tuple[str, ...] = (), **more: Any) -> Advisory:
    return Advisory(id, "osv", aliases, affected=(Affected("PyPI", "django", ranges),), **more)


def test_a_range_begins_inclusive_and_ends_before_the_fix() -> None:
    world = _World(_advisory("CVE-1", Range("4.2", "4.2.5"), Range("5.0", "5.0.1")))
    hit = {
        version: bool(_ask(world, "PyPI", "Django", version))
        for version in ("4.1", "4.2", "4.2.4", "4.2.5", "5.0", "5.0.1")
    }
    assert hit == {"4.1": False, "4.2": True, "4.2.4": True, "4.2.5": False, "5.0": True, "5.0.1": False}
    assert [one.fixed for one in _ask(world, "PyPI", "django", "4.2.1")] == ["4.2.5"]


def test_last_affected_is_inclusive_and_no_end_never_ends() -> None:
    world = _World(_advisory("CVE-1", Range("", "", "2.0")), _advisory("CVE-2", Range("1.0")))
    assert {one.id for one in _ask(world, "PyPI", "django", "2.0.0")} == {"CVE-1", "CVE-2"}
    assert [one.status for one in _ask(world, "PyPI", "django", "3")] == ["affected"]


def test_versions_listed_one_by_one_match_however_they_are_spelled() -> None:
    world = _World(Advisory("PYSEC-1", "osv", affected=(Affected("PyPI", "django", versions=("1.0.0",)),)))
    assert _ask(world, "PyPI", "django", "1.0")
    assert not _ask(world, "PyPI", "django", "1.0.1")


def test_advisories_of_one_cve_are_one_finding() -> None:
    world = _World(
        _advisory(
            "PYSEC-1", Range("", "2.2"), aliases=("CVE-1",), severity=Severity.MEDIUM, score=5.0, published="2020"
        ),
        _advisory("GHSA-1", Range("", "2.1"), aliases=("CVE-1",), severity=Severity.HIGH, score=8.1, published="2019"),
        ratings={"CVE-1": Rating(kev=True)},
    )
    (found,) = _ask(world, "PyPI", "django", "2.0")
    assert (found.id, found.aliases, found.fixed) == ("CVE-1", ("GHSA-1", "PYSEC-1"), "2.1")
    assert (found.severity, found.score, found.kev, found.published) == (Severity.HIGH, 8.1, True, "2019")


def test_the_distribution_rates_before_others_and_borrows_where_it_is_silent() -> None:
    own = Affected("Debian:12", "xz", (Range(fixed="2"),), severity=Severity.LOW)
    silent = Affected("Debian:11", "xz", (Range(fixed="2"),))
    rating = Rating(Severity.CRITICAL, 9.8, "CVSS:3.1/…")
    world = _World(Advisory("CVE-1", "debian", affected=(own, silent)), ratings={"CVE-1": rating})
    assert _ask(world, "Debian:12", "xz", "1")[0].severity is Severity.LOW
    assert _ask(world, "Debian:11", "xz", "1")[0].severity is Severity.CRITICAL
    assert _ask(world, "Debian:11", "xz", "1")[0].score == 9.8


def test_what_is_not_affected_and_what_has_no_order_is_not_guessed() -> None:
    harmless = Affected("Debian:12", "xz", (Range(),), status="not_affected")
    foreign = Affected("Haiku:1", "xz", (Range(fixed="2"),), versions=("1.5",))
    world = _World(Advisory("CVE-1", "x", affected=(harmless, foreign)))
    assert not _ask(world, "Debian:12", "xz", "1")
    assert not _ask(world, "Haiku:1", "xz", "1")
    assert _ask(world, "Haiku:1", "xz", "1.5")


def test_worst_first() -> None:
    world = _World(
        _advisory("CVE-1", Range(), severity=Severity.LOW),
        _advisory("CVE-2", Range(), severity=Severity.CRITICAL),
        _advisory("CVE-3", Range()),
    )
    assert [one.id for one in _ask(world, "PyPI", "django", "1")] == ["CVE-2", "CVE-1", "CVE-3"]
