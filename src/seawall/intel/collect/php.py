"""Advisories of Composer packages, YAML. Format: https://github.com/FriendsOfPHP/security-advisories"""

import re

from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, day, text, texts, value
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.spans import spans

_REFERENCE = re.compile(rb"^reference:\s*['\"]?composer://", re.MULTILINE)


def recognise(document: Document) -> bool:
    """YAML whose reference is composer://…."""
    return bool(_REFERENCE.search(document.data)) and b"branches:" in document.data


def read(document: Document) -> list[Parsed]:
    """One advisory. Raises ValueError, KeyError, TypeError or AttributeError when it is broken."""
    found = value(document.data)
    package = text(found["reference"]).removeprefix("composer://").lower()
    ranges: list[Range] = []
    times: list[str] = []
    for branch in (found.get("branches") or {}).values():
        said = branch.get("versions")
        ranges += spans("Packagist", ",".join(said if isinstance(said, list) else [text(said)]))
        times.append(day(branch.get("time")))
    cve = text(found.get("cve"))
    name = cve if cve.startswith("CVE-") else document.name.rpartition(":")[2].rpartition(".")[0].lstrip("./")
    advisory = Advisory(
        id=name,
        source="friendsofphp",
        title=text(found.get("title")),
        urls=tuple(texts([found.get("link")])),
        published=max(times, default=""),
        affected=(Affected("Packagist", package, tuple(dict.fromkeys(ranges))),),
    )
    return [Parsed("friendsofphp", f"{package}/{name}", (advisory,))]
