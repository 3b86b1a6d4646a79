"""FIRST's EPSS: how likely each CVE is to be used within 30 days. CSV. Format: https://www.first.org/epss/data_stats"""

import re
from collections.abc import Iterator

from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed
from seawall.intel.model import Predicted

_HEAD = re.compile(rb"(?:#[^\n]*\n)?cve,epss,percentile\s*\n", re.IGNORECASE)
_DATE = re.compile(rb"score_date:([0-9T:+-]+)")
_LINE = re.compile(r"(CVE-\d{4}-\d+),([0-9.eE+-]+),([0-9.eE+-]+)\s*")
AT_ONCE = 20_000


def recognise(document: Document) -> bool:
    """The three columns, after a comment with the model's version."""
    return bool(_HEAD.match(document.data[:500]))


def read(document: Document) -> Iterator[Parsed]:
    """All scores. Raises ValueError when no line can be read."""
    date = _DATE.search(document.data[:500])
    published = re.sub(r"\+00:?00$", "Z", date[1].decode()) if date else ""
    found: list[Predicted] = []
    count = 0
    for line in document.data.decode("utf-8", "replace").splitlines():
        if (scored := _LINE.fullmatch(line)) and 0 <= (score := float(scored[2])) <= 1:
            found.append(Predicted(scored[1], score, min(max(float(scored[3]), 0.0), 1.0)))
            count += 1
        if len(found) == AT_ONCE:
            yield Parsed("epss", "scores", predicted=tuple(found), published=published)
            found.clear()
    if not count:
        raise ValueError("no line of it is a CVE with a score")
    yield Parsed("epss", "scores", predicted=tuple(found), published=published)
