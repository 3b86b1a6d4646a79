"""Advisories of gems, YAML, one a document. Format: https://github.com/rubysec/ruby-advisory-db"""

import re

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, day, text, texts, value
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected
from seawall.intel.spans import others

_MARK = re.compile(rb"^gem:\s*\S", re.MULTILINE)
_SCORE = re.compile(r"[0-9]{1,2}(?:\.[0-9])?")
_VERSIONS = re.compile(rb"^(?:patched_versions|unaffected_versions|title):", re.MULTILINE)


def recognise(document: Document) -> bool:
    """YAML that names a gem, and versions or a title."""
    return bool(_MARK.search(document.data[:2000])) and bool(_VERSIONS.search(document.data))


def read(document: Document) -> list[Parsed]:
    """One advisory. Raises ValueError, KeyError, TypeError or AttributeError when it is broken."""
    found = value(document.data)
    gem = text(found["gem"])
    names = [f"CVE-{text(found['cve'])}"] if text(found.get("cve")) else []
    names += [f"GHSA-{text(found['ghsa'])}"] if text(found.get("ghsa")) else []
    names += [f"OSVDB-{text(found['osvdb'])}"] if text(found.get("osvdb")) else []
    name = names[0] if names else document.name.rpartition("/")[2].rpartition(".")[0]
    patched = texts(found.get("patched_versions"))
    scores = [found.get(key) for key in ("cvss_v4", "cvss_v3", "cvss_v2")]
    vectors = tuple(text(one) for one in scores if isinstance(one, str) and ":" in one)
    vector, score = choose(vectors)
    if score is None:
        score = next((float(one) for one in scores if _SCORE.fullmatch(text(one)) and float(one) <= 10), None)
    advisory = Advisory(
        id=name,
        source="rubysec",
        aliases=tuple(names[1:]),
        title=text(found.get("title")).strip(),
        details=text(found.get("description"))[:4000],
        severity=Severity.from_score(score) if score is not None else Severity.UNKNOWN,
        cvss=vector,
        score=score,
        vectors=vectors,
        urls=(text(found["url"]),) if text(found.get("url")) else (),
        published=day(found.get("date")),
        affected=(
            Affected(
                "RubyGems",
                gem,
                others("RubyGems", [*patched, *texts(found.get("unaffected_versions"))]),
                status="fixed" if patched else "affected",
            ),
        ),
    )
    return [Parsed("rubysec", f"{gem}/{name}", (advisory,))]
