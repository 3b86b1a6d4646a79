"""What a feed makes of one document, and how it reads text that others wrote."""

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

from seawall.intel.model import Advisory, Cycle, Exploit, Exploited, Indicator, Predicted

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Plain values only, ten times faster where libyaml is there."""


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
        return _Loader(text).get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {str(error).splitlines()[0]}") from error


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
