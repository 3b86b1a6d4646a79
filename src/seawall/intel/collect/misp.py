"""Events of a MISP feed: one event a document, or a list of them. Format: https://github.com/MISP/misp-rfc

Attributes that MISP marks as not for detection (`to_ids` false) are passed over.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from seawall.intel.collect.documents import Document
from seawall.intel.collect.observables import MAX_ABOUT, kind_in, observable, origin, unique
from seawall.intel.collect.parsed import Parsed, text, value
from seawall.intel.model import Indicator

TYPES = {
    "ip-dst", "ip-src", "ip-dst|port", "ip-src|port", "domain", "hostname", "hostname|port", "domain|ip", "url",
    "sha256", "filename|sha256",
}  # fmt: skip
_CONFIDENCE = {"1": 75, "2": 60, "3": 50}
"""By the event's threat level: high, medium, low."""


def recognise(document: Document) -> bool:
    """JSON with an event and attributes."""
    head = document.data[:1].strip() or document.data.lstrip()[:1]
    return head in (b"{", b"[") and b'"Event"' in document.data[:65536] and b'"Attribute"' in document.data


def read(document: Document) -> list[Parsed]:
    """Attributes of the events and of their objects. Raises ValueError, KeyError or TypeError when it is broken."""
    content = value(document.data)
    events = content if isinstance(content, list) else content.get("response", [content])
    found, unread = unique(one for event in events for one in _event(event["Event"]))
    return [Parsed(f"misp {origin(document)}", origin(document), indicators=found, unread=unread)]


def _event(event: Mapping[str, Any]) -> Iterator[Indicator | None]:
    title = text(event.get("info"))
    words = " ".join([title, *(text(tag.get("name")) for tag in event.get("Tag") or ())])
    confidence = _CONFIDENCE.get(text(event.get("threat_level_id")), 50)
    attributes = list(event.get("Attribute") or ())
    for part in event.get("Object") or ():
        attributes += part.get("Attribute") or ()
    for attribute in attributes:
        kind = text(attribute.get("type"))
        if kind not in TYPES or attribute.get("to_ids") is False or attribute.get("deleted") is True:
            continue
        said = text(attribute.get("value"))
        # `domain|ip` and `filename|sha256` are two things in one; the first is the domain, the last the hash.
        word = said.rpartition("|")[2] if kind == "filename|sha256" else said.partition("|")[0]
        known = observable(word)
        if known is None:
            yield None
            continue
        about = f"{text(attribute.get('category'))} {text(attribute.get('comment'))} {words}"
        yield Indicator(*known, kind_in(about, "malware"), confidence=confidence, about=title[:MAX_ABOUT])
