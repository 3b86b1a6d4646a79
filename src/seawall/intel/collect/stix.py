"""STIX 2.1 bundles: indicators whose patterns compare addresses, names, URLs or SHA-256 hashes.

Format: https://docs.oasis-open.org/cti/stix/v2.1/. Comparisons that are joined by OR are entries of their own; one
that is joined by AND or FOLLOWEDBY says less alone than together and is passed over.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from seawall.core import clock
from seawall.intel.collect.documents import Document
from seawall.intel.collect.observables import MAX_ABOUT, kind_in, observable, origin, unique
from seawall.intel.collect.parsed import Parsed, text, texts, value
from seawall.intel.model import Indicator

_COMPARISON = re.compile(
    r"(ipv4-addr|ipv6-addr|domain-name|url|network-traffic|file)\s*:\s*"
    r"(value|dst_ref\.value|hashes\.(?:'SHA-256'|\"SHA-256\"|SHA256|'SHA256'))\s*(?:=|ISSUBSET)\s*'((?:[^'\\]|\\.){1,2048})'"
)
_JOINED = re.compile(r"\b(AND|FOLLOWEDBY)\b")
_ANY_COMPARISON = re.compile(r"(?:=|\bISSUBSET\b|\bIN\b|\bLIKE\b|\bMATCHES\b)")


def recognise(document: Document) -> bool:
    """A bundle."""
    head = document.data[:4096].lstrip()
    return head[:1] == b"{" and bool(re.search(rb'"type"\s*:\s*"bundle"', document.data[:65536]))


def read(document: Document) -> list[Parsed]:
    """The bundle's indicators that are not revoked. Raises ValueError, KeyError or TypeError when it is broken."""
    objects = value(document.data)["objects"]
    mine = [one for one in objects if isinstance(one, dict) and one.get("type") == "indicator"]
    found, unread = unique(entry for one in mine for entry in _entries(one))
    return [Parsed(f"stix {origin(document)}", origin(document), indicators=found, unread=unread)]


def _entries(one: Mapping[str, Any]) -> Iterator[Indicator | None]:
    pattern = text(one.get("pattern"))
    if one.get("revoked") is True or text(one.get("pattern_type") or "stix") != "stix":
        return
    comparisons = _COMPARISON.findall(pattern)
    if not comparisons or (_JOINED.search(pattern) and len(_ANY_COMPARISON.findall(pattern)) > 1):
        yield None
        return
    words = " ".join([*texts(one.get("indicator_types")), *texts(one.get("labels")), text(one.get("name"))])
    confidence = one.get("confidence")
    for _, _, found in comparisons:
        known = observable(found.replace("\\'", "'"))
        if known is None:
            yield None
            continue
        yield Indicator(
            *known,
            kind_in(words, "malware" if "malicious" in words else "other"),
            confidence=confidence if isinstance(confidence, int) and 0 <= confidence <= 100 else 50,
            expires=_time(text(one.get("valid_until"))),
            about=text(one.get("name") or one.get("description"))[:MAX_ABOUT],
        )


def _time(said: str) -> str:
    try:
        return clock.format_time(clock.parse_time(said)) if said else ""
    except ValueError:
        return ""
