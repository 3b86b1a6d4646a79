"""Photon OS: one list of CVEs a release, JSON. Format: https://packages.broadcom.com/photon/photon_cve_metadata/

The release is in the file's name and in the versions (".ph4").
"""

import re
from collections.abc import Iterator
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text
from seawall.intel.collect.streamed import elements
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.releases import bare

_BUILD = re.compile(r"\.ph(\d+)")
_NAME = re.compile(r"photon[_-]?(\d+\.\d+)", re.IGNORECASE)


def recognise(document: Document) -> bool:
    """A list of objects with a CVE, a package, and versions affected and resolved."""
    head = document.data[:1500]
    return head.lstrip()[:1] == b"[" and all(key in head for key in (b'"cve_id"', b'"pkg"', b'"res_ver"'))


def read(document: Document) -> Iterator[Parsed]:
    """The whole list. Raises ValueError, KeyError or TypeError when it is broken."""
    named = _NAME.search(document.name)
    build = _BUILD.search(document.data[:1_000_000].decode("utf-8", "replace"))
    release = named[1] if named else f"{build[1]}.0" if build else ""
    if not release:
        raise ValueError("neither its name nor its versions tell the release")
    found = tuple(one for item in elements(document.data) if (one := _advisory(item, release)))
    yield Parsed(f"photon {release}", release, found)


def _advisory(item: dict[str, Any], release: str) -> Advisory | None:
    name, fixed = text(item["cve_id"]), bare(text(item.get("res_ver")))
    where = (f"Photon OS:{release}", text(item["pkg"]))
    status = text(item.get("status"))
    if status == "Not Affected":
        affected = Affected(*where, status="not_affected")
    elif fixed and fixed != "NA":
        affected = Affected(*where, (Range(fixed=fixed),))
    elif status == "Fixed":
        return None  # it does not say in which version
    else:
        affected = Affected(*where, (Range(),), status="affected")
    score = item.get("cve_score")
    score = float(score) if isinstance(score, int | float) and 0 < score <= 10 else None
    return Advisory(
        id=name,
        source="photon",
        severity=Severity.from_score(score) if score else Severity.UNKNOWN,
        score=score,
        urls=(f"https://nvd.nist.gov/vuln/detail/{name}",) if name.startswith("CVE-") else (),
        affected=(affected,),
    )
