"""OVAL of Red Hat (v2), Oracle, SUSE, AlmaLinux, Azure Linux (CBL-Mariner) and Ubuntu. XML.

Formats: https://www.redhat.com/security/data/oval/v2/, https://linux.oracle.com/security/oval/,
https://ftp.suse.com/pub/projects/security/oval/, https://security.almalinux.org/oval/,
https://github.com/microsoft/AzureLinuxVulnerabilityData, https://security-metadata.canonical.com/oval/
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seawall.core.severity import Severity
from seawall.intel.collect.definitions import Definitions, Hit
from seawall.intel.collect.documents import Document
from seawall.intel.collect.markup import Node
from seawall.intel.collect.parsed import Parsed
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.releases import bare, redhat, suse

_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_ADVISORY = re.compile(r"(?:RHSA|RHBA|RHEA|ELSA|ALSA|ALBA|USN|SUSE-[SR]U|openSUSE-SU)-[\w:.-]+?(?=:?\s|:$|$)")
_PLATFORM = re.compile(r"(Oracle Linux|AlmaLinux) (\d+)")
_UBUNTU = re.compile(r"Ubuntu (\d\d\.\d\d)( LTS)?")
_AZURE = re.compile(r"\.(azl|cm)(\d+)")
_OTHER_BUILDS = re.compile(r"ksplice|_fips")
"""Oracle's builds with versions of their own, that packages of the distribution are not to be held against."""
_VECTOR = re.compile(r"CVSS:[34][^\s]*|AV:[LAN]/AC:[LMH]/Au:[^\s]*")


@dataclass(frozen=True, slots=True)
class Vendor:
    """Whose definitions they are, and how they name releases."""

    name: str
    mark: bytes
    releases: Callable[[Node, Hit], tuple[str, ...]]


def _redhat(definition: Node, _hit: Hit) -> tuple[str, ...]:
    cpes = definition.first("metadata", "advisory", "affected_cpe_list")
    return tuple(dict.fromkeys(one for cpe in (cpes.all("cpe") if cpes else ()) if (one := redhat(cpe.text.strip()))))


def _by_platform(definition: Node, _hit: Hit) -> tuple[str, ...]:
    found = (_PLATFORM.search(one) for one in _platforms(definition))
    return tuple(dict.fromkeys(f"{one[1]}:{one[2]}" for one in found if one))


def _suse(definition: Node, hit: Hit) -> tuple[str, ...]:
    names = hit.context.products or tuple(_platforms(definition))
    return tuple(dict.fromkeys(one for name in names if (one := suse(name))))


def _azure(definition: Node, hit: Hit) -> tuple[str, ...]:
    if found := _AZURE.search(hit.fixed or hit.last):
        return (f"Azure Linux:{found[2]}",)
    names = (re.search(r"(?:CBL-Mariner|Azure Linux) (\d+)", one) for one in _platforms(definition))
    return tuple(dict.fromkeys(f"Azure Linux:{one[1]}" for one in names if one))


def _ubuntu(definition: Node, _hit: Hit) -> tuple[str, ...]:
    found = (_UBUNTU.search(one) for one in _platforms(definition))
    return tuple(dict.fromkeys(f"Ubuntu:{one[1]}{':LTS' if one[2] else ''}" for one in found if one))


VENDORS = (
    Vendor("redhat", b"com.redhat.", _redhat),
    Vendor("oracle", b"com.oracle.elsa", _by_platform),
    Vendor("suse", b"org.opensuse.security", _suse),
    Vendor("almalinux", b"org.almalinux.", _by_platform),
    Vendor("azure", b"com.microsoft.", _azure),
    Vendor("ubuntu", b"com.ubuntu.", _ubuntu),
)


def recognise(document: Document) -> bool:
    """OVAL definitions of a vendor that is known."""
    return b"<oval_definitions" in document.data[:4096] and _vendor(document) is not None


def read(document: Document) -> Iterator[Parsed]:
    """Definition by definition. Raises ValueError where it is broken."""
    vendor = _vendor(document)
    if vendor is None:
        raise ValueError("the OVAL of nobody that is known")
    whole = Definitions(document.data)
    made = whole.made if re.search(r"Z|[+-]\d\d:\d\d$", whole.made) else f"{whole.made}Z" if whole.made else ""
    for definition in whole.all():
        found = _advisories(vendor, definition, list(whole.hits(definition)))
        yield Parsed(f"{vendor.name} oval", definition.attributes.get("id", ""), found, published=made)


def _vendor(document: Document) -> Vendor | None:
    head = document.data[: 1 << 16]
    return next((one for one in VENDORS if b"oval:" + one.mark in head), None)


def _platforms(definition: Node) -> list[str]:
    affected = definition.first("metadata", "affected")
    return [one.text.strip() for one in affected.all("platform")] if affected else []


def _advisories(vendor: Vendor, definition: Node, hits: list[Hit]) -> tuple[Advisory, ...]:
    metadata = definition.first("metadata") or Node("metadata", {})
    parts: dict[Affected, None] = {}
    for hit in hits:
        if not _OTHER_BUILDS.search(hit.fixed):
            for release in vendor.releases(definition, hit):
                parts[_affected(release, hit, metadata.said("patchable"))] = None
    title = metadata.said("title")
    rated = {one.text.strip(): one for one in _cves(metadata)}
    names = list(dict.fromkeys(name for name in _named(metadata, rated) if name))
    advisory = _ADVISORY.search(title)
    alias = advisory[0].rstrip(":") if advisory else ""
    if not parts or not (names or alias):
        return ()
    return tuple(_advisory(vendor, metadata, (name, alias), rated.get(name), tuple(parts)) for name in names or [alias])


def _affected(release: str, hit: Hit, patchable: str) -> Affected:
    """`patchable` is Azure Linux's word for packages that are not concerned, or have no fix."""
    span = Range(after=bare(hit.context.after), fixed=bare(hit.fixed), last_affected=bare(hit.last))
    status = {"Not Applicable": "not_affected", "false": "affected"}.get(patchable, hit.status)
    arches = (*hit.context.arches, "noarch") if hit.context.arches else ()
    return Affected(release, hit.package, (span,), status=status, module=hit.context.module, arches=arches)


def _cves(metadata: Node) -> list[Node]:
    advisory = metadata.first("advisory")
    return [*(advisory.all("cve") if advisory else ()), *metadata.all("cve")]


def _named(metadata: Node, rated: dict[str, Node]) -> Iterator[str]:
    for reference in metadata.all("reference"):
        if found := _CVE.search(reference.attributes.get("ref_id", "")):
            yield found[0]
    yield from (name for name in rated if _CVE.fullmatch(name))


def _advisory(
    vendor: Vendor, metadata: Node, names: tuple[str, str], rated: Node | None, parts: tuple[Affected, ...]
) -> Advisory:
    name, alias = names
    attributes = rated.attributes if rated else {}
    vectors = tuple(
        dict.fromkeys(
            found[0] for key in ("cvss4", "cvss3", "cvss2") if (found := _VECTOR.search(attributes.get(key, "")))
        )
    )
    vector, score = choose(vectors)
    word = attributes.get("impact", "") or metadata.said("advisory", "severity") or metadata.said("severity")
    issued = metadata.first("advisory", "issued")
    updated = metadata.first("advisory", "updated")
    urls = [one.attributes.get("ref_url", "") for one in metadata.all("reference")]
    if href := attributes.get("href", ""):
        urls.insert(0, href)
    return Advisory(
        id=name,
        source=vendor.name,
        aliases=(alias,) if alias and alias != name else (),
        title=metadata.said("title")[:200],
        details=metadata.said("description")[:4000],
        severity=Severity.parse(word),
        cvss=vector,
        score=score,
        vectors=vectors,
        cwes=tuple(re.findall(r"CWE-\d+", attributes.get("cwe", ""))),
        urls=tuple(dict.fromkeys(one for one in urls if one))[:8],
        published=(issued.attributes.get("date", "") if issued else "") or metadata.said("advisory_date"),
        modified=updated.attributes.get("date", "") if updated else "",
        affected=parts,
    )
