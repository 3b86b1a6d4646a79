"""What a feed makes of one document, and how it reads text that others wrote."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from seawall.intel.model import Advisory, Exploited, Indicator

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Plain values only, ten times faster where libyaml is there."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The records of one document. A later document of the same origin replaces them."""

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


def value(data: bytes) -> Any:
    """The JSON or YAML value of a document. Raises ValueError when it is neither."""
    text = data.decode("utf-8-sig")
    if text.lstrip()[:1] in ("{", "["):
        return json.loads(text)
    try:
        return _Loader(text).get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {str(error).splitlines()[0]}") from error


def texts(values: Any) -> list[str]:
    """The strings of what should be a list of strings."""
    return [item for item in values if isinstance(item, str)] if isinstance(values, list) else []


def text(item: Any) -> str:
    """A string, or "" for anything else; dates that YAML has read become text again."""
    if isinstance(item, str):
        return item
    return str(item) if isinstance(item, int | float) or hasattr(item, "isoformat") else ""
