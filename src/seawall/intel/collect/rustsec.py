"""RustSec's advisories: Markdown that begins with TOML. Format: https://github.com/rustsec/advisory-db"""

import re
import tomllib
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, day, text, texts
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected
from seawall.intel.spans import others

_HEAD = re.compile(rb"\s*```toml\s*\n")
_WHOLE = re.compile(r"\s*```toml\s*\n(.*?)\n```\s*\n(.*)", re.DOTALL)
_TITLE = re.compile(r"^#\s+(.+)$", re.MULTILINE)


def recognise(document: Document) -> bool:
    """TOML with an advisory at its beginning."""
    head = document.data[:2000]
    return bool(_HEAD.match(head)) and b"[advisory]" in head


def read(document: Document) -> list[Parsed]:
    """One advisory. Raises ValueError, KeyError or TypeError when it is broken."""
    whole = _WHOLE.match(document.data.decode("utf-8"))
    if not whole:
        raise ValueError("its TOML does not end")
    head: dict[str, Any] = tomllib.loads(whole[1])
    found, versions = head["advisory"], head.get("versions") or {}
    vectors = tuple(one for one in (text(found.get("cvss")), text(found.get("cvss_v4"))) if one)
    vector, score = choose(vectors)
    patched = texts(versions.get("patched"))
    title = _TITLE.search(whole[2])
    name = text(found["id"])
    informational = text(found.get("informational"))  # unmaintained, notice, unsound: no weakness by itself
    severity = Severity.from_score(score) if score is not None else Severity.UNKNOWN
    affected = Affected(
        "crates.io",
        text(found["package"]),
        others("crates.io", [*patched, *texts(versions.get("unaffected"))]),
        status="fixed" if patched else "affected",
    )
    advisory = Advisory(
        id=name,
        source="rustsec",
        aliases=tuple(texts(found.get("aliases"))),
        title=title[1].strip() if title else "",
        details=whole[2].strip()[:4000],
        severity=Severity.INFO if informational in ("unmaintained", "notice") else severity,
        cvss=vector,
        score=score,
        vectors=vectors,
        urls=tuple(one for one in (text(found.get("url")), f"https://rustsec.org/advisories/{name}.html") if one),
        published=day(found.get("date")),
        withdrawn=day(found.get("withdrawn")),
        affected=() if text(found.get("collection")) == "rust" else (affected,),
    )
    return [Parsed("rustsec", name, (advisory,))]
