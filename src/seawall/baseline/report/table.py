"""For people: what failed first, then what could not be checked or needs a person, then the sums."""

from collections.abc import Sequence
from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from seawall.baseline.detect.evaluate import counts, rate, without_assets
from seawall.baseline.model import Benchmark, Outcome, Result

COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim", "unknown": "dim"}
WORDS = {
    Outcome.FAIL: "[red]✗ fail[/]",
    Outcome.NOT_CHECKED: "[yellow]? not checked[/]",
    Outcome.MANUAL: "[blue]☰ look yourself[/]",
    Outcome.WAIVED: "[dim]~ waived[/]",
    Outcome.NOT_APPLICABLE: "[dim]– not applicable[/]",
    Outcome.PASS: "[green]✓ pass[/]",
}
"""In the order in which they are shown."""


def write(benchmark: Benchmark, results: Sequence[Result], out: IO[str]) -> None:
    """A table of everything but the passes, and the sums."""
    console = Console(file=out, width=None if out.isatty() else 140, highlight=False)
    checks = {check.id: check for check in benchmark.checks}
    order = list(WORDS)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("result", "severity", "check", "on", "what"):
        table.add_column(name, overflow="fold")
    shown = [result for result in results if result.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
    for result in sorted(shown, key=lambda one: (order.index(one.outcome), -checks[one.check].severity.rank)):
        check = checks[result.check]
        severity = f"[{COLOURS[check.severity.value]}]{check.severity.value}[/]"
        text = check.title["en"] + (f" [dim]({_plain(result.reason)})[/]" if result.reason else "")
        table.add_row(WORDS[result.outcome], severity, check.id, _plain(result.asset.name), text)
    console.print(table)
    found = counts(results)
    share = rate(found)
    sums = " · ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items())
    console.print(f"\n[bold]{escape(benchmark.title['en'])} {benchmark.version}[/]: {sums}")
    if idle := without_assets(benchmark, results):
        console.print(f"{len(idle)} checks had nothing to look at, and so say nothing: no container runs.")
    judged, total = found["pass"] + found["fail"], len(results)
    if share is None:
        console.print("Nothing could be judged.")
    else:
        console.print(f"{share:.0%} of what was judged passes; {total - judged} of {total} results are not a verdict.")


def _plain(text: str) -> str:
    """Text of others without markup and without what moves a terminal's cursor."""
    return escape("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text))
