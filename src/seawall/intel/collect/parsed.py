"""What a feed makes of one document, and how it reads text that others wrote."""

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

from seawall.intel.model import Advisory, Cycle, Exploit, Exploited, Indicator, Predicted

_Events: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Only the events of YAML are used, ten times faster where libyaml is there."""
MAX_DEPTH = 100
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True, "false": False,
          "False": False}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """Records of one document; large documents give several. Those of a later document of the same origin replace
    them."""

    feed: str
    """The feed's name, as `seawall intel status` shows it: "osv PyPI", "alpine v3.11 main"."""
    origin: str
    """Names the document within its feed, the same tomorrow."""
    advisories: tuple[Advisory, ...] = ()
    exploited: tuple[Exploited, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    """A later document of the same feed and origin takes the place of all of them."""
    unread: int = 0
    """Lines or entries that are no indicator of a type that is kept."""
    predicted: tuple[Predicted, ...] = ()
    exploits: tuple[Exploit, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    published: str = ""
    """When the feed says that it was made; "" lets the newest advisory tell."""


def value(data: bytes) -> Any:
    """The JSON or YAML value of a document. Raises ValueError when it is neither."""
    text = data.decode("utf-8-sig")
    if text.lstrip()[:1] in ("{", "["):
        return json.loads(text)
    try:
        return _yaml(text)
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {str(error).splitlines()[0]}") from error


def _yaml(text: str) -> Any:
    """Plain values; numbers and dates stay text, so that 3.10 is not 3.1."""
    parser = _Events(text)
    anchors: dict[str, Any] = {}
    for skipped in (yaml.StreamStartEvent, yaml.DocumentStartEvent):
        if not isinstance(parser.get_event(), skipped):
            return None
    found = _node(parser, parser.get_event(), anchors, 0)
    parser.get_event()
    if not isinstance(parser.get_event(), yaml.StreamEndEvent):
        raise ValueError("more than one document")
    return found


def _node(parser: Any, event: Any, anchors: dict[str, Any], depth: int) -> Any:
    kind = type(event)
    found: Any
    if kind is yaml.ScalarEvent:
        found = event.value if event.style or event.value not in _WORDS else _WORDS[event.value]
    elif depth > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    elif kind is yaml.MappingStartEvent:
        found = {}
        while type(inner := parser.get_event()) is not yaml.MappingEndEvent:
            key = _node(parser, inner, anchors, depth + 1)
            value = _node(parser, parser.get_event(), anchors, depth + 1)
            found[key if isinstance(key, str) else ""] = value
    elif kind is yaml.SequenceStartEvent:
        found = []
        while type(inner := parser.get_event()) is not yaml.SequenceEndEvent:
            found.append(_node(parser, inner, anchors, depth + 1))
    elif kind is yaml.AliasEvent:
        if event.anchor not in anchors:
            raise ValueError(f"nothing is called {event.anchor}")
        return anchors[event.anchor]
    else:
        raise ValueError("a value is missing")
    if event.anchor:
        anchors[event.anchor] = found
    return found


def day(item: Any) -> str:
    """A time's day as RFC 3339 writes it, or "" where it is none."""
    found = re.match(r"\d{4}-\d{2}-\d{2}", text(item))
    return found[0] if found else ""


def texts(values: Any) -> list[str]:
    """The strings of what should be a list of strings."""
    return [item for item in values if isinstance(item, str)] if isinstance(values, list) else []


def text(item: Any) -> str:
    """A string, or "" for anything else; dates that YAML has read become text again."""
    if isinstance(item, str):
        return item
    return str(item) if isinstance(item, int | float) or hasattr(item, "isoformat") else ""
