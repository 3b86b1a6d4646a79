"""The matcher over knowledge written down here: ranges, lists, merging, ratings."""

from collections.abc import Sequence
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.match import Matcher, Rating, match
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


def _rpm(fixed: str, status: str = "fixed", **more: Any) -> Advisory:
    ranges = (Range(fixed=fixed),) if fixed else (Range(),)
    return Advisory("CVE-1", "rh", affected=(Affected("Red Hat:8", "nodejs", ranges, status=status, **more),))


def _hit(advisory: Advisory, version: str, **more: str) -> bool:
    query = Query("Red Hat:8", "nodejs", version, **more)
    return bool(next(match(_World(advisory), [query]))[1])


def test_a_module_is_judged_by_what_is_said_of_its_stream() -> None:
    theirs = _rpm("1:18.20.1-1.module+el8.9.0+1", module="nodejs:18")
    installed = "1:18.19.0-1.module+el8.9.0+2"
    assert _hit(theirs, installed, module="nodejs:18:8090020231114114937:a75119d5")
    assert not _hit(theirs, installed, module="nodejs:16:8090020231114114937:a75119d5")
    assert not _hit(theirs, installed)
    assert not _hit(_rpm("1:20-1.el8"), installed, module="nodejs:18:1:2")
    assert _hit(_rpm("1:18.20.1-1.module+el8.9.0+1"), installed, module="nodejs:18:1:2")


def test_an_architecture_that_is_not_named_is_not_concerned() -> None:
    named = _rpm("2-1", arches=("x86_64", "i686"))
    assert _hit(named, "1-1", arch="x86_64")
    assert not _hit(named, "1-1", arch="aarch64")
    assert _hit(named, "1-1")


def test_a_statement_that_it_is_not_affected_takes_an_advisory_back() -> None:
    hit = Advisory("DSA-1", "dsa", ("CVE-1",), affected=(Affected("Debian:12", "xz", (Range(fixed="2"),)),))
    never = Affected("Debian:12", "xz", status="not_affected")
    world = _World(hit, Advisory("CVE-1", "tracker", affected=(never,)))
    assert not _ask(world, "Debian:12", "xz", "1")
    only_old = Affected("Debian:12", "xz", (Range(fixed="0.5"),), status="not_affected")
    assert _ask(_World(hit, Advisory("CVE-1", "tracker", affected=(only_old,))), "Debian:12", "xz", "1")


def test_the_source_word_for_what_is_not_mended_is_kept() -> None:
    for status in ("will_not_fix", "deferred", "end_of_life", "affected"):
        (found,) = next(match(_World(_rpm("", status)), [Query("Red Hat:8", "nodejs", "1")]))[1]
        assert (found.status, found.fixed) == (status, "")


def test_what_is_known_of_the_cve_comes_along_and_the_choice_is_told() -> None:
    v3, v2 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/Au:N/C:C/I:C/A:C"
    rating = Rating(vectors=(v2,), kev=True, ransomware=True, due="2024-01-01", poc=True, epss=0.9, percentile=0.99)
    world = _World(_advisory("CVE-1", Range(), vectors=(v3,), cwes=("CWE-79",)), ratings={"CVE-1": rating})
    (found,) = _ask(world, "PyPI", "django", "1")
    assert (found.cvss, found.score, found.severity) == (v3, 9.8, Severity.CRITICAL)
    assert found.vectors == (v3, v2)
    assert found.chosen == "by the score; score by osv"
    assert (found.kev, found.ransomware, found.due, found.poc, found.percentile) == (
        True,
        True,
        "2024-01-01",
        True,
        0.99,
    )
    assert found.cwes == ("CWE-79",)


def test_a_question_is_answered_once_by_one_state_of_knowledge() -> None:
    asked: list[str] = []

    class Counting(_World):
        def affecting(self, ecosystem: str, package: str) -> Sequence[tuple[Advisory, Affected]]:
            asked.append(package)
            return super().affecting(ecosystem, package)

    matcher = Matcher(Counting(_advisory("CVE-1", Range())))
    for _ in range(3):
        assert matcher.ask(Query("PyPI", "django", "1"))
    assert asked == ["django"]
