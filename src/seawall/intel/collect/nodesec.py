"""Advisories of npm packages as Node's ecosystem group kept them, JSON. Format: https://github.com/nodejs/security-wg"""

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, day, text, texts, value
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected
from seawall.intel.spans import spans


def recognise(document: Document) -> bool:
    """An object that names a module and its vulnerable versions."""
    head = document.data[:8000]
    return head.lstrip()[:1] == b"{" and b'"module_name"' in head and b'"vulnerable_versions"' in document.data


def read(document: Document) -> list[Parsed]:
    """One advisory. Raises ValueError, KeyError, TypeError or AttributeError when it is broken."""
    found = value(document.data)
    name, module = text(found["id"]), text(found["module_name"])
    vector = text(found.get("cvss_vector"))
    scored, score = choose([vector] if vector else [])
    patched = text(found.get("patched_versions"))
    vulnerable = text(found["vulnerable_versions"])
    advisory = Advisory(
        id=f"NSWG-ECO-{name}",
        source="nodesec",
        aliases=tuple(texts(found.get("cves"))),
        title=text(found.get("title")),
        details=text(found.get("overview"))[:4000],
        severity=Severity.from_score(score) if score is not None else Severity.UNKNOWN,
        cvss=scored,
        score=score,
        urls=tuple(texts(found.get("references"))[:8]),
        published=day(found.get("publish_date")),
        modified=day(found.get("updated_at")),
        affected=(Affected("npm", module, spans("npm", vulnerable), status="fixed" if patched else "affected"),),
    )
    return [Parsed("nodesec", name, (advisory,))]
