"""Ways to show the results of a run; a new one is a file and a line here."""

from collections.abc import Callable, Sequence
from typing import IO

from seawall.baseline.model import Benchmark, Result
from seawall.baseline.report import json, table

Write = Callable[[Benchmark, Sequence[Result], IO[str]], None]
FORMATS: dict[str, Write] = {"table": table.write, "json": json.write}
