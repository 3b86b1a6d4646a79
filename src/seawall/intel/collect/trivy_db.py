"""An existing trivy.db (bbolt), as a file or in the layer of its OCI artifact, so that a mirror keeps its use.

Format: https://github.com/aquasecurity/trivy-db (schema 2): a bucket for each release or "kind::source", in it
packages, in them ids with JSON; "vulnerability" has what is known of an id.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from seawall.core.bolt import Bucket, is_bolt, open_bolt
from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, texts
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.names import normalise
from seawall.intel.releases import bare, opensuse, redhat, suse
from seawall.intel.spans import others, spans

SOURCE = "trivy-db"
AT_ONCE = 2_000
LANGUAGES = {
    "pip": "PyPI", "npm": "npm", "go": "Go", "rubygems": "RubyGems", "composer": "Packagist", "maven": "Maven",
    "nuget": "NuGet", "cargo": "crates.io", "conan": "ConanCenter", "erlang": "Hex", "pub": "Pub",
    "swift": "SwiftURL", "bitnami": "Bitnami", "julia": "Julia",
}  # fmt: skip
_FAMILIES = {
    "alpine": "Alpine:v", "debian": "Debian:", "rocky": "Rocky Linux:", "alma": "AlmaLinux:",
    "oracle linux": "Oracle Linux:", "amazon linux": "Amazon Linux:", "photon os": "Photon OS:",
    "cbl-mariner": "Azure Linux:", "azure linux": "Azure Linux:",
}  # fmt: skip
_WHOLE = {"wolfi": "Wolfi", "chainguard": "Chainguard", "alpine edge": "Alpine:edge", "archlinux": "Arch Linux"}
_RELEASE = re.compile(r"(.+?) (\d[\w.-]*)")
STATUS = ("", "not_affected", "affected", "fixed", "", "will_not_fix", "deferred", "end_of_life")
"""By its number; under investigation says nothing yet."""
SEVERITY = (Severity.UNKNOWN, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


def recognise(document: Document) -> bool:
    """A bbolt file."""
    return document.file is not None and is_bolt(document.data)


def read(document: Document) -> Iterator[Parsed]:
    """All buckets of which the ecosystem is known. Raises Hostile for a broken database, ValueError for another's."""
    if document.file is None:
        return
    with open_bolt(document.file) as bolt:
        if bolt.root.bucket("vulnerability") is None:
            raise ValueError("a bbolt database, but none of Trivy's")
        cpes = _cpes(bolt.root.bucket("Red Hat CPE", "cpe"))
        for key, bucket in bolt.root.buckets():
            name = key.decode("utf-8", "replace")
            if name == "vulnerability":
                yield from _details(bucket)
            elif name == "Red Hat":
                yield from _redhat(bucket, cpes)
            elif found := ecosystem(name):
                yield from _packages(bucket, name, found)


def ecosystem(bucket: str) -> str:
    """Whose packages a bucket is about: "debian 12" → "Debian:12"; "" for what is not known."""
    kind, colons, _ = bucket.partition("::")
    if colons:
        return LANGUAGES.get(kind, "")
    if bucket in _WHOLE:
        return _WHOLE[bucket]
    if bucket.startswith("openSUSE"):
        return opensuse(bucket)
    if bucket.startswith("SUSE"):
        return suse(bucket)
    found = _RELEASE.fullmatch(bucket)
    if not found:
        return ""
    family, release = found[1].lower(), found[2]
    if family == "ubuntu":
        return _ubuntu(release)
    prefix = _FAMILIES.get(family, "")
    whole = family in ("alpine", "photon os")
    return prefix + (release if whole else release.partition(".")[0]) if prefix else ""


def _ubuntu(release: str) -> str:
    number, _, paid = release.partition("-")
    year, _, month = number.partition(".")
    lts = ":LTS" if month == "04" and year.isdecimal() and int(year) % 2 == 0 else ""
    return f"Ubuntu:{'Pro:' if paid else ''}{number}{lts}"


def _packages(bucket: Bucket, name: str, family: str) -> Iterator[Parsed]:
    feed = f"{SOURCE} {family}"
    for key, package in bucket.buckets():
        named = normalise(family, key.decode("utf-8", "replace"))
        found: list[Advisory] = []
        for known, data in package.values():
            found += _advisories(known.decode("utf-8", "replace"), json.loads(data), family, named)
        yield Parsed(feed, f"{name}/{named}", tuple(found))


def _advisories(id: str, value: dict[str, Any], family: str, package: str) -> Iterator[Advisory]:
    if "VulnerableVersions" in value or "PatchedVersions" in value or "UnaffectedVersions" in value:
        parts = [_language(value, family, package)]
    else:
        entries = [one for one in value.get("Entries") or [] if isinstance(one, dict)] or [value]
        parts = [part for one in entries if (part := _distribution(one, family, package))]
    for part in parts:
        ids = tuple(texts(value.get("VendorIDs")))
        yield Advisory(id=id, source=SOURCE, aliases=tuple(one for one in ids if one != id), affected=(part,))


def _distribution(value: dict[str, Any], family: str, package: str) -> Affected | None:
    fixed = bare(text(value.get("FixedVersion")))
    state = _status(value.get("Status"), fixed)
    if not state:
        return None
    begin = text(value.get("AffectedVersion")).removeprefix("< ")
    spans_ = () if state == "not_affected" else (Range(fixed=fixed, limit="" if fixed else begin),)
    arches = tuple(texts(value.get("Arches")))
    return Affected(
        family, package, spans_, status=state, severity=_severity(value.get("Severity")), arches=_arches(arches)
    )


def _arches(found: tuple[str, ...]) -> tuple[str, ...]:
    return (*found, "noarch") if found and "noarch" not in found else found


def _language(value: dict[str, Any], family: str, package: str) -> Affected:
    patched = texts(value.get("PatchedVersions"))
    vulnerable = texts(value.get("VulnerableVersions"))
    unread = ""
    try:
        if vulnerable:
            ranges = tuple(one for said in vulnerable for one in spans(family, said))
        else:
            ranges = others(family, [*patched, *texts(value.get("UnaffectedVersions"))])
    except ValueError as error:
        ranges, unread = (), str(error)
    if len(ranges) == len(patched) == 1 and not ranges[0].fixed and patched[0][:1].isdigit():
        ranges = (Range(ranges[0].introduced, fixed=patched[0], after=ranges[0].after),)
    return Affected(
        family, package, tuple(dict.fromkeys(ranges)), status="fixed" if patched else "affected", unread=unread
    )


def _status(number: Any, fixed: str) -> str:
    if fixed:
        return "fixed"
    if isinstance(number, int) and 0 < number < len(STATUS):
        return STATUS[number] if STATUS[number] != "fixed" else ""
    return "affected"


def _severity(number: Any) -> Severity:
    if isinstance(number, int) and 0 <= number < len(SEVERITY):
        return SEVERITY[number]
    return Severity.parse(text(number))


def _cpes(bucket: Bucket | None) -> dict[int, str]:
    """Number → release, of Red Hat's products."""
    if bucket is None:
        return {}
    return {
        int(key): release
        for key, value in bucket.values()
        if key.isdigit() and (release := redhat(value.decode("utf-8", "replace").strip('"')))
    }


def _redhat(bucket: Bucket, cpes: dict[int, str]) -> Iterator[Parsed]:
    for key, package in bucket.buckets():
        module, _, name = key.decode("utf-8", "replace").rpartition("::")
        found: list[Advisory] = []
        for known, data in package.values():
            found += _entries(known.decode("utf-8", "replace"), json.loads(data), name, module, cpes)
        yield Parsed(f"{SOURCE} Red Hat", f"{module}/{name}", tuple(found))


def _entries(id: str, value: dict[str, Any], name: str, module: str, cpes: dict[int, str]) -> Iterator[Advisory]:
    for entry in value.get("Entries") or []:
        releases = {cpes[one] for one in entry.get("Affected") or [] if isinstance(one, int) and one in cpes}
        fixed = bare(text(entry.get("FixedVersion")))
        state = _status(entry.get("Status"), fixed)
        for cve in entry.get("Cves") or [{}]:
            named = text(cve.get("ID")) or id
            severity = _severity(cve.get("Severity"))
            parts = tuple(
                Affected(release, name, (Range(fixed=fixed),), status=state, severity=severity, module=module,
                         arches=_arches(tuple(texts(entry.get("Arches")))))
                for release in sorted(releases)
                if state
            )  # fmt: skip
            if parts:
                yield Advisory(id=named, source=SOURCE, aliases=(id,) if id != named else (), affected=parts)


def _details(bucket: Bucket) -> Iterator[Parsed]:
    batch: list[Advisory] = []
    count = 0
    for key, data in bucket.values():
        batch.append(_detail(key.decode("utf-8", "replace"), json.loads(data)))
        if len(batch) >= AT_ONCE:
            yield Parsed(f"{SOURCE} details", str(count), tuple(batch))
            batch.clear()
            count += 1
    yield Parsed(f"{SOURCE} details", str(count), tuple(batch))


def _detail(id: str, value: dict[str, Any]) -> Advisory:
    scores = value.get("CVSS") or {}
    sources = sorted(scores, key=lambda name: (name != "nvd", name != "ghsa", name))
    vectors = tuple(
        dict.fromkeys(
            vector
            for source in sources
            for kind in ("V40Vector", "V3Vector", "V2Vector")
            if (vector := text(scores[source].get(kind)))
        )
    )
    vector, score = choose(vectors)
    return Advisory(
        id=id,
        source=SOURCE,
        title=text(value.get("Title")) or text(value.get("Description"))[:160],
        details=text(value.get("Description"))[:4000],
        severity=Severity.parse(text(value.get("Severity"))),
        cvss=vector,
        score=score,
        vectors=vectors,
        cwes=tuple(texts(value.get("CweIDs"))),
        urls=tuple(texts(value.get("References"))[:8]),
        published=text(value.get("PublishedDate")),
        modified=text(value.get("LastModifiedDate")),
    )
