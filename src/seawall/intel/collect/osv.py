"""Advisories in the Open Source Vulnerability format, one a document, JSON or YAML. Format: https://ossf.github.io/osv-schema/"""

import re
from collections.abc import Iterator
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, texts, value
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.names import normalise, release
from seawall.intel.spans import capped, from_events

_YAML = re.compile(rb"^(?:id|schema_version|modified|affected|published):", re.MULTILINE)
_COMPARABLE = ("ECOSYSTEM", "SEMVER")
"""Kinds of ranges that versions can be held against; GIT ranges name commits."""
MAX_DETAILS = 4000
"""Characters of the description that are kept."""


def recognise(document: Document) -> bool:
    """An object with `id` and, somewhere, `affected`."""
    start = document.data[:1].strip() or document.data.lstrip()[:1]
    if start == b"{":
        return b'"id"' in document.data and b'"affected"' in document.data
    return bool(_YAML.search(document.data[:2000])) and b"\naffected:" in document.data


def read(document: Document) -> list[Parsed]:
    """One advisory. Raises ValueError, KeyError, TypeError or AttributeError when it is broken."""
    found = value(document.data)
    name = text(found["id"])
    if not name:
        raise ValueError("it has no id")
    vectors, severity = _rating(found)
    vector, score = choose(vectors)
    if severity is Severity.UNKNOWN and score is not None:
        severity = Severity.from_score(score)
    affected = tuple(_affected(found))
    ecosystem = affected[0].ecosystem.partition(":")[0] if affected else "other"
    advisory = Advisory(
        id=name,
        source="osv",
        aliases=tuple(texts(found.get("aliases")) + texts(found.get("upstream"))),
        title=text(found.get("summary")) or _first_sentence(text(found.get("details"))),
        details=text(found.get("details"))[:MAX_DETAILS],
        severity=severity,
        cvss=vector or next(iter(vectors), ""),
        score=score,
        vectors=vectors,
        cwes=tuple(texts((found.get("database_specific") or {}).get("cwe_ids"))),
        urls=tuple(text(item.get("url")) for item in found.get("references") or [] if isinstance(item, dict))[:20],
        published=text(found.get("published")),
        modified=text(found.get("modified")),
        withdrawn=text(found.get("withdrawn")),
        affected=affected,
    )
    return [Parsed(f"osv {ecosystem}", name, (advisory,))]


def _affected(found: dict[str, Any]) -> Iterator[Affected]:
    for item in found.get("affected") or []:
        package = item.get("package") or {}
        ecosystem, name = release(text(package.get("ecosystem"))), text(package.get("name"))
        if not ecosystem or not name:
            continue
        spans = [span for span in item.get("ranges") or [] if span.get("type") in _COMPARABLE]
        yield Affected(
            ecosystem=ecosystem,
            package=normalise(ecosystem, name),
            ranges=tuple(_ranges(ecosystem, item, spans)),
            versions=tuple(text(version) for version in item.get("versions") or []),
            severity=Severity.parse(text((item.get("ecosystem_specific") or {}).get("severity"))),
            unread="" if spans or item.get("versions") or not item.get("ranges") else "its ranges name commits",
        )


def _ranges(ecosystem: str, item: dict[str, Any], found: list[dict[str, Any]]) -> Iterator[Range]:
    last_known = text((item.get("database_specific") or {}).get("last_known_affected_version_range"))
    for span in found:
        events = [(kind, text(at)) for event in span.get("events") or [] for kind, at in event.items()]
        ranges = from_events(ecosystem, events)
        yield from capped(ecosystem, ranges, last_known) if last_known else ranges


def _rating(found: dict[str, Any]) -> tuple[tuple[str, ...], Severity]:
    """All CVSS vectors, and the word for the severity."""
    rated = [item for item in found.get("severity") or [] if isinstance(item, dict)]
    for item in found.get("affected") or []:
        rated += [one for one in item.get("severity") or [] if isinstance(one, dict)]
    vectors = tuple(dict.fromkeys(text(item.get("score")) for item in rated if text(item.get("score"))))
    return vectors, Severity.parse(text((found.get("database_specific") or {}).get("severity")))


def _first_sentence(details: str) -> str:
    line = " ".join(details.split())
    return line[:160] if len(line) <= 160 else line[:159].rsplit(" ", 1)[0] + "…"
