"""All kinds of findings of a scan in one form, for formats that have one list for them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from seawall.core.severity import Severity
from seawall.images.model import EndOfLife, Malware, Risk, Scan, Secret, Vulnerability

MAX_REASONS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report."""

    kind: str
    """vuln, secret, malware or config."""
    rule: str
    severity: Severity
    title: str
    """What is wrong, in one line."""
    detail: str
    """Where and how it was seen, and what mends it."""
    path: str
    layer: int
    line: int = 0
    score: float | None = None
    url: str = ""
    identity: str = ""
    """Tells it from others of the same rule and path."""


def findings(scan: Scan) -> Iterator[Finding]:
    """Vulnerabilities first, each kind in the order of the scan."""
    inventory = scan.inventory
    for one in scan.judgement.vulnerabilities if scan.judgement else ():
        yield _vulnerability(one)
    if scan.judgement and scan.judgement.ended:
        yield _ended(scan.judgement.ended)
    yield from map(_secret, inventory.secrets)
    yield from map(_malware, inventory.malware)
    yield from map(_risk, inventory.risks)


def gaps(scan: Scan) -> list[str]:
    """What the verdict does not cover. Empty: everything that was asked for was looked for everywhere."""
    found: list[str] = []
    inventory = scan.inventory
    if "vuln" in scan.scanners:
        found += _unjudged(scan)
    for name in scan.scanners:
        if why := inventory.checked.get(name):
            found.append(f"{name}: {why}")
    if broken := int(inventory.stats.get("unread_layers", 0)):
        found.append(f"{broken} layers could not be read to their end")
    if left := int(inventory.stats.get("left_out", 0)):
        found.append(f"{left} findings over the limit of one image are left out")
    return found


def _unjudged(scan: Scan) -> Iterator[str]:
    if scan.judgement is None:
        yield f"vulnerabilities: {scan.not_checked}"
        return
    packages = scan.inventory.packages
    unchecked = [one.purl for one in packages if one.purl in scan.judgement.unchecked]
    whys = Counter(scan.judgement.reasons.get(purl, "no imported feed covers their ecosystem") for purl in unchecked)
    for why, count in whys.most_common(MAX_REASONS):
        yield f"{count} packages: {why}{' (`seawall intel status` lists them)' if 'feed covers' in why else ''}"
    if len(whys) > MAX_REASONS:
        yield f"{sum(count for _, count in whys.most_common()[MAX_REASONS:])} packages: other reasons"
    if not packages:
        yield "no package was found, so there was nothing to judge"


def _vulnerability(one: Vulnerability) -> Finding:
    mend = f"update to {one.fixed}" if one.fixed else f"no fixed version ({one.status.replace('_', ' ')})"
    title = f"{one.package} {one.installed}: {one.title or one.id}"
    return Finding(
        "vuln", one.id, one.severity, title, mend, one.path, one.layer,
        score=one.score, url=one.url, identity=one.purl,
    )  # fmt: skip


def _ended(one: EndOfLife) -> Finding:
    more = f"; extended support until {one.extended}" if one.extended else ""
    detail = f"no free support since {one.ended}{more}; build on a release that gets fixes"
    return Finding("config", "end-of-life", one.severity, f"{one.system} is at its end", detail, "", -1)


def _secret(one: Secret) -> Finding:
    where = {"file": "", "env": "environment of the image", "label": "label of the image"}.get(one.place, one.place)
    gone = "deleted by a later layer, still in the image; " if one.deleted else ""
    detail = f"{one.shown} {gone}confidence {one.confidence}; revoke it and build the image without it"
    return Finding(
        "secret", one.rule, one.severity, one.title, f"{where} {detail}".strip(), one.path, one.layer,
        line=one.line, identity=one.fingerprint,
    )  # fmt: skip


def _malware(one: Malware) -> Finding:
    inside = f" in {one.member}" if one.member else ""
    detail = f"{one.level}, family {one.family or 'not named'}{inside}, offset {one.offset}, sha256 {one.sha256}"
    identity = f"{one.sha256}!{one.member}"
    return Finding(
        "malware", one.rule, one.severity, one.about or one.rule, detail, one.path, one.layer, identity=identity
    )


def _risk(one: Risk) -> Finding:
    return Finding(
        "config", one.check, one.severity, one.title, one.evidence, one.path, one.layer, one.line, identity=one.evidence
    )
