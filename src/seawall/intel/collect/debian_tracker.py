"""Debian's security tracker as JSON: each package, each CVE, what it is in each release, fixed or not.

Format: https://security-tracker.debian.org/tracker/data/json
"""

import re
from collections.abc import Iterator
from typing import Any

from seawall.core.severity import Severity
from seawall.intel.collect.debian import RELEASES
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text
from seawall.intel.collect.streamed import members
from seawall.intel.model import Advisory, Affected, Range

_HEAD = re.compile(rb'\s*\{\s*"[^"]+"\s*:\s*\{\s*"(?:CVE|TEMP)-')
_WONT = {"ignored": "will_not_fix", "postponed": "deferred"}


def recognise(document: Document) -> bool:
    """A package, a CVE, and somewhere releases with a status."""
    return bool(_HEAD.match(document.data[:4096])) and b'"releases"' in document.data[: 1 << 16]


def read(document: Document) -> Iterator[Parsed]:
    """Package by package. Raises ValueError where it is broken."""
    for package, entries in members(document.data):
        found = tuple(_advisory(package, name, entry) for name, entry in entries.items())
        yield Parsed("debian tracker", package, tuple(one for one in found if one.affected))


def _advisory(package: str, name: str, entry: dict[str, Any]) -> Advisory:
    releases = entry.get("releases") or {}
    return Advisory(
        id=name,
        source="debian",
        title=_short(text(entry.get("description"))),
        urls=(f"https://security-tracker.debian.org/tracker/{name}",),
        affected=tuple(
            part
            for release, state in releases.items()
            if release in RELEASES and (part := _affected(package, RELEASES[release], state))
        ),
    )


def _affected(package: str, release: str, state: dict[str, Any]) -> Affected | None:
    ecosystem, fixed = f"Debian:{release}", text(state.get("fixed_version"))
    urgency = text(state.get("urgency")).rstrip("*").strip()
    severity = Severity.parse(urgency)
    match text(state.get("status")):
        case "resolved" if fixed == "0":
            return Affected(ecosystem, package, status="not_affected")
        case "resolved" if fixed:
            return Affected(ecosystem, package, (Range(fixed=fixed),), severity=severity)
        case "open":
            return Affected(ecosystem, package, (Range(),), status=_open(state, urgency), severity=severity)
        case _:  # undetermined: Debian does not know yet
            return None


def _open(state: dict[str, Any], urgency: str) -> str:
    """Why there is no fixed version: no advisory will come (ignored), later (postponed, or a minor issue), or yet."""
    if urgency == "end-of-life":
        return "end_of_life"
    if "nodsa" in state:
        return _WONT.get(text(state.get("nodsa_reason")), "deferred")
    return "affected"


def _short(details: str) -> str:
    line = " ".join(details.split())
    return line if len(line) <= 160 else line[:159].rsplit(" ", 1)[0] + "…"
