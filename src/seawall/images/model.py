"""What is inside an image: the values that collectors yield, detectors judge, stores keep and reports show."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seawall.core.severity import Severity
from seawall.core.skipped import Skipped

SCHEMA = "seawall.scan/1"
ALLOWED, OBSERVED, DENIED = "allowed", "observed", "denied"
"""What policies decide."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image, lowest first."""

    index: int
    diff_id: str
    """sha256 of the uncompressed tar, as the configuration names it; "" if the image does not say."""
    size: int = 0
    """Uncompressed bytes."""
    created_by: str = ""
    """The instruction of the history that made it."""
    empty: bool = False
    base: bool = False
    """It came with the image that this one is built on, as far as that can be told, see detect/base.py."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where in an image something was seen."""

    path: str
    layer: int
    """Index of the layer."""


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package, with the evidence of where it was read."""

    name: str
    """The **uncanonicalised** name as the database gives it."""
    version: str
    kind: str
    """The type of the purl: deb, apk, rpm, pypi, npm, golang …, see docs/reference/packages.md."""
    purl: str
    source_name: str = ""
    """The source package, which distributions' advisories name; "" where there is none."""
    source_version: str = ""
    arch: str = ""
    license: str = ""
    locations: tuple[Location, ...] = ()
    owned: bool = False
    """A language package whose files belong to an OS package: the distribution answers for it."""
    declared: bool = False
    """A lock file or manifest names it, but it was not seen installed."""
    cpes: tuple[str, ...] = ()
    """CPE 2.3 names, of what NVD alone knows: programs that came without a package."""
    module: str = ""
    """The stream of modules that an rpm was built for: nodejs:18:8090020231114114937:a75119d5."""
    vendor: str = ""
    """Who built an rpm."""
    evidence: str = ""
    """What told of it, in a few words: "dpkg status", "pom.properties", "build info", "version string" …"""


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that opens a door: a key, a token, a password. What it is never leaves the machine that read it."""

    rule: str
    """Id of the rule that knew it."""
    title: str
    severity: Severity
    confidence: str
    """high, medium or low: how likely it is real, from its form and its place."""
    shown: str
    """Redacted: enough to recognise it by, not enough to use it."""
    fingerprint: str
    """Equal for equal secrets of one installation, of no use to anybody else."""
    category: str = ""
    line: int = 0
    """From 1; 0 where there are no lines."""
    place: str = "file"
    """file, env, label or history."""
    encoding: str = ""
    """base64, gzip, utf-16 where it lay packed."""
    context: str = ""
    """The line around it, redacted."""
    path: str = ""
    layer: int = -1
    deleted: bool = False
    """A later layer removes or replaces the file: whoever has the image has the secret all the same."""


@dataclass(frozen=True, slots=True)
class Malware:
    """A file, or a member of an archive, that a rule knows."""

    rule: str
    family: str
    level: str
    """malicious, suspicious or noted, as seawall.malware.model.Level has them."""
    severity: Severity
    about: str
    sha256: str
    """Of the file."""
    size: int
    kind: str
    """The file's class."""
    offset: int = -1
    """Bytes from the beginning of the file or member; -1 when the rule's condition alone was met."""
    member: str = ""
    source: str = ""
    """The rule's file, or the engine."""
    path: str = ""
    layer: int = -1
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Risk:
    """Something of an image's files or configuration that is not as it should be. JSON calls the list `config`."""

    check: str
    """Id of the check: its title, reason and advice in each language are data of the product."""
    title: str
    severity: Severity
    category: str = ""
    evidence: str = ""
    """What was seen, in one line."""
    path: str = ""
    layer: int = -1
    """-1: of the image as a whole."""
    line: int = 0
    """Of the Dockerfile, from 1; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """From os-release, or from what the distribution leaves behind without one."""

    id: str
    """debian, ubuntu, alpine, …"""
    version: str
    """VERSION_ID, or the whole of /etc/alpine-release, debian_version …"""
    name: str = ""
    """PRETTY_NAME."""
    codename: str = ""


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The part of an image's configuration that people and checks look at."""

    id: str
    """sha256 of the configuration: the image's id."""
    created: str = ""
    architecture: str = ""
    os: str = ""
    author: str = ""
    user: str = ""
    workdir: str = ""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    healthcheck: tuple[str, ...] | None = None
    shell: tuple[str, ...] = ()
    stop_signal: str = ""
    on_build: tuple[str, ...] = ()
    """Instructions that run in builds on top of this image."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that was read of one image; matching it with what the world knows needs no image any more."""

    target: str
    """As the user named it: docker:nginx:1.27, docker-archive:image.tar."""
    name: str
    """A reference by which people know it; may be empty for an untagged one."""
    config: ImageConfig
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    os: OperatingSystem | None = None
    layers: tuple[Layer, ...] = ()
    packages: tuple[Package, ...] = ()
    secrets: tuple[Secret, ...] = ()
    malware: tuple[Malware, ...] = ()
    risks: tuple[Risk, ...] = ()
    checked: dict[str, str] = field(default_factory=dict)
    """Analyser that was asked for → "", or why it did not look. What is not here was not asked for."""
    skipped: tuple[Skipped, ...] = ()
    stats: dict[str, float] = field(default_factory=dict)
    """files, bytes, seconds, skipped, unread_layers."""


@dataclass(frozen=True, slots=True)
class RiskPart:
    """One reason for a risk's height."""

    name: str
    """severity, exploitation, probability, ransomware, fix, exposed, running or bounds."""
    points: int
    why: str


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One vulnerability of one package of an image."""

    id: str
    aliases: tuple[str, ...]
    package: str
    installed: str
    fixed: str
    status: str
    severity: Severity
    score: float | None
    cvss: str
    epss: float | None
    kev: bool
    title: str
    url: str
    source: str
    purl: str
    path: str
    layer: int
    vectors: tuple[str, ...] = ()
    """All CVSS vectors; `cvss` is the chosen one."""
    chosen: str = ""
    """Whose severity and score these are."""
    cwes: tuple[str, ...] = ()
    poc: bool = False
    """Code that exploits it is public."""
    ransomware: bool = False
    due: str = ""
    """Date by which CISA wants it mended."""
    percentile: float | None = None
    """Share of all vulnerabilities with a lower EPSS, 0 to 1."""
    risk: int = 0
    """0 to 100."""
    parts: tuple[RiskPart, ...] = ()
    """What the risk is made of."""
    note: str = ""
    """What else to know: a fix that only customers get."""
    suppressed: str = ""
    """Why it does not count: who answers for it, who has decided so and for what reason."""
    decided: str = ""
    """The status of the decision that suppresses it: not_affected, fixed or accepted."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Somebody's word on findings: an entry of an ignore file, a statement of a vendor (VEX)."""

    ids: tuple[str, ...]
    """Of a vulnerability, any of its names; of others the rule or check."""
    status: str
    """not_affected, fixed, accepted (it is there, and somebody lives with it), affected or under_investigation."""
    reason: str
    source: str
    """The file it stands in, and who says so."""
    packages: tuple[str, ...] = ()
    """Purls, or names with * and ?; any of them. None: every package."""
    images: tuple[str, ...] = ()
    """Names or digests of images, with * and ?; purls of type oci; any of them. None: every image."""
    paths: tuple[str, ...] = ()
    """Paths in the image, with * and ?; any of them. None: every path."""
    until: str = ""
    """Last day on which it holds, YYYY-MM-DD; "" for ever."""
    kind: str = "vulnerability"
    """vulnerability, secret, malware or config."""
    justification: str = ""
    """Why it is not affected, in the words of OpenVEX: vulnerable_code_not_in_execute_path …"""
    systems: tuple[str, ...] = ()
    """Ids of os-release with a release ("rhel 9"), of a statement about a distribution's packages; any of them."""


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """A distribution's release that gets no more free fixes: what is not found in it may only not be looked for."""

    system: str
    """"Debian 10"."""
    ended: str
    """Last day of free support."""
    extended: str = ""
    """Last day of support that somebody pays for or volunteers give; "" for none."""
    severity: Severity = Severity.MEDIUM
    """Low while there is extended support."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of an inventory."""

    vulnerabilities: Sequence[Vulnerability]
    """The worst first."""
    unchecked: frozenset[str] = frozenset()
    """Purls of packages that no feed speaks of: they could not be judged."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Purl of such a package → why."""
    suppressed: Sequence[Vulnerability] = ()
    """Those that do not count, each with its reason."""
    ended: EndOfLife | None = None
    told: tuple[str, ...] = ()
    """Of decisions that no longer hold or that nothing needs."""
    mark: str = ""
    """Equal for judgements that say the same; "" for one that nobody has marked."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that an image breaks."""

    policy: str
    rule: str
    """Name of the field in Rules."""
    message: str
    count: int = 1
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an image."""

    verdict: str
    """allowed, observed (a policy that does not deny yet is broken) or denied."""
    reasons: tuple[Reason, ...] = ()
    """Those of policies that deny come first."""


@dataclass(frozen=True, slots=True)
class Scan:
    """An inventory with what is known of it, as reports show it."""

    inventory: Inventory
    scanned_at: str
    scanners: tuple[str, ...]
    judgement: Judgement | None
    """None: vulnerabilities were not checked."""
    not_checked: str = ""
    """Why there is no judgement."""
    knowledge: dict[str, Any] = field(default_factory=dict)
    """Feeds with their age, as `seawall intel status` has them."""
    decision: Decision | None = None
    """What policies say; None: there are none."""
