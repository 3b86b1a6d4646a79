"""Advisories in the Open Source Vulnerability format, one a document, JSON or YAML. Format: https://ossf.github.io/osv-schema/"""

import re
from collections.abc import Iterator
from dataclasses import replace
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
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_DISTRIBUTION = re.compile(r"(?:(?:AL|RL|RX|RH)[SBE]A|USN|MGASA|SUSE-|openSUSE-|OESA|ELSA|ALAS|DSA|DLA|UBUNTU-)")
_TITLE = re.compile(r"(Critical|Important|Moderate|Low):", re.IGNORECASE)
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
    affected = tuple(_affected(found, _word(found)))
    ecosystem = affected[0].ecosystem.partition(":")[0] if affected else "other"
    advisory = Advisory(
        id=name,
        source="osv",
        aliases=_names(found, name),
        title=text(found.get("summary")) or _first_sentence(text(found.get("details"))),
        details=text(found.get("details"))[:MAX_DETAILS],
        severity=severity,
        cvss=vector or next(iter(vectors), ""),
        score=score,
        vectors=vectors,
        poc=any(text(one.get("type")) == "EVIDENCE" for one in found.get("references") or [] if isinstance(one, dict)),
        cwes=tuple(texts((found.get("database_specific") or {}).get("cwe_ids"))),
        urls=tuple(text(item.get("url")) for item in found.get("references") or [] if isinstance(item, dict))[:20],
        published=text(found.get("published")),
        modified=text(found.get("modified")),
        withdrawn=text(found.get("withdrawn")),
        affected=affected,
    )
    return [Parsed(f"osv {ecosystem}", name, _split(advisory))]


def _split(advisory: Advisory) -> tuple[Advisory, ...]:
    """A distribution's advisory that mends several weaknesses is one for each, so that none hides behind another."""
    names = [one for one in dict.fromkeys((advisory.id, *advisory.aliases)) if _CVE.fullmatch(one)]
    if len(names) < 2 or not _DISTRIBUTION.match(advisory.id):
        return (advisory,)
    return tuple(replace(advisory, id=one, aliases=(advisory.id,)) for one in names)


def _names(found: dict[str, Any], name: str) -> tuple[str, ...]:
    """Other ids of the same. Distributions name what an advisory mends as upstream, or as related if they know no
    better; "UBUNTU-CVE-…" and the like are the CVE itself."""
    names = texts(found.get("aliases")) + texts(found.get("upstream"))
    if not any(_CVE.search(one) for one in (name, *names)) and _DISTRIBUTION.match(name):
        names += texts(found.get("related"))
    bare = [one for said in (name, *names) if (one := _CVE.search(said)) and not said.startswith("CVE-")]
    return tuple(dict.fromkeys((*names, *(one[0] for one in bare))))


def _word(found: dict[str, Any]) -> Severity:
    """A distribution's own word: Ubuntu's by a score that is a word, those of the RHEL family by the title."""
    said = [text(one.get("score")) for one in found.get("severity") or [] if text(one.get("type")) == "Ubuntu"]
    title = _TITLE.match(text(found.get("summary"))) if _DISTRIBUTION.match(text(found.get("id"))) else None
    return Severity.parse(said[0] if said else title[1] if title else "")


def _affected(found: dict[str, Any], word: Severity) -> Iterator[Affected]:
    for item in found.get("affected") or []:
        package = item.get("package") or {}
        ecosystem, name = release(text(package.get("ecosystem"))), text(package.get("name"))
        if not ecosystem or not name:
            continue
        spans = [span for span in item.get("ranges") or [] if span.get("type") in _COMPARABLE]
        ranges = tuple(_ranges(ecosystem, item, spans))
        own = Severity.parse(text((item.get("ecosystem_specific") or {}).get("severity")))
        yield Affected(
            ecosystem=ecosystem,
            package=normalise(ecosystem, name),
            ranges=ranges,
            versions=tuple(text(version) for version in item.get("versions") or []),
            status="fixed" if any(one.fixed for one in ranges) or not ranges else "affected",
            severity=own if own is not Severity.UNKNOWN else word,
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
    vectors = tuple(dict.fromkeys(score for item in rated if ":" in (score := text(item.get("score")))))
    return vectors, Severity.parse(text((found.get("database_specific") or {}).get("severity")))


def _first_sentence(details: str) -> str:
    line = " ".join(details.split())
    return line[:160] if len(line) <= 160 else line[:159].rsplit(" ", 1)[0] + "…"
