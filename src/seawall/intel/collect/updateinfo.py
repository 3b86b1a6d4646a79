"""Errata of rpm repositories (updateinfo.xml): Amazon, AlmaLinux, Rocky, Oracle, Fedora and SUSE.

Format: createrepo_c, https://rpm-software-management.github.io/createrepo_c/c/group__updateinfo.html
"""

import re
from collections.abc import Iterator

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.markup import Node, elements
from seawall.intel.collect.parsed import Parsed
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.releases import amazon, evr, suse

_HEAD = re.compile(rb"<updates\b[^>]*>\s*(?:<!--.*?-->\s*)*<update\b", re.DOTALL)
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_BUILD = re.compile(r"\.(?:module\+)?(?:el|fc)(\d+)")
_FAMILIES = {
    "ALAS": "amazon", "ALSA": "almalinux", "RLSA": "rocky", "ELSA": "oracle", "FEDORA": "fedora", "SUSE": "suse",
    "openSUSE": "suse",
}  # fmt: skip
_ECOSYSTEMS = {"almalinux": "AlmaLinux", "rocky": "Rocky Linux", "oracle": "Oracle Linux", "fedora": "Fedora"}


def recognise(document: Document) -> bool:
    """A list of updates."""
    return bool(_HEAD.search(document.data[:4096]))


def read(document: Document) -> Iterator[Parsed]:
    """Update by update; only those that mend weaknesses. Raises ValueError where it is broken."""
    for update in elements(document.data, "update"):
        name = update.said("id")
        family = next((feed for prefix, feed in _FAMILIES.items() if name.startswith(prefix)), "")
        if update.attributes.get("type", "security") == "security" and family and not name.startswith("FEDORA-EPEL"):
            found = tuple(_advisories(update, name, family, document.name))
            yield Parsed(f"{family} updateinfo", f"{name}/{_release(update, family, document.name)}", found)


def _release(update: Node, family: str, place: str) -> str:
    if family == "amazon":
        return amazon(update.said("id")) or amazon(update.said("title")) or amazon(place)
    if family == "suse":
        return suse(update.said("release")) or suse(update.said("title"))
    builds = (_BUILD.search(package.attributes.get("release", "")) for package in _packages(update))
    number = next((found[1] for found in builds if found), "")
    return f"{_ECOSYSTEMS[family]}:{number}" if number else ""


def _packages(update: Node) -> list[Node]:
    pkglist = update.first("pkglist")
    return [package for one in (pkglist.all("collection") if pkglist else ()) for package in one.all("package")]


def _advisories(update: Node, name: str, family: str, place: str) -> Iterator[Advisory]:
    release = _release(update, family, place)
    affected: dict[Affected, None] = {}
    for collection in pkglist.all("collection") if (pkglist := update.first("pkglist")) else ():
        module = collection.first("module")
        stream = f"{module.attributes.get('name', '')}:{module.attributes.get('stream', '')}" if module else ""
        for package in collection.all("package"):
            given = package.attributes
            fixed = evr(given.get("epoch", ""), given.get("version", ""), given.get("release", ""))
            if release and given.get("name") and given.get("version"):
                affected[Affected(release, given["name"], (Range(fixed=fixed),), module=stream)] = None
    if not affected:
        return
    references = update.first("references")
    links = references.all("reference") if references else []
    said = [f"{one.attributes.get('id', '')} {one.attributes.get('title', '')}" for one in links]
    names = list(dict.fromkeys(found for one in said for found in _CVE.findall(one)))
    dates = {key: node.attributes.get("date", "")[:10] for key in ("issued", "updated") if (node := update.first(key))}
    for one in names or [name]:
        yield Advisory(
            id=one,
            source=family,
            aliases=(name,) if one != name else (),
            title=update.said("title")[:200],
            details=update.said("description")[:4000],
            severity=Severity.parse(update.said("severity")),
            urls=tuple(link.attributes.get("href", "") for link in links if link.attributes.get("type") == "self")[:2],
            published=dates.get("issued", ""),
            modified=dates.get("updated", ""),
            affected=tuple(affected),
        )
