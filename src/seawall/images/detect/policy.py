"""Whether an image is as a policy wants it. Pure: a policy and a scan come in, reasons come out.

A rule that could not be checked never passes for fulfilled: where a policy asks for what was not looked for, that is a
reason of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from seawall.core import clock
from seawall.core.severity import Severity
from seawall.images.lines import gaps
from seawall.images.model import ALLOWED, DENIED, OBSERVED, Decision, Inventory, Reason, Scan, Vulnerability

LEVELS = ("malicious", "suspicious", "noted")
MODES = ("observe", "enforce")
MAX_NAMED = 5
"""Findings that a reason names."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is refused. A rule that is not set asks nothing."""

    severity: str = ""
    """Vulnerabilities of this severity or a worse one."""
    fixable_only: bool = False
    """Of those, only the ones that a newer version mends."""
    cves: tuple[str, ...] = ()
    kev: bool = False
    """Vulnerabilities that are known to be exploited."""
    epss: float | None = None
    """Those that are exploited within 30 days at least this likely, 0 to 1."""
    packages: tuple[str, ...] = ()
    """`NAME` or `NAME@VERSION`, each with `*` where anything may stand."""
    secrets: str = ""
    """Secrets of this severity or a worse one."""
    malware: str = ""
    """Files of this level or a worse one: malicious, suspicious, noted."""
    config: str = ""
    """Findings in files and configuration of this severity or a worse one."""
    checks: tuple[str, ...] = ()
    """Ids of such checks."""
    root: bool = False
    """Images that start as root."""
    max_age_days: int = 0
    """Images that were built longer ago."""
    registries: tuple[str, ...] = ()
    """Images whose name fits none of these."""
    latest: bool = False
    """Images without a tag, or with the tag `latest`."""
    labels: tuple[str, ...] = ()
    """Images without one of these labels: `NAME` or `NAME=VALUE`."""
    not_checked: bool = False
    """Images of which a part could not be checked: broken layers, packages that no feed covers."""
    max_scan_days: int = 0
    """Images whose newest scan is older."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules for the images that it is about."""

    name: str
    rules: Rules = field(default_factory=Rules)
    mode: str = "observe"
    include: tuple[str, ...] = ()
    """Patterns of names; none: all images."""
    exclude: tuple[str, ...] = ()
    observe_until: str = ""
    """A policy in mode enforce only observes until then."""
    id: str = ""


def problem(policy: Policy) -> str:
    """What is wrong with a policy, or ""."""
    rules = policy.rules
    severities = [one.value for one in Severity]
    for name in ("severity", "secrets", "config"):
        if (value := getattr(rules, name)) and value not in severities:
            return f"{name} is one of {', '.join(severities)}, not {value!r}"
    if rules.malware and rules.malware not in LEVELS:
        return f"malware is one of {', '.join(LEVELS)}, not {rules.malware!r}"
    if policy.mode not in MODES:
        return f"mode is one of {', '.join(MODES)}, not {policy.mode!r}"
    if rules.epss is not None and not 0 <= rules.epss <= 1:
        return f"epss is from 0 to 1, not {rules.epss}"
    if min(rules.max_age_days, rules.max_scan_days) < 0:
        return "days are not negative"
    if rules == Rules():
        return "the policy has no rule"
    return ""


def decide(policies: Sequence[Policy], scan: Scan, now: str) -> Decision:
    """What all policies together say: one that denies is enough."""
    verdict, denied, observed = ALLOWED, list[Reason](), list[Reason]()
    for policy in policies:
        if not concerns(policy, scan.inventory):
            continue
        found = list(broken(policy, scan, now))
        if found and policy.mode == "enforce" and policy.observe_until <= now:
            denied += found
        else:
            observed += found
    if denied:
        verdict = DENIED
    elif observed:
        verdict = OBSERVED
    return Decision(verdict, (*denied, *observed))


def concerns(policy: Policy, inventory: Inventory) -> bool:
    """Whether the policy is about the image, by any of its names."""
    names = _names(inventory)
    if any(fnmatchcase(name, pattern) for name in names for pattern in policy.exclude):
        return False
    return not policy.include or any(fnmatchcase(name, pattern) for name in names for pattern in policy.include)


def broken(policy: Policy, scan: Scan, now: str) -> Iterator[Reason]:
    """The rules of a policy that a scan breaks."""
    for name, look in _LOOKS.items():
        if getattr(policy.rules, name) == getattr(Rules(), name):
            continue
        found = look(policy.rules, scan, now)
        if found is not None:
            message, examples = found
            shown = tuple(dict.fromkeys(examples))
            yield Reason(policy.name, name, message, max(len(examples), 1), shown[:MAX_NAMED])


Found = tuple[str, Sequence[str]] | None


def _severity(rules: Rules, scan: Scan, _now: str) -> Found:
    wanted = Severity(rules.severity)

    def counts(one: Vulnerability) -> bool:
        return one.severity.rank >= wanted.rank and (bool(one.fixed) or not rules.fixable_only)

    return _vulnerable(scan, f"vulnerabilities of severity {wanted.value} or worse", counts)


def _vulnerable(scan: Scan, what: str, counts: Callable[[Vulnerability], bool]) -> Found:
    if scan.judgement is None:
        return f"its vulnerabilities were not checked: {scan.not_checked}", ()
    found = [f"{one.id} in {one.package}" for one in scan.judgement.vulnerabilities if counts(one)]
    return (f"{len(found)} {what}", found) if found else None


def _cves(rules: Rules, scan: Scan, _now: str) -> Found:
    wanted = {cve.upper() for cve in rules.cves}

    def counts(one: Vulnerability) -> bool:
        return bool(wanted & {name.upper() for name in (one.id, *one.aliases)})

    return _vulnerable(scan, "of the refused vulnerabilities", counts)


def _kev(_rules: Rules, scan: Scan, _now: str) -> Found:
    return _vulnerable(scan, "vulnerabilities that are known to be exploited", lambda one: one.kev)


def _epss(rules: Rules, scan: Scan, _now: str) -> Found:
    least = rules.epss or 0.0
    return _vulnerable(scan, f"vulnerabilities of EPSS {least} or more", lambda one: (one.epss or 0.0) >= least)


def _packages(rules: Rules, scan: Scan, _now: str) -> Found:
    found = []
    for one in scan.inventory.packages:
        names = (one.name, f"{one.name}@{one.version}")
        if any(fnmatchcase(name, pattern) for name in names for pattern in rules.packages):
            found.append(names[1])
    return (f"{len(found)} of the refused packages", found) if found else None


def _secrets(rules: Rules, scan: Scan, _now: str) -> Found:
    least = Severity(rules.secrets).rank
    found = [f"{one.title} in {one.path or one.place}" for one in scan.inventory.secrets if one.severity.rank >= least]
    return _looked(scan, "secret", f"{len(found)} secrets", found)


def _malware(rules: Rules, scan: Scan, _now: str) -> Found:
    levels = LEVELS[: LEVELS.index(rules.malware) + 1]
    found = [f"{one.rule} in {one.path}" for one in scan.inventory.malware if one.level in levels]
    return _looked(scan, "malware", f"{len(found)} files with malware", found)


def _config(rules: Rules, scan: Scan, _now: str) -> Found:
    least = Severity(rules.config).rank
    found = [one.title for one in scan.inventory.risks if one.severity.rank >= least]
    return _looked(scan, "config", f"{len(found)} findings in files and configuration", found)


def _checks(rules: Rules, scan: Scan, _now: str) -> Found:
    found = [one.title for one in scan.inventory.risks if one.check in rules.checks]
    return _looked(scan, "config", f"{len(found)} of the refused findings", found)


def _looked(scan: Scan, scanner: str, message: str, found: Sequence[str]) -> Found:
    if found:
        return message, found
    why = scan.inventory.checked.get(scanner, "the scan did not look for it")
    return (f"{scanner} was not checked: {why}", ()) if why else None


def _root(_rules: Rules, scan: Scan, _now: str) -> Found:
    user = scan.inventory.config.user.partition(":")[0]
    return ("it starts as root", ()) if user in ("", "0", "root") else None


def _max_age_days(rules: Rules, scan: Scan, now: str) -> Found:
    created = scan.inventory.config.created
    try:
        days = (clock.parse_time(now) - clock.parse_time(created)) / 86400
    except ValueError:
        return "it does not say when it was built", ()
    return (f"it was built {days:.0f} days ago", ()) if days > rules.max_age_days else None


def _max_scan_days(rules: Rules, scan: Scan, now: str) -> Found:
    days = (clock.parse_time(now) - clock.parse_time(scan.scanned_at)) / 86400
    return (f"its newest scan is {days:.0f} days old", ()) if days > rules.max_scan_days else None


def _registries(rules: Rules, scan: Scan, _now: str) -> Found:
    names = _names(scan.inventory)
    if any(fnmatchcase(name, pattern) for name in names for pattern in rules.registries):
        return None
    return "it is of none of the registries that are allowed", names[:1]


def _latest(_rules: Rules, scan: Scan, _now: str) -> Found:
    tags = scan.inventory.tags or tuple(filter(None, (scan.inventory.name,)))
    pinned = [tag for tag in tags if "@" in tag or (":" in tag.rpartition("/")[2] and not tag.endswith(":latest"))]
    return None if pinned else ("it has no tag but latest", tags[:1])


def _labels(rules: Rules, scan: Scan, _now: str) -> Found:
    has = scan.inventory.config.labels
    pairs = {f"{name}={value}" for name, value in has.items()}
    missing = [one for one in rules.labels if one not in pairs and ("=" in one or one not in has)]
    return (f"{len(missing)} labels are missing", missing) if missing else None


def _not_checked(_rules: Rules, scan: Scan, _now: str) -> Found:
    found = gaps(scan)
    return (f"{len(found)} things could not be checked", found) if found else None


_LOOKS: dict[str, Callable[[Rules, Scan, str], Found]] = {
    "malware": _malware,
    "kev": _kev,
    "cves": _cves,
    "severity": _severity,
    "epss": _epss,
    "secrets": _secrets,
    "packages": _packages,
    "config": _config,
    "checks": _checks,
    "root": _root,
    "registries": _registries,
    "latest": _latest,
    "labels": _labels,
    "max_age_days": _max_age_days,
    "max_scan_days": _max_scan_days,
    "not_checked": _not_checked,
}
"""The worst first."""


def _names(inventory: Inventory) -> list[str]:
    names = (inventory.name, *inventory.tags, *inventory.digests)
    return list(dict.fromkeys(name for name in names if name))
