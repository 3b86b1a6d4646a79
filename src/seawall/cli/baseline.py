"""`seawall baseline run`: check this host against a benchmark, no server needed."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seawall.core.errors import SeawallError
from seawall.core.severity import Severity

if TYPE_CHECKING:
    from seawall.baseline.model import Benchmark, Result

EXAMPLES = """\
examples:
  seawall baseline run                                    CIS Docker for this host, as a table
  seawall baseline run --format json --output docker.json everything, with evidence
  seawall baseline run --fail-on high                     for pipelines: exit 1 when a check of this severity fails
  seawall baseline list                                   the benchmarks and their checks

Exit codes: 0 done and nothing at or over --fail-on, 1 failures at or over --fail-on, 2 could not check. With --fail-on
a check of that severity whose facts could not be read is a 2 as well: not checked is not passed.
"""


def main(arguments: Sequence[str]) -> int:
    """0 clean, 1 failures at or over --fail-on, 2 could not check."""
    parser = argparse.ArgumentParser(
        "seawall baseline",
        description="Check this host against a benchmark, judged from what really runs.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run", help="collect facts and judge them", epilog=EXAMPLES, formatter_class=parser.formatter_class
    )
    run.add_argument("--benchmark", default="docker", help="which benchmark (default: %(default)s)")
    run.add_argument("--format", default="table", help="table or json (default: %(default)s)")
    run.add_argument("--output", type=Path, help="write there instead of to standard output")
    levels = [one.value for one in Severity if one is not Severity.UNKNOWN]
    run.add_argument("--fail-on", choices=levels, metavar="SEVERITY", help=", ".join(levels))
    commands.add_parser("list", help="the benchmarks and their checks")
    wanted = parser.parse_args(list(arguments))
    return _list() if wanted.command == "list" else _run(wanted)


def _run(wanted: argparse.Namespace) -> int:
    from seawall.baseline.collect.node import collect
    from seawall.baseline.detect.evaluate import evaluate
    from seawall.baseline.load import packaged
    from seawall.baseline.report import FORMATS
    from seawall.node.docker import Docker

    benchmark = packaged().get(wanted.benchmark)
    if benchmark is None:
        raise SeawallError(f"there is no benchmark {wanted.benchmark!r}", f"use one of: {', '.join(packaged())}")
    if wanted.format not in FORMATS:
        raise SeawallError(f"there is no format {wanted.format!r}", f"use one of: {', '.join(FORMATS)}")
    results: list[Result] = []
    for place, facts in enumerate(collect(Docker()), 1):
        if sys.stderr.isatty():
            print(f"\r{place} assets read", end="", file=sys.stderr)
        results += evaluate(benchmark, facts)
    if sys.stderr.isatty():
        print("\r" + " " * 24, end="\r", file=sys.stderr)
    if wanted.output:
        try:
            with wanted.output.open("w", encoding="utf-8") as out:
                FORMATS[wanted.format](benchmark, results, out)
        except OSError as error:
            raise SeawallError(f"cannot write {wanted.output}: {error}") from error
        print(f"written to {wanted.output}", file=sys.stderr)
    else:
        FORMATS[wanted.format](benchmark, results, sys.stdout)
    return _code(benchmark, results, wanted.fail_on)


def _code(benchmark: "Benchmark", results: "Sequence[Result]", fail_on: str | None) -> int:
    from seawall.baseline.model import Outcome

    if fail_on is None:
        return 0
    grave = {check.id for check in benchmark.checks if check.severity.rank >= Severity(fail_on).rank}
    found = {result.outcome for result in results if result.check in grave}
    return 1 if Outcome.FAIL in found else 2 if Outcome.NOT_CHECKED in found else 0


def _list() -> int:
    from seawall.baseline.load import packaged

    for benchmark in packaged().values():
        print(f"{benchmark.id}  {benchmark.title['en']} {benchmark.version}, {len(benchmark.checks)} checks")
        for check in benchmark.checks:
            print(f"  {check.id:14} {check.severity.value:9} {check.asset:12} {check.title['en']}")
    return 0
