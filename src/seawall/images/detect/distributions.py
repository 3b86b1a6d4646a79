"""Distributions: which advisories speak of a release, whose packages its own are, when its support ends.

Names of ecosystems are OSV's where OSV has one. Dates are the makers' own announcements, as endoflife.date lists them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from seawall.images.model import OperatingSystem
from seawall.intel.model import Cycle


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is known of one id of os-release."""

    name: str
    """As people call it."""
    ecosystem: Callable[[OperatingSystem], str]
    """The release as advisories name it, "" for one that no feed can speak of."""
    vendors: tuple[str, ...] = ()
    """How the vendor of its own rpms begins; others came from elsewhere, and it does not answer for them."""
    ends: Mapping[str, str] | None = None
    """Release → last day of its free support."""
    extended: Mapping[str, str] | None = None
    """Release → last day of support that somebody pays for or volunteers give."""
    release: Callable[[OperatingSystem], str] = lambda system: system.version
    """The key in `ends`."""


_CODENAMES = {"buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14"}


def ecosystem(system: OperatingSystem | None) -> str:
    """A distribution's release as advisories name it: "Debian:12", "Alpine:v3.11"; "" for one that is not known."""
    known = distribution(system)
    return known.ecosystem(system) if known and system else ""


def distribution(system: OperatingSystem | None) -> Distribution | None:
    """What is known of an image's distribution."""
    return DISTRIBUTIONS.get(system.id) if system else None


def _major(system: OperatingSystem) -> str:
    major = system.version.partition(".")[0]
    return major if major.isascii() and major.isdigit() else ""


def _minor(system: OperatingSystem) -> str:
    """The first two numbers; "" unless there are two."""
    parts = system.version.split(".")
    whole = len(parts) >= 2 and all(part.isascii() and part.isdigit() for part in parts[:2])
    return ".".join(parts[:2]) if whole else ""


def _service_pack(system: OperatingSystem) -> str:
    """15.5, and 15.0 for a first release that says 15."""
    return _minor(system) or (f"{major}.0" if (major := _major(system)) else "")


def _by(family: str, release: Callable[[OperatingSystem], str]) -> Callable[[OperatingSystem], str]:
    return lambda system: f"{family}:{found}" if (found := release(system)) else ""


def _debian_release(system: OperatingSystem) -> str:
    return _major(system) or _CODENAMES.get(system.codename, "")


def _alpine(system: OperatingSystem) -> str:
    if not _minor(system):
        return ""
    edge = "_alpha" in system.version
    return "Alpine:edge" if edge else f"Alpine:v{_minor(system)}"


def _ubuntu(system: OperatingSystem) -> str:
    release = _minor(system)
    if not release:
        return ""
    year, month = release.split(".")
    return f"Ubuntu:{release}{':LTS' if month == '04' and int(year) % 2 == 0 else ''}"


def _centos(system: OperatingSystem) -> str:
    """CentOS Linux is built of RHEL's sources; Stream runs ahead of them, so that RHEL's fixes do not count there."""
    family = "CentOS Stream" if "stream" in system.name.lower() else "Red Hat"
    return _by(family, _major)(system)


def _amazon_release(system: OperatingSystem) -> str:
    major = _major(system)
    return "1" if len(major) == 4 and major < "2022" else major


def _open_euler(system: OperatingSystem) -> str:
    """22.03 (LTS-SP1) is 22.03-LTS-SP1."""
    extra = system.name.partition("(")[2].partition(")")[0]
    release = _minor(system)
    return f"openEuler:{release}{f'-{extra}' if extra else ''}" if release else ""


def _dates(text: str) -> dict[str, str]:
    return dict(pair.split() for pair in text.split(","))


_RED_HAT = _dates("10 2035-05-31, 9 2032-05-31, 8 2029-05-31, 7 2024-06-30, 6 2020-11-30, 5 2017-03-31")
_REBUILT = _dates("10 2035-05-31, 9 2032-05-31, 8 2029-05-31")
_DEBIAN = Distribution(
    "Debian",
    _by("Debian", _debian_release),
    ends=_dates(
        "13 2028-08-09, 12 2026-07-11, 11 2024-08-14, 10 2022-09-10, 9 2020-07-18, 8 2018-06-17, 7 2016-04-25,"
        "6 2014-05-31, 5 2012-02-06, 4 2010-02-15"
    ),
    extended=_dates(
        "13 2030-06-30, 12 2028-06-30, 11 2026-08-31, 10 2024-06-30, 9 2022-07-01, 8 2020-06-30, 7 2018-05-31,"
        "6 2016-02-29, 5 2012-02-06, 4 2010-02-15"
    ),
    release=_debian_release,
)
_SUSE = Distribution(
    "SUSE Linux Enterprise",
    _by("SUSE", _service_pack),
    ("SUSE",),
    _dates(
        "16.0 2027-11-30, 15.7 2031-07-31, 15.6 2025-12-31, 15.5 2024-12-31, 15.4 2023-12-31, 15.3 2022-12-31,"
        "15.2 2021-12-31, 15.1 2021-01-31, 15.0 2019-12-31, 12.5 2024-10-31, 12.4 2020-06-30, 12.3 2019-06-30,"
        "12.2 2018-03-31, 12.1 2017-05-31, 11.4 2019-03-31"
    ),
    _dates(
        "16.0 2030-11-30, 15.7 2034-07-31, 15.6 2028-12-31, 15.5 2027-12-31, 15.4 2026-12-31, 15.3 2025-12-31,"
        "15.2 2024-12-31, 15.1 2024-01-31, 15.0 2022-12-31, 12.5 2027-10-31, 12.4 2023-06-30, 12.3 2022-06-30,"
        "12.2 2021-03-31, 12.1 2020-05-31, 11.4 2022-03-31"
    ),
    _service_pack,
)
_LEAP = Distribution(
    "openSUSE Leap",
    lambda system: f"openSUSE:Leap {_service_pack(system)}" if _service_pack(system) else "",
    ("openSUSE", "SUSE"),
    _dates(
        "16.0 2027-10-31, 15.6 2026-04-30, 15.5 2024-12-31, 15.4 2023-12-07, 15.3 2022-12-31, 15.2 2022-01-04,"
        "15.1 2021-02-02, 15.0 2019-12-03, 42.3 2019-07-01"
    ),
    None,
    _service_pack,
)
_AZURE = Distribution("Azure Linux", _by("Azure Linux", _major), ("Microsoft",), release=_major)
DISTRIBUTIONS: dict[str, Distribution] = {
    "debian": _DEBIAN,
    "raspbian": _DEBIAN,
    "ubuntu": Distribution(
        "Ubuntu",
        _ubuntu,
        ends=_dates(
            "26.04 2031-04-30, 25.10 2026-07-01, 25.04 2026-01-17, 24.10 2025-07-10, 24.04 2029-05-31,"
            "23.10 2024-07-12, 23.04 2024-01-20, 22.10 2023-07-20, 22.04 2027-04-01, 21.10 2022-07-14,"
            "21.04 2022-01-20, 20.10 2021-07-22, 20.04 2025-05-31, 19.10 2020-07-06, 18.04 2023-05-31,"
            "16.04 2021-04-02, 14.04 2019-04-02"
        ),
        extended=_dates(
            "26.04 2036-04-30, 24.04 2036-05-31, 22.04 2032-04-09, 20.04 2030-04-02, 18.04 2028-04-01, 16.04 2026-04-02"
        ),
        release=_minor,
    ),
    "alpine": Distribution(
        "Alpine Linux",
        _alpine,
        ends=_dates(
            "3.24 2028-06-01, 3.23 2027-11-01, 3.22 2027-05-01, 3.21 2026-11-01, 3.20 2026-04-01, 3.19 2025-11-01,"
            "3.18 2025-05-09, 3.17 2024-11-22, 3.16 2024-05-23, 3.15 2023-11-01, 3.14 2023-05-01, 3.13 2022-11-01,"
            "3.12 2022-05-01, 3.11 2021-11-01, 3.10 2021-05-01, 3.9 2020-11-01, 3.8 2020-05-01, 3.7 2019-11-01,"
            "3.6 2019-05-01, 3.5 2018-11-01, 3.4 2018-05-01, 3.3 2017-11-01"
        ),
        release=_minor,
    ),
    "wolfi": Distribution("Wolfi", lambda _: "Wolfi"),
    "chainguard": Distribution("Chainguard", lambda _: "Chainguard"),
    "minimos": Distribution("MinimOS", lambda _: "MinimOS"),
    "rhel": Distribution(
        "Red Hat Enterprise Linux", _by("Red Hat", _major), ("Red Hat",), _RED_HAT,
        _dates("10 2039-05-31, 9 2036-05-31, 8 2033-05-31, 7 2029-05-31, 6 2024-06-30"), _major,
    ),
    "scientific": Distribution(
        "Scientific Linux", _by("Red Hat", _major), ends=_dates("7 2024-06-30, 6 2020-11-30"), release=_major
    ),
    "centos": Distribution(
        "CentOS", _centos, ("CentOS",), _dates("8 2021-12-31, 7 2024-06-30, 6 2020-11-30, 5 2017-03-31"), None,
        lambda system: f"stream {_major(system)}" if "stream" in system.name.lower() else _major(system),
    ),
    "almalinux": Distribution("AlmaLinux", _by("AlmaLinux", _major), ("AlmaLinux",), _REBUILT, None, _major),
    "rocky": Distribution("Rocky Linux", _by("Rocky Linux", _major), ("Rocky",), _REBUILT, None, _major),
    "ol": Distribution(
        "Oracle Linux", _by("Oracle Linux", _major), ("Oracle",),
        _dates("9 2032-06-30, 8 2029-07-31, 7 2024-12-31, 6 2021-03-31"),
        _dates("9 2035-06-30, 8 2032-07-31, 7 2028-06-30, 6 2024-12-31"), _major,
    ),
    "amzn": Distribution(
        "Amazon Linux", _by("Amazon Linux", _amazon_release), ("Amazon",),
        _dates("2023 2029-06-30, 2 2026-06-30, 1 2023-12-31"), None, _amazon_release,
    ),
    "fedora": Distribution(
        "Fedora Linux", _by("Fedora", _major), ("Fedora",),
        _dates(
            "44 2027-06-02, 43 2026-12-09, 42 2026-05-27, 41 2025-12-15, 40 2025-05-13, 39 2024-11-26, 38 2024-05-21,"
            "37 2023-12-05, 36 2023-05-16, 35 2022-12-13, 34 2022-06-07, 33 2021-11-30, 32 2021-05-25, 31 2020-11-24"
        ),
        None, _major,
    ),
    **dict.fromkeys(("sles", "sled", "sles_sap", "sle_hpc", "sle-micro", "sl-micro"), _SUSE),
    "opensuse-leap": _LEAP,
    "opensuse": _LEAP,
    "opensuse-tumbleweed": Distribution("openSUSE Tumbleweed", lambda _: "openSUSE:Tumbleweed", ("openSUSE", "SUSE")),
    "photon": Distribution("Photon OS", _by("Photon OS", _minor), ("VMware", "Broadcom"), release=_minor),
    "azurelinux": _AZURE,
    "mariner": _AZURE,
    "arch": Distribution("Arch Linux", lambda _: "Arch Linux"),
    "archarm": Distribution("Arch Linux ARM", lambda _: ""),
    "openeuler": Distribution("openEuler", _open_euler, ("http://openeuler.org",), release=_minor),
    "mageia": Distribution(
        "Mageia", _by("Mageia", _major), ("Mageia",),
        _dates("10 2028-03-31, 9 2026-09-29, 8 2023-11-30, 7 2021-06-30"), None, _major,
    ),
}  # fmt: skip
"""By ID of os-release."""


PRODUCTS = {
    "debian": "debian", "raspbian": "debian", "ubuntu": "ubuntu", "alpine": "alpine-linux", "rhel": "rhel",
    "almalinux": "almalinux", "rocky": "rocky-linux", "ol": "oracle-linux", "amzn": "amazon-linux", "fedora": "fedora",
    "sles": "sles", "opensuse-leap": "opensuse", "mageia": "mageia", "photon": "vmware-photon",
}  # fmt: skip
"""ID of os-release → the product in the words of endoflife.date."""


def support(system: OperatingSystem | None, today: str, cycles: Iterable[Cycle] = ()) -> tuple[str, str] | None:
    """The last day of free support and that of extended support ("" for none), if the former lies behind `today`
    (YYYY-MM-DD); None where the release is supported or nobody knows. `cycles` are imported dates: they go first."""
    known = distribution(system)
    if known is None or system is None:
        return None
    release = known.release(system)
    end, extended = (known.ends or {}).get(release, ""), (known.extended or {}).get(release, "")
    for cycle in cycles:
        if cycle.name == release and cycle.end:
            end, extended = cycle.end[:10], cycle.extended[:10] or extended
    return (end, extended) if end and end < today else None
