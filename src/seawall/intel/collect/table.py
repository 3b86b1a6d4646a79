"""Indicators as CSV (comma, semicolon or tab): a head names the columns, or most of one column are indicators.

Understood heads: the value as ip, dst_ip, cidr, domain, host, url, sha256, ioc, indicator, value …; beside it type or
threat or malware or tags or category (the kind), confidence or score, expires or valid_until.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from seawall.core import clock
from seawall.intel.collect.documents import Document
from seawall.intel.collect.observables import MAX_ABOUT, kind_in, may_be_list, observable, origin, unique
from seawall.intel.collect.parsed import Parsed
from seawall.intel.model import Indicator

_VALUES = re.compile(
    r"(?:dst_?|src_?|remote_?|network_?)?(?:ip|cidr|network|netblock|host|hostname|domain|fqdn|url|sha256|sha256_hash|ioc|"
    r"ioc_value|indicator|value|address)(?:_?address|_?name|_?ip)?"
)
_KINDS = re.compile(
    r"(ioc_)?(kind|type|threat(_type)?|category|malware(_printable)?|family|tags?|labels?|classification|description)"
)
_CONFIDENCE = re.compile(r"confidence(_level)?|score|reputation")
_EXPIRES = re.compile(r"expires?(_at)?|valid_(until|to)|expiration(_date)?")
ROWS_LOOKED_AT = 30


def recognise(document: Document) -> bool:
    """Text in columns, in one of which most entries are indicators."""
    if not may_be_list(document) or document.data.lstrip()[:1] in (b"{", b"[", b"<"):
        return False
    rows = list(_rows(document.data[:16384].decode("utf-8", "replace")))[:ROWS_LOOKED_AT]
    return len(rows) > 1 and max(map(len, rows)) > 1 and _column(rows) is not None


def read(document: Document) -> list[Parsed]:
    """All rows."""
    text = document.data.decode("utf-8-sig", "replace")
    rows = _rows(text)
    first = [row for row, _ in zip(rows, range(ROWS_LOOKED_AT), strict=False)]
    column = _column(first)
    if column is None:
        raise ValueError("no column holds indicators")
    head = _head(first)
    words = f"{origin(document)} {' '.join(line for line in text.splitlines()[:10] if line.startswith('#'))[:500]}"
    default = kind_in(words)
    body = first[1:] if head else first
    found, unread = unique(_indicator(row, column, head, default) for part in (body, rows) for row in part)
    return [Parsed(f"csv {origin(document)}", origin(document), indicators=found, unread=unread)]


def _rows(text: str) -> Iterator[list[str]]:
    """Rows without comments; a comment that names columns (`# "first_seen","dst_ip"`) is the head."""
    sample = text[:8192]
    delimiter = max(",;\t", key=sample.count)
    lines = text.splitlines()
    named = [line.lstrip("# ") for line in lines[:60] if line.startswith("#") and delimiter in line]
    heads = [line for line in named if any(_VALUES.fullmatch(_plain(cell)) for cell in line.split(delimiter))]
    body = [line for line in lines if line.strip() and not line.startswith("#")]
    try:
        for row in csv.reader(io.StringIO("\n".join(heads[-1:] + body)), delimiter=delimiter, skipinitialspace=True):
            if len(row) > 1:
                yield [cell.strip() for cell in row[:50]]
    except csv.Error:
        return


def _plain(cell: str) -> str:
    return cell.strip().strip('"').strip().lower().replace(" ", "_").replace("-", "_")


def _head(rows: Sequence[Sequence[str]]) -> list[str]:
    """Names of the columns; none when the first row is an entry itself."""
    names = [_plain(cell) for cell in rows[0]]
    if any(_VALUES.fullmatch(name) for name in names) and not any(observable(cell) for cell in rows[0]):
        return names
    return []


def _column(rows: Sequence[Sequence[str]]) -> int | None:
    """Where the indicators are: of the columns in which most entries are some, one with a head that says so first."""
    if not rows:
        return None
    head = _head(rows)
    body = rows[1:] if head else rows
    best, most = None, 0.0
    for column in range(max(map(len, rows))):
        cells = [row[column] for row in body if column < len(row)]
        share = sum(observable(cell) is not None for cell in cells) / max(1, len(body))
        named = column < len(head) and _VALUES.fullmatch(head[column]) is not None
        if share >= (0.5 if named else 0.9) and share + named > most:
            best, most = column, share + named
    return best


def _indicator(row: Sequence[str], column: int, head: Sequence[str], default: str) -> Indicator | None:
    found = observable(row[column]) if column < len(row) else None
    if found is None:
        return None
    beside = {name: row[place] for place, name in enumerate(head) if place < len(row) and place != column}
    said = " ".join(cell for name, cell in beside.items() if _KINDS.fullmatch(name))
    confidence = next((cell for name, cell in beside.items() if _CONFIDENCE.fullmatch(name)), "")
    expires = next((cell for name, cell in beside.items() if _EXPIRES.fullmatch(name)), "")
    return Indicator(
        *found,
        kind_in(said, default),
        confidence=min(100, int(float(confidence))) if re.fullmatch(r"\d{1,3}(\.\d+)?", confidence) else 50,
        expires=_time(expires),
        about=said[:MAX_ABOUT],
    )


def _time(text: str) -> str:
    try:
        return clock.format_time(clock.parse_time(text)) if text else ""
    except ValueError:
        return ""
