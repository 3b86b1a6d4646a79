"""What a registry wants before it answers: the WWW-Authenticate header. Source: RFC 9110 §11."""

import re
from dataclasses import dataclass

MAX_HEADER = 16 << 10
_SCHEME = re.compile(r"[\s,]*([A-Za-z][A-Za-z0-9-]*)(?:\s+|(?=,)|$)")
_FIELD = re.compile(r'[\s,]*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in."""

    scheme: str
    """In lower case: basic, bearer."""
    fields: dict[str, str]
    """Names in lower case: realm, service, scope."""


def parse(header: str) -> list[Challenge]:
    """All that the header offers; what is not understood ends the list."""
    found: list[Challenge] = []
    at, header = 0, header[:MAX_HEADER]
    while (scheme := _SCHEME.match(header, at)) and scheme.end() > at:
        at = scheme.end()
        fields: dict[str, str] = {}
        while one := _FIELD.match(header, at):
            value = re.sub(r"\\(.)", r"\1", one[2]) if one[2] is not None else one[3]
            fields.setdefault(one[1].lower(), value)
            at = one.end()
        found.append(Challenge(scheme[1].lower(), fields))
    return found


def akin(one: str, other: str) -> bool:
    """Whether two hosts (without ports) belong to one owner by their names: equal, or of one domain."""
    if one == other:
        return True
    if not all(re.search(r"[A-Za-z]", host) and ":" not in host for host in (one, other)):
        return False  # addresses have no owner in common
    return _domain(one) == _domain(other) != ""


def _domain(host: str) -> str:
    """The part that somebody registered: two names, three where the second is one like co or com."""
    parts = host.lower().rstrip(".").split(".")
    size = 3 if len(parts) > 2 and len(parts[-2]) <= 3 and len(parts[-1]) == 2 else 2
    return ".".join(parts[-size:]) if len(parts) >= size else ""
