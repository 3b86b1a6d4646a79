"""Advisories in the Open Source Vulnerability format, one a document, JSON or YAML. Format: https://ossf.github.io/osv-schema/"""

import re
from collections.abc import Iterator
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, texts, value
from seawall.intel.cvss import base_score
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.names import normalise

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
    vector, severity, score = _rating(found)
    affected = tuple(_affected(found))
    ecosystem = affected[0].ecosystem.partition(":")[0] if affected else "other"
    advisory = Advisory(
        id=name,
        source="osv",
        aliases=tuple(texts(found.get("aliases")) + texts(found.get("upstream"))),
        title=text(found.get("summary")) or _first_sentence(text(found.get("details"))),
        details=text(found.get("details"))[:MAX_DETAILS],
        severity=severity,
        cvss=vector,
        score=score,
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
        ecosystem, name = text(package.get("ecosystem")), text(package.get("name"))
        if not ecosystem or not name:
            continue
        spans = [span for span in item.get("ranges") or [] if span.get("type") in _COMPARABLE]
        yield Affected(
            ecosystem=ecosystem,
            package=normalise(ecosystem, name),
            ranges=tuple(part for span in spans for part in _ranges(span.get("events") or [])),
            versions=tuple(text(version) for version in item.get("versions") or []),
            severity=Severity.parse(text((item.get("ecosystem_specific") or {}).get("severity"))),
        )


def _ranges(events: list[dict[str, Any]]) -> Iterator[Range]:
    """Pairs of events: each `introduced` up to the next `fixed` or `last_affected`, or without end."""
    introduced: str | None = None
    for event in events:
        if "introduced" in event:
            if introduced is not None:
                yield Range(introduced)
            introduced = "" if text(event["introduced"]) == "0" else text(event["introduced"])
        elif introduced is not None and ("fixed" in event or "last_affected" in event):
            yield Range(introduced, text(event.get("fixed")), text(event.get("last_affected")))
            introduced = None
    if introduced is not None:
        yield Range(introduced)


def _rating(found: dict[str, Any]) -> tuple[str, Severity, float | None]:
    """The newest CVSS vector; a word for the severity where there is no score."""
    rated = [item for item in found.get("severity") or [] if isinstance(item, dict)]
    for item in found.get("affected") or []:
        rated += [one for one in item.get("severity") or [] if isinstance(one, dict)]
    vectors = sorted((text(item.get("type")), text(item.get("score"))) for item in rated)
    score = next((value for _, vector in reversed(vectors) if (value := base_score(vector)) is not None), None)
    word = Severity.parse(text((found.get("database_specific") or {}).get("severity")))
    if word is Severity.UNKNOWN and score is not None:
        word = Severity.from_score(score)
    return (vectors[-1][1] if vectors else ""), word, score


def _first_sentence(details: str) -> str:
    line = " ".join(details.split())
    return line[:160] if len(line) <= 160 else line[:159].rsplit(" ", 1)[0] + "…"
