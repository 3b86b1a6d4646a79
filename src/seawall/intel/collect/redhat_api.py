"""Red Hat's security data API, one CVE a document: fixed releases and the state of packages that have no fix. JSON.

Format: https://docs.redhat.com/en/documentation/red_hat_security_data_api
"""

import re
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, texts, value
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.releases import bare, redhat

_PACKAGE = re.compile(r"(.+)-((?:\d+:)?[^-:]+-[^-]+)")
_MODULE = re.compile(r"([\w.+-]+:[\w.+-]+)/(.+)")
STATES = {
    "Affected": "affected", "Will not fix": "will_not_fix", "Out of support scope": "end_of_life",
    "Fix deferred": "deferred", "Not affected": "not_affected",
}  # fmt: skip
"""States whose meaning is clear; under investigation says nothing yet."""


def recognise(document: Document) -> bool:
    """One object with Red Hat's own severity and packages."""
    data = document.data
    return (
        data[:1].strip() == b"{"
        and b'"threat_severity"' in data
        and (b'"package_state"' in data or b'"affected_release"' in data)
    )


def read(document: Document) -> list[Parsed]:
    """One CVE. Raises ValueError, KeyError, TypeError or AttributeError when it is broken."""
    found = value(document.data)
    name = text(found["name"])
    vectors = tuple(
        one
        for one in (
            text((found.get("cvss3") or {}).get("cvss3_scoring_vector")),
            text((found.get("cvss") or {}).get("cvss_scoring_vector")),
        )
        if one
    )
    vector, score = choose(vectors)
    details = texts(found.get("details"))
    advisories = {text(one.get("advisory")) for one in _all(found, "affected_release")}
    advisory = Advisory(
        id=name,
        source="redhat",
        aliases=tuple(sorted(advisories - {""})),
        title=text((found.get("bugzilla") or {}).get("description")).strip(),
        details=details[-1][:4000] if details else "",
        severity=Severity.parse(text(found.get("threat_severity"))),
        cvss=vector,
        score=score,
        vectors=vectors,
        cwes=tuple(re.findall(r"CWE-\d+", text(found.get("cwe")))),
        urls=(f"https://access.redhat.com/security/cve/{name}",),
        published=text(found.get("public_date")),
        affected=tuple(dict.fromkeys((*_fixed(found), *_open(found)))),
    )
    return [Parsed("redhat api", name, (advisory,))]


def _all(found: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [one for one in found.get(key) or [] if isinstance(one, dict)]


def _fixed(found: dict[str, Any]) -> list[Affected]:
    fixes = []
    for one in _all(found, "affected_release"):
        release, package = redhat(text(one.get("cpe"))), text(one.get("package"))
        parts = _PACKAGE.fullmatch(package)
        if release and parts and ":" not in parts[1]:
            fixes.append(Affected(release, parts[1], (Range(fixed=bare(parts[2])),)))
    return fixes


def _open(found: dict[str, Any]) -> list[Affected]:
    states = []
    for one in _all(found, "package_state"):
        release, package = redhat(text(one.get("cpe"))), text(one.get("package_name"))
        status = STATES.get(text(one.get("fix_state")))
        if release and package and status:
            module = _MODULE.fullmatch(package)
            name, stream = (module[2], module[1]) if module else (package, "")
            states.append(Affected(release, name, (Range(),), status=status, module=stream))
    return states
