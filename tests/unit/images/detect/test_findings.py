"""From packages to questions, and from answers to vulnerabilities; what nobody could judge is named."""

import pytest

from seawall.core.severity import Severity
from seawall.images.detect.findings import MIN_PACKAGES, judge
from seawall.images.detect.questions import ecosystem, questions
from seawall.images.model import ImageConfig, Inventory, Location, OperatingSystem, Package
from seawall.intel.match import Rating
from seawall.intel.model import Advisory, Affected, Query, Range


class Known:
    """A few advisories, found as a store finds them."""

    def __init__(self, *advisories: Advisory, covered: int = MIN_PACKAGES) -> None:
        self.advisories = advisories
        self.covered = covered

    def affecting(self, ecosystem: str, package: str) -> list[tuple[Advisory, Affected]]:
        return [
            (one, part)
            for one in self.advisories
            for part in one.affected
            if (part.ecosystem, part.package) == (ecosystem, package)
        ]

    def rating(self, cve: str) -> Rating:
        return Rating(Severity.CRITICAL, 9.8, "CVSS:3.1/…", "the worst", kev=cve == "CVE-1")

    def ecosystems(self) -> dict[str, int]:
        return {part.ecosystem: self.covered for one in self.advisories for part in one.affected}


def advisory(id: str, ecosystem: str, package: str, fixed: str, severity: Severity = Severity.UNKNOWN) -> Advisory:
    return Advisory(id, "test", severity=severity, affected=(Affected(ecosystem, package, (Range("", fixed),)),))


def package(name: str, version: str, kind: str = "deb", **more: object) -> Package:
    purl = f"pkg:{kind}/{name}@{version}"
    return Package(name, version, kind, purl, locations=(Location(f"at/{name}", 3),), **more)  # type: ignore[arg-type]


def inventory(*packages: Package, os: OperatingSystem | None = None) -> Inventory:
    return Inventory("docker:x", "x", ImageConfig("sha256:x"), os=os, packages=packages)


DEBIAN = OperatingSystem("debian", "11")


@pytest.mark.parametrize(
    ("id", "version", "codename", "wanted"),
    [
        ("debian", "12", "bookworm", "Debian:12"),
        ("debian", "11.7", "", "Debian:11"),
        ("debian", "trixie/sid", "trixie", "Debian:13"),
        ("debian", "", "", ""),
        ("alpine", "3.11.5", "", "Alpine:v3.11"),
        ("alpine", "3.22.0_alpha20250108", "", "Alpine:edge"),
        ("alpine", "", "", ""),
        ("ubuntu", "22.04", "jammy", "Ubuntu:22.04:LTS"),
        ("ubuntu", "23.10", "", "Ubuntu:23.10"),
        ("wolfi", "20230201", "", "Wolfi"),
        ("unheard", "1", "", ""),
        ("ubuntu", "²².04", "", "Ubuntu:²².04"),
    ],
)
def test_releases_as_advisories_name_them(id: str, version: str, codename: str, wanted: str) -> None:
    assert ecosystem(OperatingSystem(id, version, codename=codename)) == wanted


def test_a_distribution_is_asked_about_the_source_package() -> None:
    deb = package("libssl", "1-1+b1", source_name="openssl", source_version="1-1")
    (asked,) = questions(inventory(deb, os=DEBIAN))
    assert asked.query == Query("Debian:11", "openssl", "1-1")


def test_findings_carry_package_path_and_layer_and_come_worst_first() -> None:
    known = Known(
        advisory("CVE-1", "Debian:11", "openssl", "2"),
        advisory("CVE-2", "PyPI", "flask", "2.0", Severity.LOW),
        advisory("CVE-3", "PyPI", "flask", "1.0"),
    )
    ssl = package("libssl", "1-1", source_name="openssl", source_version="1-1")
    crypto = package("libcrypto", "1-1", source_name="openssl", source_version="1-1")
    verdict = judge(known, inventory(package("Flask", "1.5", "pypi"), ssl, crypto, os=DEBIAN))
    found = verdict.vulnerabilities
    assert [(one.id, one.package, one.severity.value) for one in found] == [
        ("CVE-1", "libcrypto", "critical"),
        ("CVE-1", "libssl", "critical"),
        ("CVE-2", "Flask", "low"),
    ]
    assert (found[1].installed, found[1].fixed, found[1].kev, found[1].path, found[1].layer) == (
        "1-1",
        "2",
        True,
        "at/libssl",
        3,
    )
    assert verdict.unchecked == frozenset()


def test_a_language_package_of_the_distribution_is_the_distributions() -> None:
    known = Known(advisory("CVE-2", "PyPI", "flask", "2.0"), advisory("CVE-1", "Debian:11", "x", "1"))
    mine, theirs = package("flask", "1.0", "pypi"), package("flask", "1.1", "pypi", owned=True)
    verdict = judge(known, inventory(mine, theirs, os=DEBIAN))
    assert [one.installed for one in verdict.vulnerabilities] == ["1.0"]
    assert verdict.unchecked == frozenset()


def test_what_no_feed_covers_is_not_checked() -> None:
    known = Known(advisory("CVE-1", "Debian:11", "x", "1"))
    os, npm, owned = package("y", "1"), package("n", "1", "npm"), package("o", "1", "pypi", owned=True)
    assert judge(known, inventory(os, npm, owned, os=DEBIAN)).unchecked == {npm.purl}
    assert judge(known, inventory(os, npm, owned)).unchecked == {os.purl, npm.purl, owned.purl}


def test_a_sample_finds_but_its_silence_says_nothing() -> None:
    known = Known(advisory("CVE-1", "Debian:11", "x", "1"), covered=MIN_PACKAGES - 1)
    hit, other = package("x", "0"), package("y", "1")
    verdict = judge(known, inventory(hit, other, os=DEBIAN))
    assert [one.package for one in verdict.vulnerabilities] == ["x"]
    assert verdict.unchecked == {hit.purl, other.purl}
