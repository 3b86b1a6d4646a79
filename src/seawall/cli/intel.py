"""`seawall intel`: what the world knows, brought in from files."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.core.state import state_dir

EXAMPLES = """\
examples:
  seawall intel import osv-go.tar.gz kev.json.gz    files, archives (.tar.*, .zip, .gz) and folders, in any order
  seawall intel import ./feeds                      every file of a folder
  seawall intel import tor-exits.txt c2.csv         indicators: lists, hosts files, CSV, STIX 2.1, MISP
  seawall intel status                              feeds, their age, what can be judged
"""


def main(arguments: Sequence[str]) -> int:
    """0 when done, 2 when nothing could be read."""
    parser = argparse.ArgumentParser(
        "seawall intel",
        description="Advisories and indicators, kept in files that work offline.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="import|status")
    importing = commands.add_parser(
        "import", help="read feeds: OSV, Alpine secdb, Debian DSA/DLA, CISA KEV; lists of indicators"
    )
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE")
    status = commands.add_parser("status", help="what is known, and how old it is")
    status.add_argument("--format", choices=("table", "json"), default="table")
    for command in (importing, status):
        command.add_argument("--db", type=Path, default=state_dir() / "intel.db", help="default: %(default)s")
    wanted = parser.parse_args(list(arguments))
    if wanted.command == "import":
        return _import(wanted.db, wanted.files)
    return _status(wanted.db, wanted.format)


def _import(path: Path, files: list[Path]) -> int:
    from seawall.intel.store import import_files

    for file in files:
        if not file.exists():
            raise SeawallError(f"there is no {file}", "name files, archives or folders of feeds")
    began = time.monotonic()
    report = import_files(path, files, _progress)
    _clear()
    for feed, count in sorted(report.records.items()):
        print(f"  {feed:28} {count:>8}", file=sys.stderr)
    for skipped in report.skipped[:20]:
        print(f"  not read: {skipped.where}: {skipped.why}", file=sys.stderr)
    more = len(report.skipped) - 20 + report.skipped_more
    if more > 0:
        print(f"  … and {more} more that could not be read", file=sys.stderr)
    if report.unknown:
        print(f"  {report.unknown} files are of no feed that Seawall knows", file=sys.stderr)
    if report.unread:
        print(f"  {report.unread} lines of lists are no indicators", file=sys.stderr)
    listed = f", {report.indicators} indicators read" if report.indicators else ""
    print(f"{report.advisories} advisories in {path}{listed} ({time.monotonic() - began:.1f} s)")
    return 0


def _progress(source: str, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K  {source}: {count}", end="", file=sys.stderr, flush=True)


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _status(path: Path, form: str) -> int:
    from seawall.intel.store import EMPTY_STATUS, open_store

    store = open_store(path)
    status = store.status() if store else EMPTY_STATUS
    listed = _listed(path)
    if form == "json":
        ecosystems = store.ecosystems() if store else {}
        shown = {"schema": "seawall.intel/1", **status, "ecosystems": ecosystems, "indicators": listed}
        print(json.dumps(shown, indent=2))
        return 0
    for source in listed["sources"]:
        print(f"{source['name']:28} {source['entries']:>8}  {source['updated_at'][:16].replace('T', ' ')}  indicators")
    if store is None:
        print(f"No advisories are known yet: there is no {path}.\nseawall intel import FILE… brings advisories.")
        return 0
    for feed in status["feeds"]:
        print(f"{feed['name']:28} {feed['records']:>8}  {feed['updated_at'][:16].replace('T', ' ')}  {feed['source']}")
    age = f"oldest import {status['age_days']} days ago"
    print(f"\n{status['advisories']} advisories, {status['kev']} known to be exploited, {age}")
    families: dict[str, int] = {}
    for name in store.ecosystems():
        families[name.partition(":")[0]] = families.get(name.partition(":")[0], 0) + 1
    print("can be judged: " + ", ".join(f"{name} ({n} releases)" if n > 1 else name for name, n in families.items()))
    return 0


def _listed(path: Path) -> dict[str, Any]:
    from seawall.intel.listed import NAME, open_listed

    listed = open_listed(path.with_name(NAME))
    try:
        return listed.status()
    finally:
        listed.close()
