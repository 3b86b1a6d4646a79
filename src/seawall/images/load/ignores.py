"""The ignore file, `.seawallignore.yaml`: findings that somebody has decided on, each with its reason.

ignores:
  - id: CVE-2024-1234            # or ids: […]; a rule or check for other kinds
    package: openssl             # a name with * and ?, or a purl; all may be lists
    path: usr/lib/*
    image: registry.example/app:*
    reason: not reachable, see ticket 7
    until: 2026-12-31
    status: accepted             # or not_affected, fixed
    kind: vulnerability          # or secret, malware, config
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from seawall.core.errors import SeawallError
from seawall.images.detect.decisions import SETTLED
from seawall.images.model import Statement

NAME = ".seawallignore.yaml"
MAX_BYTES = 1 << 20
MAX_ENTRIES = 10_000
MAX_TEXT = 2000
KINDS = ("vulnerability", "secret", "malware", "config")
_KEYS = {"id", "ids", "package", "packages", "path", "paths", "image", "images", "reason", "until", "status", "kind"}
_KEYS |= {"justification"}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> tuple[Statement, ...]:
    """All entries. Raises SeawallError that names the entry when one is not as it should be: none is passed over."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SeawallError(f"cannot read {path}: {error.strerror}") from error
    try:
        return parse(data, path.name)
    except ValueError as error:
        raise SeawallError(f"{path}: {error}", "docs/reference/matching.md describes ignore files") from error


def parse(data: bytes, source: str) -> tuple[Statement, ...]:
    """All entries. Raises ValueError."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    try:
        found = _Loader(data.decode("utf-8-sig")).get_single_data()
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"no YAML: {str(error).splitlines()[0] if str(error) else 'nested too deeply'}") from error
    if isinstance(found, dict):
        if set(found) - {"ignores", "version"}:
            raise ValueError(
                f"what is {sorted(map(str, set(found) - {'ignores', 'version'}))[0]!r}? It knows `ignores`"
            )
        found = found.get("ignores")
    entries = found or []
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise ValueError(f"`ignores` is a list of at most {MAX_ENTRIES} entries")
    return tuple(_entry(number, entry, source) for number, entry in enumerate(entries, 1))


def entry(value: dict[str, Any], source: str = "Seawall") -> Statement:
    """One decision. Raises ValueError."""
    return _entry(1, value, source)


def _entry(number: int, entry: Any, source: str) -> Statement:
    def wrong(why: str) -> ValueError:
        return ValueError(f"entry {number}: {why}")

    if not isinstance(entry, dict) or not all(isinstance(name, str) for name in entry):
        raise wrong("it is no mapping")
    if unknown := sorted(set(entry) - _KEYS):
        raise wrong(f"what is {unknown[0]!r}? It may have {', '.join(sorted(_KEYS))}")
    lists = {name: _texts(entry, name, wrong) for name in ("id", "package", "path", "image")}
    reason, status, kind = (entry.get(name, "") for name in ("reason", "status", "kind"))
    if not isinstance(reason, str) or not reason.strip():
        raise wrong("it has no reason")
    if (status or "accepted") not in SETTLED:
        raise wrong(f"status is one of {', '.join(SETTLED)}")
    if (kind or KINDS[0]) not in KINDS:
        raise wrong(f"kind is one of {', '.join(KINDS)}")
    if not any(lists.values()):
        raise wrong("it names no id, package, path or image: it would ignore everything")
    justification = entry.get("justification") or ""
    return Statement(
        lists["id"], status or "accepted", reason.strip()[:MAX_TEXT], source, lists["package"], lists["image"],
        lists["path"], _day(entry.get("until"), wrong), kind or KINDS[0], str(justification)[:100],
    )  # fmt: skip


def _texts(entry: dict[str, Any], name: str, wrong: Any) -> tuple[str, ...]:
    values: list[Any] = []
    for key in (name, f"{name}s"):
        given = entry.get(key)
        values += given if isinstance(given, list) else [] if given is None else [given]
    if not all(isinstance(value, str) and 0 < len(value) <= MAX_TEXT for value in values) or len(values) > MAX_ENTRIES:
        raise wrong(f"{name} is a text or a list of texts")
    return tuple(values)


def _day(value: Any, wrong: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise wrong(f"until is a day (YYYY-MM-DD), not {str(value)[:40]!r}") from None
