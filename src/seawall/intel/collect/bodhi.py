"""Fedora's updates as Bodhi gives them, one a document or a page of them. JSON. Format: https://bodhi.fedoraproject.org/docs/"""

import re
from collections.abc import Iterator
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, value
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.releases import evr

_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_NVR = re.compile(r"(.+)-([^-]+)-([^-]+)")


def recognise(document: Document) -> bool:
    """An update with builds by name, version and release."""
    head = document.data[: 1 << 16]
    return head.lstrip()[:1] == b"{" and b'"builds"' in head and b'"nvr"' in head and b'"FEDORA' in head


def read(document: Document) -> Iterator[Parsed]:
    """All security updates that are stable. Raises ValueError, KeyError or TypeError when it is broken."""
    found = value(document.data)
    for update in found.get("updates") or [found]:
        release = text((update.get("release") or {}).get("version"))
        prefix = text((update.get("release") or {}).get("id_prefix"))
        if update.get("type") != "security" or update.get("status") != "stable" or prefix != "FEDORA":
            continue
        name = text(update.get("updateid")) or text(update["alias"])
        yield Parsed(f"fedora {release}", name, tuple(_advisories(update, name, f"Fedora:{release}")))


def _advisories(update: dict[str, Any], name: str, ecosystem: str) -> Iterator[Advisory]:
    affected = []
    for build in update.get("builds") or []:
        if parts := _NVR.fullmatch(text(build.get("nvr"))):
            epoch = text(build.get("epoch"))
            affected.append(Affected(ecosystem, parts[1], (Range(fixed=evr(epoch, parts[2], parts[3])),)))
    said = [text(bug.get("title")) for bug in update.get("bugs") or []]
    said += [text(update.get("notes")), text(update.get("display_name"))]
    names = list(dict.fromkeys(found for one in said for found in _CVE.findall(one)))
    for one in names or [name]:
        yield Advisory(
            id=one,
            source="fedora",
            aliases=(name,) if one != name else (),
            title=text(update.get("display_name")) or text(update.get("title")),
            severity=Severity.parse(text(update.get("severity"))),
            urls=(text(update.get("url")),) if text(update.get("url")) else (),
            published=text(update.get("date_stable"))[:10],
            modified=text(update.get("date_modified"))[:10],
            affected=tuple(affected),
        )
