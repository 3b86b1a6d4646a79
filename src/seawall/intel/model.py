"""What the world knows, in frozen values: advisories as feeds give them, questions that rooms ask, answers they get."""

from dataclasses import dataclass

from seawall.core.severity import Severity


@dataclass(frozen=True, slots=True)
class Range:
    """Versions that an advisory speaks of: from `introduced` (inclusive; "" is the very first) up to an end."""

    introduced: str = ""
    fixed: str = ""
    """First version that is good again (exclusive end); "" if there is none."""
    last_affected: str = ""
    """Inclusive end, where the source names no fixed version."""
    limit: str = ""
    """Exclusive end of what the source speaks of, which mends nothing: OSV's limit, the next major version of ^1.2."""
    after: str = ""
    """Exclusive beginning, in place of `introduced`: >1.2."""


@dataclass(frozen=True, slots=True)
class Affected:
    """One package of one ecosystem that an advisory is about."""

    ecosystem: str
    """OSV's words: "PyPI", "npm", "Go", "Debian:12", "Alpine:v3.11"."""
    package: str
    """Normalised name; for distributions the source package."""
    ranges: tuple[Range, ...] = ()
    versions: tuple[str, ...] = ()
    """Versions named one by one."""
    status: str = "fixed"
    """fixed, affected, will_not_fix, deferred, not_affected or end_of_life: the source's own word, normalised."""
    severity: Severity = Severity.UNKNOWN
    """The distribution's own rating, where it has one; it goes before the advisory's."""
    module: str = ""
    """Name and stream of the module that the package is built for ("nodejs:18"); "" for packages of no module."""
    arches: tuple[str, ...] = ()
    """Architectures that it is about; none is all."""
    unread: str = ""
    """Why a part of what the source says cannot be held against versions: its ranges name commits."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One record of one feed."""

    id: str
    """The source's id: PYSEC-2024-1, GO-2024-1, DSA-5000-1, CVE-2024-1."""
    source: str
    """The feed's short name: osv, alpine, debian."""
    aliases: tuple[str, ...] = ()
    title: str = ""
    details: str = ""
    severity: Severity = Severity.UNKNOWN
    cvss: str = ""
    """The vector with the highest version that the source gives, or ""."""
    score: float | None = None
    """CVSS base score, 0.0 to 10.0."""
    vectors: tuple[str, ...] = ()
    """All CVSS vectors that the source gives; `cvss` is the one that it is judged by."""
    poc: bool = False
    """The source knows of code that exploits it."""
    cwes: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    published: str = ""
    modified: str = ""
    withdrawn: str = ""
    affected: tuple[Affected, ...] = ()


@dataclass(frozen=True, slots=True)
class Exploited:
    """A vulnerability that is used by attackers, by CISA's catalogue."""

    cve: str
    added: str
    due: str = ""
    ransomware: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Predicted:
    """How likely a vulnerability is to be used within 30 days, by FIRST's EPSS."""

    cve: str
    score: float
    """0 to 1."""
    percentile: float
    """Share of all vulnerabilities with a lower score, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Exploit:
    """Public code that uses a vulnerability."""

    cve: str
    kind: str
    """Whose collection it is in: exploitdb, metasploit, nuclei or poc."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One release of a product and when its support ends."""

    product: str
    """In the words of endoflife.date: "debian", "nodejs"."""
    name: str
    """The release: "12", "3.11"."""
    codename: str = ""
    released: str = ""
    support: str = ""
    """Date on which active support ends (RFC 3339 day), "" when it is not known; so are the others."""
    end: str = ""
    """Date of the end of security updates, without pay."""
    extended: str = ""
    """End of updates for those who pay."""
    ended: bool = False
    """It has ended, on a day that nobody says."""
    latest: str = ""


@dataclass(frozen=True, slots=True)
class Indicator:
    """Something by which an attack is known: an address, a network, a domain, a file's hash."""

    type: str
    """ip, net, domain or sha256."""
    value: str
    """Normalised: addresses and networks as ipaddress writes them, names and hashes in small letters."""
    kind: str = "other"
    """c2, botnet, malware, phishing, ransomware, exploit, mining, tor, proxy, vpn, scanner, tunnel, paste or other;
    of entries that people make also blocked and allowed."""
    confidence: int = 50
    """0 to 100."""
    expires: str = ""
    """When it ends, as RFC 3339 in UTC; "" for never."""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One installed package, as the matcher asks for it."""

    ecosystem: str
    """As in Affected; for distributions with the release: "Debian:12", "Alpine:v3.11"."""
    name: str
    """The name that advisories use: for distributions the source package."""
    version: str
    """The version that advisories compare: for distributions the source package's."""
    module: str = ""
    """As in Affected."""
    arch: str = ""
    """The package's architecture, in its distribution's words; "" if it has none."""


@dataclass(frozen=True, slots=True)
class Match:
    """One vulnerability of one queried package, with the advisories that agree on it merged."""

    id: str
    """The CVE id if any advisory names one, else the advisory's own."""
    aliases: tuple[str, ...]
    severity: Severity
    score: float | None
    cvss: str
    fixed: str
    """Lowest version that mends it, in the order of the ecosystem; "" if none is known."""
    status: str
    kev: bool
    epss: float | None
    title: str
    url: str
    source: str
    """The feed, or feeds joined by a comma."""
    published: str = ""
    vectors: tuple[str, ...] = ()
    """All CVSS vectors that are known, newest version first; `cvss` is the chosen one."""
    chosen: str = ""
    """Why this severity and this score: whose word they are."""
    cwes: tuple[str, ...] = ()
    poc: bool = False
    """Code that exploits it is public."""
    ransomware: bool = False
    """Used in ransomware campaigns, by CISA's catalogue."""
    due: str = ""
    """Date by which CISA wants it mended; "" if it is not in the catalogue."""
    percentile: float | None = None
    """Share of all vulnerabilities with a lower EPSS, 0 to 1."""
