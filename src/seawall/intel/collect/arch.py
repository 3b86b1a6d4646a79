"""Arch Linux's tracker: groups of packages with the version that is affected and the one that mends it. JSON.

Format: https://security.archlinux.org/all.json
"""

from collections.abc import Iterator
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, texts
from seawall.intel.collect.streamed import elements
from seawall.intel.model import Advisory, Affected, Range


def recognise(document: Document) -> bool:
    """A list whose entries are called AVG-…."""
    head = document.data[:600]
    return head.lstrip()[:1] == b"[" and b'"AVG-' in head and b'"packages"' in head


def read(document: Document) -> Iterator[Parsed]:
    """Group by group, split by CVE. Raises ValueError, KeyError or TypeError when it is broken."""
    for group in elements(document.data):
        name = text(group["name"])
        affected = tuple(_affected(group, package) for package in texts(group.get("packages")))
        names = texts(group.get("issues")) or [name]
        yield Parsed(
            "arch",
            name,
            tuple(
                Advisory(
                    id=one,
                    source="arch",
                    aliases=(name, *texts(group.get("advisories"))) if one != name else (),
                    title=text(group.get("type")),
                    urls=(f"https://security.archlinux.org/{one}",),
                    affected=affected,
                )
                for one in names
            ),
        )


def _affected(group: dict[str, Any], package: str) -> Affected:
    fixed, status = text(group.get("fixed")), text(group.get("status"))
    if status == "Not affected":
        return Affected("Arch Linux", package, status="not_affected")
    begin = "" if text(group.get("affected")) == fixed else text(group.get("affected"))
    return Affected(
        "Arch Linux",
        package,
        (Range(begin, fixed=fixed),),
        status="fixed" if fixed else "affected",
        severity=Severity.parse(text(group.get("severity"))),
    )
