"""NVD's CVE records, API or feed 2.0: scores of all versions, weaknesses, marks of exploits, products as CPE.

Products become affected packages of the ecosystem "Generic", named "vendor:product". Format: https://nvd.nist.gov/developers
"""

import re
from collections.abc import Iterator
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text
from seawall.intel.collect.streamed import elements
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected, Range

_HEAD = re.compile(rb'"format"\s*:\s*"NVD_CVE"|"sourceIdentifier"\s*:')
_STAMP = re.compile(rb'"timestamp"\s*:\s*"([^"]+)"')
_PART = re.compile(r"(?:\\.|[^:\\])*")
_METRICS = ("cvssMetricV40", "cvssMetricV31", "cvssMetricV30", "cvssMetricV2")
MAX_PRODUCTS = 200


def recognise(document: Document) -> bool:
    """The mark of its format at the head of a list of CVEs."""
    head = document.data[:4096]
    return bool(_HEAD.search(head)) and b'"vulnerabilities"' in head


def read(document: Document) -> Iterator[Parsed]:
    """CVE by CVE. Raises ValueError where it is broken."""
    stamp = _STAMP.search(document.data[:4096])
    published = _utc(stamp[1].decode("ascii", "replace")) if stamp else ""
    for item in elements(document.data, "vulnerabilities"):
        advisory = _advisory(item["cve"])
        yield Parsed("nvd", advisory.id, (advisory,), published=published)


def _advisory(cve: dict[str, Any]) -> Advisory:
    name = text(cve["id"])
    metrics = cve.get("metrics") or {}
    rated = sorted(
        (one for kind in _METRICS for one in metrics.get(kind) or []), key=lambda one: one.get("type") != "Primary"
    )
    vectors = tuple(dict.fromkeys(text(one.get("cvssData", {}).get("vectorString")) for one in rated))
    first = [text(one.get("cvssData", {}).get("vectorString")) for one in rated if one.get("type") == "Primary"]
    vector, score = choose(first)
    if score is None:
        vector, score = choose(vectors)
    references = [one for one in cve.get("references") or [] if isinstance(one, dict)]
    said = [text(one.get("value")) for one in cve.get("descriptions") or [] if one.get("lang") == "en"]
    rejected = text(cve.get("vulnStatus")) == "Rejected"
    return Advisory(
        id=name,
        source="nvd",
        title=_short(said[0] if said else ""),
        details=said[0][:4000] if said else "",
        severity=Severity.from_score(score) if score is not None else Severity.UNKNOWN,
        cvss=vector,
        score=score,
        vectors=tuple(one for one in vectors if one),
        poc=any("Exploit" in (one.get("tags") or []) for one in references),
        cwes=_weaknesses(cve),
        urls=(f"https://nvd.nist.gov/vuln/detail/{name}", *(text(one.get("url")) for one in references[:10])),
        published=_utc(text(cve.get("published"))),
        modified=_utc(text(cve.get("lastModified"))),
        withdrawn=_utc(text(cve.get("lastModified"))) or "rejected" if rejected else "",
        affected=() if rejected else _products(cve),
    )


def _weaknesses(cve: dict[str, Any]) -> tuple[str, ...]:
    named = [text(said.get("value")) for one in cve.get("weaknesses") or [] for said in one.get("description") or []]
    return tuple(dict.fromkeys(one for one in named if one.startswith("CWE-")))


def _products(cve: dict[str, Any]) -> tuple[Affected, ...]:
    spans: dict[str, list[Range]] = {}
    for configuration in cve.get("configurations") or []:
        for node in configuration.get("nodes") or []:
            if node.get("negate"):
                continue
            for match in node.get("cpeMatch") or []:
                if match.get("vulnerable") is True and (found := _product(match)) and len(spans) < MAX_PRODUCTS:
                    spans.setdefault(found[0], []).append(found[1])
    return tuple(
        Affected("Generic", name, tuple(dict.fromkeys(ranges)), status="affected" if _open(ranges) else "fixed")
        for name, ranges in spans.items()
    )


def _open(ranges: list[Range]) -> bool:
    return not any(one.fixed for one in ranges)


def _product(match: dict[str, Any]) -> tuple[str, Range] | None:
    """Vendor and product of an application, and the versions meant. What names no version at all is not taken: it
    would hit every installed one."""
    parts = _PART.findall(text(match.get("criteria")))[::2]
    if len(parts) < 6 or parts[2] != "a":
        return None
    version = parts[5].replace("\\", "")
    begin, after = text(match.get("versionStartIncluding")), text(match.get("versionStartExcluding"))
    end, last = text(match.get("versionEndExcluding")), text(match.get("versionEndIncluding"))
    if not (begin or after or end or last):
        if version in ("*", "-", ""):
            return None
        begin = last = version
    name = f"{parts[3]}:{parts[4]}".replace("\\", "")
    return name, Range(begin, fixed=end, last_affected=last, after=after)


def _utc(moment: str) -> str:
    """Its times have no zone and are of UTC."""
    return f"{moment}Z" if re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+", moment) else moment


def _short(details: str) -> str:
    line = " ".join(details.split())
    return line if len(line) <= 160 else line[:159].rsplit(" ", 1)[0] + "…"
