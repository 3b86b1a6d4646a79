"""One page for people, whole in itself: no script, nothing is loaded, light and dark as the reader's system is."""

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape
from typing import TextIO

from seawall import __version__
from seawall.core.plain import printable
from seawall.core.severity import Severity
from seawall.images.lines import Finding, findings, gaps
from seawall.images.model import Scan

_HEADS = {"vuln": "Vulnerabilities", "secret": "Secrets", "malware": "Malware", "config": "Configuration"}
_STYLE = """
:root{color-scheme:light dark;--line:#d0d7de;--soft:#f6f8fa;--text:#1f2328;--page:#fff}
@media(prefers-color-scheme:dark){:root{--line:#3d444d;--soft:#161b22;--text:#e6edf3;--page:#0d1117}}
body{font:14px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page);margin:0 auto;max-width:1200px;
padding:24px}
h1{font-size:22px;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:17px;margin:28px 0 8px}
table{border-collapse:collapse;width:100%;table-layout:fixed}th,td{text-align:left;vertical-align:top;
padding:6px 8px;border-bottom:1px solid var(--line);overflow-wrap:anywhere}th{background:var(--soft)}
th:first-child{width:96px}dl{display:grid;grid-template-columns:120px 1fr;gap:2px 12px;margin:12px 0}
dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}.gap{border:1px solid #bf8700;border-left-width:6px;padding:8px 12px;
margin:12px 0;background:var(--soft)}.s{font-weight:600;white-space:nowrap}.s:before{content:"■ "}
.critical:before{color:#cf222e}.high:before{color:#e16f24}.medium:before{color:#bf8700}.low:before{color:#0969da}
.unknown:before,.info:before{color:#6e7781}small{opacity:.75}a{color:inherit}
"""


def write(scan: Scan, out: TextIO) -> None:
    """The page."""
    for line in _page(scan):
        out.write(line + "\n")


def _page(scan: Scan) -> Iterator[str]:
    inventory = scan.inventory
    name = _text(inventory.name or inventory.target)
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{name} · Seawall</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{name}</h1><small>scanned {_text(scan.scanned_at)} by Seawall {__version__}</small>"
    yield from _about(scan)
    for gap in gaps(scan):
        yield f'<p class="gap"><b>Not checked:</b> {_text(gap)}</p>'
    found = list(findings(scan))
    for kind, head in _HEADS.items():
        if kind in scan.scanners:
            yield from _section(scan, kind, head, [one for one in found if one.kind == kind])
    if "package" in scan.scanners:
        yield from _packages(scan)
    yield from _skipped(scan)
    yield "</body></html>"


def _about(scan: Scan) -> Iterator[str]:
    inventory = scan.inventory
    system = inventory.os
    told = {
        "image": inventory.config.id,
        "system": (system.name or f"{system.id} {system.version}") if system else "not known",
        "packages": str(len(inventory.packages)),
        "layers": str(sum(not layer.empty for layer in inventory.layers)),
        "size": f"{inventory.stats.get('bytes', 0) / 1e6:,.0f} MB",
        "runs as": inventory.config.user or "root",
    }
    yield "<dl>"
    for name, value in told.items():
        yield f"<dt>{name}</dt><dd>{_text(value)}</dd>"
    yield "</dl>"


def _section(scan: Scan, kind: str, head: str, found: list[Finding]) -> Iterator[str]:
    if not found:
        looked = scan.judgement is not None if kind == "vuln" else scan.inventory.checked.get(kind) == ""
        yield f"<h2>{head}</h2><p>{'Nothing was found.' if looked else '<b>Not checked.</b>'}</p>"
        return
    counts = Counter(one.severity for one in found)
    summed = ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity if counts[severity])
    yield f"<h2>{head} <small>{summed}</small></h2>"
    rows = (
        (
            _severity(one.severity),
            _linked(one),
            f"{_text(one.title)}<br><small>{_text(one.detail)}</small>",
            f"{_text(one.path)}{f':{one.line}' if one.line else ''} <small>layer {one.layer}</small>",
        )
        for one in found
    )
    yield from _table(("severity", "id", "what", "where"), rows)


def _packages(scan: Scan) -> Iterator[str]:
    yield f"<h2>Packages <small>{len(scan.inventory.packages)}</small></h2>"
    unchecked = scan.judgement.unchecked if scan.judgement else frozenset()
    rows = (
        (
            _text(one.kind),
            f"{_text(one.name)} {_text(one.version)}",
            _text(one.license),
            "<b>not checked</b>" if scan.judgement is None or one.purl in unchecked else "checked",
        )
        for one in scan.inventory.packages
    )
    yield from _table(("kind", "package", "license", "vulnerabilities"), rows)


def _skipped(scan: Scan) -> Iterator[str]:
    if scan.inventory.skipped:
        yield f"<h2>Passed over <small>{int(scan.inventory.stats.get('skipped', 0))}</small></h2>"
        rows = ((_text(one.where), _text(one.why)) for one in scan.inventory.skipped)
        yield from _table(("where", "why"), rows)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "<table><thead><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</tbody></table>"


def _severity(severity: Severity) -> str:
    return f'<span class="s {severity.value}">{severity.value}</span>'


def _linked(one: Finding) -> str:
    name = _text(one.rule)
    safe = one.url.startswith(("https://", "http://"))
    return f'<a href="{_text(one.url)}" rel="noreferrer noopener">{name}</a>' if safe else name


def _text(text: str) -> str:
    """Escaped, and without what could turn the line around or move what stands beside it."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in printable(text))
    return escape(shown, quote=True)
