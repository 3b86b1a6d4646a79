"""How a scan is written down, one format a file. Each writes a whole report to an open text file."""

from collections.abc import Callable
from typing import TextIO

from seawall.images.model import Scan
from seawall.images.report import csaf, cyclonedx, cyclonedx_vex, html, json, junit, openvex, sarif, spdx, table

REPORTS: dict[str, Callable[[Scan, TextIO], None]] = {
    "csaf": csaf.write,
    "cyclonedx": cyclonedx.write,
    "cyclonedx_vex": cyclonedx_vex.write,
    "html": html.write,
    "json": json.write,
    "junit": junit.write,
    "openvex": openvex.write,
    "sarif": sarif.write,
    "spdx": spdx.write,
    "table": table.write,
}
