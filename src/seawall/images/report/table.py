"""For people at a terminal. Everything an image says of itself is shown without control characters."""

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.core.severity import Severity
from seawall.images.lines import Finding, findings
from seawall.images.model import Judgement, Package, Scan, Vulnerability

STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "dark_orange",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
}
WIDTH = 160
"""Of a report that goes to a file or a pipe."""
GAP = 2
"""Between columns."""
LEAST = 20
"""Characters of a column that is worth showing."""
MAX_SKIPPED = 10
_NAMES = {"secret": "secrets", "malware": "malware", "config": "configuration"}
_VERDICTS = {"allowed": "green", "observed": "yellow", "denied": "bold red"}


def write(scan: Scan, out: TextIO) -> None:
    """Head, vulnerabilities (else packages), and what was not looked at."""
    console = Console(file=out, width=None if out.isatty() else WIDTH, highlight=False, markup=False)
    for line in _head(scan):
        console.print(line)
    if scan.judgement is not None:
        if scan.judgement.vulnerabilities:
            console.print(_vulnerabilities(scan.judgement, console.width))
            console.print()
    elif "vuln" in scan.scanners:
        console.print(Text(f"VULNERABILITIES WERE NOT CHECKED: {plain(scan.not_checked)}", "bold red"))
    elif "package" in scan.scanners:
        console.print(_packages(scan))
        console.print()
    others = [one for one in findings(scan) if one.kind != "vuln"]
    if others:
        console.print(_others(others))
        console.print()
    for line in _tail(scan):
        console.print(line)


def plain(text: str) -> str:
    """Without what could move the cursor or hide a line."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _head(scan: Scan) -> Iterator[Text]:
    inventory = scan.inventory
    yield Text(plain(inventory.name or inventory.target), "bold")
    os = inventory.os
    yield Text(f"  image     {inventory.config.id}")
    yield Text(f"  system    {plain(os.name or f'{os.id} {os.version}') if os else 'not known'}")
    kinds = Counter(package.kind for package in inventory.packages)
    named = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    yield Text(f"  packages  {len(inventory.packages)}{f' ({named})' if named else ''}")
    real = sum(not layer.empty for layer in inventory.layers)
    yield Text(f"  layers    {real}, {inventory.stats.get('bytes', 0) / 1e6:,.0f} MB")
    yield Text("")


def _vulnerabilities(judgement: Judgement, width: int) -> Table:
    """What it is about gets the room that the others leave, and the layer goes first: a cut id helps nobody."""
    names: tuple[str, ...] = ("severity", "id", "package", "installed", "fixed", "layer")
    rows = [_cells(one) for one in judgement.vulnerabilities]
    room = width - sum(max(map(len, column)) + GAP for column in zip(names, *rows, strict=True))
    if room + GAP < 0:
        names, rows = names[:-1], [cells[:-1] for cells in rows]
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in (*names, "what") if room >= LEAST else names:
        shown.add_column(name, overflow="ellipsis", no_wrap=True)
    for one, cells in zip(judgement.vulnerabilities, rows, strict=True):
        severity = Text(cells[0], STYLES.get(one.severity, ""))
        what = Text(plain(one.title))
        what.truncate(room, overflow="ellipsis")
        shown.add_row(severity, *map(Text, cells[1:]), *([what] if room >= LEAST else []))
    return shown


def _cells(one: Vulnerability) -> tuple[str, ...]:
    fixed = plain(one.fixed) or _state(one)
    severity = f"{one.severity.value} KEV" if one.kev else one.severity.value
    return severity, plain(one.id), plain(one.package), plain(one.installed), fixed, str(one.layer)


def _state(one: Vulnerability) -> str:
    return f"({one.status.replace('_', ' ')})"


def _others(found: list[Finding]) -> Table:
    """Secrets, malware and configuration."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("severity", "kind", "rule", "what", "seen", "place"):
        shown.add_column(name, overflow="fold")
    for one in found:
        layer = f"layer {one.layer}" if one.layer >= 0 else ""
        place = " ".join(filter(None, (plain(one.path), f"line {one.line}" if one.line else "", layer)))
        severity = Text(one.severity.value, STYLES.get(one.severity, ""))
        shown.add_row(severity, *map(Text, (one.kind, plain(one.rule), plain(one.title), plain(one.detail), place)))
    return shown


def _packages(scan: Scan) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("package", "version", "kind", "license", "layer", "path"):
        shown.add_column(name, overflow="fold")
    for one in scan.inventory.packages:
        shown.add_row(*map(Text, _row(one)))
    return shown


def _row(one: Package) -> tuple[str, ...]:
    path, layer = (one.locations[0].path, str(one.locations[0].layer)) if one.locations else ("", "")
    return plain(one.name), plain(one.version), one.kind, plain(one.license), layer, plain(path)


def _tail(scan: Scan) -> Iterator[Text]:
    if scan.judgement is not None:
        yield from _verdict(scan, scan.judgement)
    yield from _counts(scan)
    yield from _policy(scan)
    skipped = scan.inventory.skipped
    if skipped:
        yield Text(f"{int(scan.inventory.stats.get('skipped', len(skipped)))} places were passed over:", "yellow")
        for one in skipped[:MAX_SKIPPED]:
            yield Text(f"  {plain(one.where)}: {plain(one.why)}")
        if len(skipped) > MAX_SKIPPED:
            yield Text("  … all of them: --format json")


def _counts(scan: Scan) -> Iterator[Text]:
    """A scanner that looked and found nothing says so; one that could not look says why."""
    inventory = scan.inventory
    severities = {
        "secret": [one.severity for one in inventory.secrets],
        "malware": [one.severity for one in inventory.malware],
        "config": [one.severity for one in inventory.risks],
    }
    for kind, found in severities.items():
        if kind not in scan.scanners:
            continue
        why = inventory.checked.get(kind)
        if why != "":
            yield Text(f"{_NAMES[kind].upper()} NOT CHECKED: {plain(why or 'no analyser')}", "bold red")
        else:
            counts = Counter(found)
            named = ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity if counts[severity])
            yield Text(f"{_NAMES[kind]}: {named or 'nothing found'}", "bold")


def _policy(scan: Scan) -> Iterator[Text]:
    if scan.decision is None:
        return
    yield Text(f"policy: {scan.decision.verdict}", _VERDICTS[scan.decision.verdict])
    for one in scan.decision.reasons:
        named = ", ".join(map(plain, one.examples))
        yield Text(f"  {plain(one.policy)}: {plain(one.message)}{f' ({named})' if named else ''}")


def _verdict(scan: Scan, judgement: Judgement) -> Iterator[Text]:
    """A zero is only said of packages that were judged."""
    found, packages = judgement.vulnerabilities, scan.inventory.packages
    kinds = Counter(one.kind for one in packages if one.purl in judgement.unchecked)
    judged = len(packages) - kinds.total()
    if found or judged:
        counts = Counter(one.severity for one in found)
        named = ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity if counts[severity])
        yield Text(f"{len(found)} vulnerabilities{f': {named}' if named else ''}", "bold")
        exploited = sum(one.kev for one in found)
        yield Text(
            f"{sum(bool(one.fixed) for one in found)} with a fixed version, {exploited} known to be exploited (KEV)"
        )
        yield Text(f"{judged} of {len(packages)} packages could be judged")
        if judgement.suppressed:
            yield Text(f"{len(judgement.suppressed)} more do not count (--format json has their reasons)")
    elif not packages:
        yield Text("NOT CHECKED: no package was found, so there was nothing to judge", "bold red")
    if kinds:
        named = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        yield Text(f"NOT CHECKED: {named} packages, no imported feed covers their ecosystem", "bold red")
    if judgement.ended:
        ended = judgement.ended
        more = f", extended support until {ended.extended}" if ended.extended else ""
        yield Text(
            f"{plain(ended.system)} has had no free support since {ended.ended}{more}: fixes are missing", "bold red"
        )
