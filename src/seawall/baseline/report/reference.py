"""docs/reference/checks.md, made of the checks.

`python -m seawall.baseline.report.reference > docs/reference/checks.md`
"""

import sys
from collections.abc import Iterator

from seawall.baseline.load import packaged
from seawall.baseline.model import Benchmark, Check

HEAD = """\
# Checks
Made from the files in `src/seawall/baseline/benchmarks`;
[the guide](../guides/baseline.md) explains how they are judged.
"""


def text() -> str:
    """The whole page."""
    return HEAD + "".join(f"\n{line}" for one in packaged().values() for line in _benchmark(one)) + "\n"


def _benchmark(benchmark: Benchmark) -> Iterator[str]:
    yield f"## {benchmark.title['en']} {benchmark.version}: `{benchmark.id}`"
    yield "| check | about | severity | level | looks at | what should be | why | mend |"
    yield "|---|---|---|---|---|---|---|---|"
    for check in benchmark.checks:
        cells = (
            f"`{check.id}`",
            check.asset,
            f"{check.severity}, by a person" if check.manual else check.severity.value,
            str(check.level),
            ", ".join(f"`{name}`" for name in check.probe["facts"]),
            _both(check, "title"),
            _both(check, "why"),
            _both(check, "fix"),
        )
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _both(check: Check, name: str) -> str:
    texts = getattr(check, name)
    return texts["en"] if texts["en"] == texts["zh"] else f"{texts['en']}<br>{texts['zh']}"


if __name__ == "__main__":
    sys.stdout.write(text())
