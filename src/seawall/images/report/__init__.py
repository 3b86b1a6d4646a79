"""How a scan is written down, one format a file. Each writes a whole report to an open text file."""

from collections.abc import Callable
from typing import TextIO

from seawall.images.model import Scan
from seawall.images.report import json, table

REPORTS: dict[str, Callable[[Scan, TextIO], None]] = {
    "json": json.write,
    "table": table.write,
}
