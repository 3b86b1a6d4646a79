"""How a scan is written down, one format a file. Each writes a whole report to an open text file."""

from collections.abc import Callable
from typing import TextIO

from seawall.images.model import Scan
from seawall.images.report import cyclonedx, html, json, junit, sarif, spdx, table

REPORTS: dict[str, Callable[[Scan, TextIO], None]] = {
    "cyclonedx": cyclonedx.write,
    "html": html.write,
    "json": json.write,
    "junit": junit.write,
    "sarif": sarif.write,
    "spdx": spdx.write,
    "table": table.write,
}
