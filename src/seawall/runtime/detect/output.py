"""The sentence of a Falco rule: `%field` stands for the field's value, `<NA>` for one that is absent."""

import functools
import re
from typing import Any

from seawall.runtime.detect import redact, transform
from seawall.runtime.model import Event

ABSENT = "<NA>"
MAX_TEXT = 4096
"""Characters of a sentence that are kept."""
_FIELD = re.compile(
    r"%(?:(?P<call>(?:tolower|toupper|b64|basename|len)\((?P<inner>[a-z0-9_]+(?:\.[A-Za-z0-9_]+)+(?:\[[^\]]*\])?)\))"
    r"|(?P<plain>[a-z0-9_]+(?:\.[A-Za-z0-9_]+)+(?:\[[^\]]*\])?))"
)


def unknown(text: str) -> list[str]:
    """The fields in a sentence that do not exist."""
    names = (found["plain"] or found["inner"] for found in _FIELD.finditer(text))
    return [name for name in names if _source(name) is None]


def render(text: str, event: Event) -> str:
    """The sentence of an event, secrets hidden."""
    return _FIELD.sub(lambda found: _shown(found, event), text)[:MAX_TEXT]


def _shown(found: re.Match[str], event: Event) -> str:
    inner = found["inner"]
    form: Any = [found["call"].partition("(")[0], inner] if inner else found["plain"]
    known = _source(inner or form)
    source = transform.source(form) if inner and known is not None else known
    value = None if source is None else source.get(event)
    if value is None or value == ():
        return ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return redact.text(value) if isinstance(value, str) else str(value)


@functools.lru_cache(maxsize=512)
def _source(name: str) -> transform.Source | None:
    try:
        return transform.source(name)
    except (KeyError, ValueError):
        return None
