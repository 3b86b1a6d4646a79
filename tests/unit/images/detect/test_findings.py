"""From packages to questions, and from answers to vulnerabilities; what nobody could judge is named."""

from dataclasses import replace

import pytest

from seawall.core.severity import Severity
from seawall.images.detect.distributions import ecosystem, support
from seawall.images.detect.findings import MIN_PACKAGES, Judge, judge
from seawall.images.detect.questions import questions
from seawall.images.model import EndOfLife, ImageConfig, Inventory, Judgement, Location, OperatingSystem, Package
from seawall.intel.match import Rating
from seawall.intel.model import Advisory, Affected, Cycle, Query, Range


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

    def cycles(self, product: str) -> list[Cycle]:
        return [Cycle("debian", "13", end="2025-12-31", extended="2030-06-30")] if product == "debian" else []

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
        ("ubuntu", "²².04", "", ""),
        ("raspbian", "12", "bookworm", "Debian:12"),
        ("rhel", "9.4", "", "Red Hat:9"),
        ("almalinux", "9.4", "", "AlmaLinux:9"),
        ("rocky", "8.10", "", "Rocky Linux:8"),
        ("ol", "8.9", "", "Oracle Linux:8"),
        ("amzn", "2018.03", "", "Amazon Linux:1"),
        ("amzn", "2", "", "Amazon Linux:2"),
        ("amzn", "2023", "", "Amazon Linux:2023"),
        ("fedora", "40", "", "Fedora:40"),
        ("sles", "15.5", "", "SUSE:15.5"),
        ("sles", "15", "", "SUSE:15.0"),
        ("opensuse-leap", "15.5", "", "openSUSE:Leap 15.5"),
        ("opensuse-tumbleweed", "20240101", "", "openSUSE:Tumbleweed"),
        ("photon", "4.0", "", "Photon OS:4.0"),
        ("azurelinux", "3.0", "", "Azure Linux:3"),
        ("mariner", "2.0.20240301", "", "Azure Linux:2"),
        ("arch", "", "", "Arch Linux"),
        ("chainguard", "20230214", "", "Chainguard"),
        ("mageia", "9", "", "Mageia:9"),
    ],
)
def test_releases_as_advisories_name_them(id: str, version: str, codename: str, wanted: str) -> None:
    assert ecosystem(OperatingSystem(id, version, codename=codename)) == wanted


def test_a_distribution_is_asked_about_the_source_package() -> None:
    deb = package("libssl", "1-1+b1", source_name="openssl", source_version="1-1")
    (asked,) = questions(inventory(deb, os=DEBIAN))
    assert asked.queries == (Query("Debian:11", "openssl", "1-1"),)


def test_centos_is_built_of_rhel_and_stream_runs_ahead_of_it() -> None:
    assert ecosystem(OperatingSystem("centos", "7", "CentOS Linux 7 (Core)")) == "Red Hat:7"
    assert ecosystem(OperatingSystem("centos", "9", "CentOS Stream 9")) == "CentOS Stream:9"
    assert ecosystem(OperatingSystem("openeuler", "22.03", "openEuler 22.03 (LTS-SP1)")) == "openEuler:22.03-LTS-SP1"


def test_an_rpm_is_asked_for_by_both_names_with_module_and_architecture() -> None:
    module = "nodejs:18:8090020231114114937:a75119d5"
    npm = package("npm", "1:8-1", "rpm", source_name="nodejs", source_version="1:18-1", module=module, arch="x86_64")
    (asked,) = questions(inventory(npm, os=OperatingSystem("rhel", "8.9")))
    assert asked.queries == (
        Query("Red Hat:8", "nodejs", "1:18-1", "nodejs:18", "x86_64"),
        Query("Red Hat:8", "npm", "1:8-1", "nodejs:18", "x86_64"),
    )


@pytest.mark.parametrize(
    ("package", "why"),
    [
        (package("x", "1", "rpm", vendor="Docker"), "built by Docker, Red Hat Enterprise Linux does not answer for it"),
        (package("log4j-core", "2.0", "maven"), "the group of the artifact is not known"),
        (package("example.com/x", "", "golang"), "its version is not known"),
        (package("thing", "1", "unheard"), "no feed speaks of unheard packages"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_not_checked_and_says_why(package: Package, why: str) -> None:
    known = Known(advisory("CVE-1", "Red Hat:8", "x", "1"), advisory("CVE-2", "Maven", "x", "1"))
    found = judge(known, inventory(package, os=OperatingSystem("rhel", "8.9")))
    assert found.reasons == {package.purl: why}


def test_what_a_lock_file_names_is_judged_only_when_asked_for() -> None:
    known = Known(advisory("CVE-1", "npm", "left-pad", "2.0.0"))
    locked = package("left-pad", "1.0.0", "npm", declared=True)
    found = judge(known, inventory(locked))
    assert replace(found, mark="") == Judgement(())
    assert [one.id for one in Judge(known, declared=True).judge(inventory(locked)).vulnerabilities] == ["CVE-1"]


def test_a_program_without_a_package_is_asked_for_by_its_cpe() -> None:
    known = Known(advisory("CVE-1", "Generic", "haxx:curl", "8.0.0"))
    curl = package("curl", "7.88.0", "generic", cpes=("cpe:2.3:a:haxx:curl:7.88.0:*:*:*:*:*:*:*",))
    assert [one.id for one in judge(known, inventory(curl)).vulnerabilities] == ["CVE-1"]


def test_fixes_that_only_customers_get_are_told_as_such() -> None:
    esm = advisory("CVE-1", "Ubuntu:Pro:18.04:LTS", "openssl", "1.1.1-1ubuntu2.1~18.04.23+esm4")
    known = Known(esm, advisory("CVE-2", "Ubuntu:18.04:LTS", "openssl", "1.1.1-1ubuntu2.1~18.04.23"))
    mine = package("openssl", "1.1.1-1ubuntu2.1~18.04.22")
    found = judge(known, inventory(mine, os=OperatingSystem("ubuntu", "18.04"))).vulnerabilities
    assert [(one.id, one.fixed, one.status) for one in found] == [
        ("CVE-1", "", "affected"),
        ("CVE-2", "1.1.1-1ubuntu2.1~18.04.23", "fixed"),
    ]
    assert found[0].note == "fixed in 1.1.1-1ubuntu2.1~18.04.23+esm4 for customers of Ubuntu Pro only"


def test_headers_of_the_kernel_do_not_count() -> None:
    known = Known(advisory("CVE-1", "Debian:11", "linux", "6.0-1"))
    headers = package("linux-libc-dev", "5.10-1", source_name="linux", source_version="5.10-1")
    found = judge(known, inventory(headers, os=DEBIAN))
    assert not found.vulnerabilities
    assert [one.suppressed for one in found.suppressed] == ["headers of the kernel, which does not run in a container"]


def test_a_release_without_support_is_a_finding_of_its_own() -> None:
    known = Known(advisory("CVE-1", "Debian:10", "x", "1"))
    told = judge(known, inventory(os=OperatingSystem("debian", "10.13")), today="2026-01-01").ended
    assert told == EndOfLife("Debian 10", "2022-09-10", "2024-06-30")
    imported = judge(known, inventory(os=OperatingSystem("debian", "13")), today="2026-01-01").ended
    assert imported == EndOfLife("Debian 13", "2025-12-31", "2030-06-30", Severity.LOW), "imported dates go first"
    assert judge(known, inventory(os=OperatingSystem("ubuntu", "24.04")), today="2026-01-01").ended is None
    assert support(OperatingSystem("alpine", "3.11.5"), "2026-01-01") == ("2021-11-01", "")
    assert support(OperatingSystem("amzn", "2018.03"), "2026-01-01") == ("2023-12-31", "")
    assert support(OperatingSystem("unheard", "1"), "2026-01-01") is None


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
    assert [(one.installed, one.suppressed) for one in verdict.suppressed] == [
        ("1.1", "answered by Debian 11, whose package it belongs to")
    ]
    assert verdict.unchecked == frozenset()


def test_a_distribution_that_nobody_has_read_answers_for_nothing() -> None:
    known = Known(advisory("CVE-2", "PyPI", "flask", "2.0"))
    verdict = judge(known, inventory(package("flask", "1.1", "pypi", owned=True), os=DEBIAN))
    assert [one.id for one in verdict.vulnerabilities] == ["CVE-2"]


def test_what_no_feed_covers_is_not_checked() -> None:
    known = Known(advisory("CVE-1", "Debian:11", "x", "1"))
    os, npm, owned = package("y", "1"), package("n", "1", "npm"), package("o", "1", "pypi", owned=True)
    assert judge(known, inventory(os, npm, owned, os=DEBIAN)).unchecked == {npm.purl}
    assert judge(known, inventory(os, npm, owned)).unchecked == {os.purl, npm.purl, owned.purl}
    assert judge(known, inventory(npm)).reasons == {npm.purl: "no imported feed covers npm"}


def test_a_sample_finds_but_its_silence_says_nothing() -> None:
    known = Known(advisory("CVE-1", "Debian:11", "x", "1"), covered=MIN_PACKAGES - 1)
    hit, other = package("x", "0"), package("y", "1")
    verdict = judge(known, inventory(hit, other, os=DEBIAN))
    assert [one.package for one in verdict.vulnerabilities] == ["x"]
    assert verdict.unchecked == {hit.purl, other.purl}


def test_judgements_that_say_the_same_have_the_same_mark() -> None:
    known = Known(advisory("CVE-1", "Debian:11", "x", "1"))
    first = judge(known, inventory(package("x", "0"), package("y", "1"), os=DEBIAN))
    assert first.mark
    assert judge(known, inventory(package("x", "0"), package("y", "1"), os=DEBIAN)).mark == first.mark
    assert judge(known, inventory(package("x", "0"), os=DEBIAN)).mark == first.mark, "of y there is nothing to say"
    others = (
        judge(known, inventory(package("x", "0.1"), package("y", "1"), os=DEBIAN)),
        judge(known, inventory(package("x", "0"), package("n", "1", "npm"), os=DEBIAN)),
        judge(Known(advisory("CVE-2", "Debian:11", "x", "1")), inventory(package("x", "0"), os=DEBIAN)),
        judge(known, inventory(package("x", "0"), package("y", "1"), os=DEBIAN), today="2026-01-01"),
    )
    assert len({first.mark, *(one.mark for one in others)}) == 5
