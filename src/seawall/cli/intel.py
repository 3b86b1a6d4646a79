"""`seawall intel`: what the world knows, fetched, or brought in from files."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.core.state import state_dir

EXAMPLES = """\
examples:
  seawall intel update                              fetch what has changed from all sources that are on
  seawall intel update debian osv-npm               these only; --list names all
  seawall intel import osv-go.tar.gz kev.json.gz    files, archives (.tar.*, .zip, .gz, …) and folders, in any order
  seawall intel import trivy.db                     an existing database of Trivy's, or its OCI layer
  seawall intel import tor-exits.txt c2.csv         indicators: lists, hosts files, CSV, STIX 2.1, MISP
  seawall intel status --max-age 3                  feeds, their age, what can be judged; exit 2 when too old
  seawall intel key --new                           a key to sign bundles with; --trust FILE believes another's
  seawall intel export seawall-intel.bundle         all of it as one signed file, for places without a network
  seawall intel import seawall-intel.bundle         there: verified before anything of it is read
"""


def main(arguments: Sequence[str]) -> int:
    """0 when done, 1 when some sources could not be brought up to date, 2 when nothing could be done or is too old."""
    parser = argparse.ArgumentParser(
        "seawall intel",
        description="Advisories, exploits and indicators, kept in files that work offline.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="update|import|export|status|key")
    updating = commands.add_parser("update", help="fetch what has changed; the last good stays where that fails")
    updating.add_argument("sources", nargs="*", metavar="SOURCE", help="default: all that are on")
    updating.add_argument("--list", action="store_true", help="name the sources, and when they were looked at")
    updating.add_argument("--due", action="store_true", help="only those whose time has come")
    importing = commands.add_parser("import", help="read feeds, lists of indicators, or a signed bundle")
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE")
    importing.add_argument("--older", action="store_true", help="take a bundle that is older than what is here")
    exporting = commands.add_parser("export", help="write everything as one signed bundle")
    exporting.add_argument("bundle", type=Path, metavar="BUNDLE")
    exporting.add_argument("--key", type=Path, metavar="PEM", help="private key; default: that of `intel key --new`")
    status = commands.add_parser("status", help="what is known, and how old it is")
    status.add_argument("--max-age", type=int, metavar="DAYS", help="exit 2 when it is older, by what feeds say")
    key = commands.add_parser("key", help="show the public key that bundles are signed with here")
    key.add_argument("--new", action="store_true", help="make a pair of keys")
    key.add_argument("--trust", type=Path, metavar="FILE", help="believe bundles signed with this public key")
    for command in (updating, status):
        command.add_argument("--format", choices=("table", "json"), default="table")
    for command in (updating, importing, exporting, status, key):
        command.add_argument("--db", type=Path, default=state_dir() / "intel.db", help="default: %(default)s")
    wanted = parser.parse_args(list(arguments))
    run: dict[str, Callable[[argparse.Namespace], int]] = {
        "update": _update, "import": _import, "export": _export, "status": _status, "key": _key,
    }  # fmt: skip
    return run[wanted.command](wanted)


def _update(wanted: argparse.Namespace) -> int:
    from seawall.intel.places import chosen
    from seawall.intel.update import configured, due, update

    every = configured(wanted.db)
    if wanted.list:
        return _sources(wanted, every)
    places = chosen(every, wanted.sources)
    if wanted.due:
        places = due(wanted.db, places)
    outcomes, report = update(wanted.db, places, _fetched)
    _clear()
    if report is not None:
        _told(report.skipped, report.skipped_more)
    if wanted.format == "json":
        shown = [{"name": one.name, "state": one.state, "why": one.why, "size": one.size} for one in outcomes]
        print(json.dumps({"schema": "seawall.intel-update/1", "sources": shown}, indent=2))
    else:
        for one in outcomes:
            what = one.why or (f"{one.records} records, {one.size >> 10} KB" if one.state == "new" else "")
            print(f"{one.name:24} {one.state:8} {what}")
    good = sum(one.good for one in outcomes)
    if outcomes and not good:
        return 2
    return 0 if good == len(outcomes) else 1


def _sources(wanted: argparse.Namespace, every: Sequence[Any]) -> int:
    from seawall.intel.update import history

    known = [(place, history(wanted.db, place)) for place in every]
    if wanted.format == "json":
        shown = [
            {"name": place.name, "url": place.url, "on": place.on, "hours": place.hours, "about": place.about,
             "checked_at": kept.checked_at or None, "fetched_at": kept.fetched_at or None, "error": kept.error}
            for place, kept in known
        ]  # fmt: skip
        print(json.dumps({"schema": "seawall.intel-sources/1", "sources": shown}, indent=2))
        return 0
    for place, kept in known:
        looked = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept.checked_at)) if kept.checked_at else "never"
        said = kept.error or place.about
        print(
            f"{place.name:24} {'on' if place.on else 'off':3}  every {place.hours:g} h  looked at {looked:16}  {said}"
        )
    return 0


def _import(wanted: argparse.Namespace) -> int:
    from seawall.intel.bundle import is_bundle
    from seawall.intel.store import import_files

    path, files = wanted.db, wanted.files
    for file in files:
        if not file.exists():
            raise SeawallError(f"there is no {file}", "name files, archives or folders of feeds, or a bundle")
    bundles = [file for file in files if file.is_file() and is_bundle(file)]
    for bundle in bundles:
        _bring(wanted, bundle)
    feeds = [file for file in files if file not in bundles]
    if not feeds:
        return 0
    began = time.monotonic()
    report = import_files(path, feeds, _progress)
    _clear()
    for feed, count in sorted(report.records.items()):
        print(f"  {feed:28} {count:>8}", file=sys.stderr)
    _told(report.skipped, report.skipped_more)
    if report.unknown:
        print(f"  {report.unknown} files are of no feed that Seawall knows", file=sys.stderr)
    if report.unread:
        print(f"  {report.unread} lines of lists are no indicators", file=sys.stderr)
    listed = f", {report.indicators} indicators read" if report.indicators else ""
    print(f"{report.advisories} advisories in {path}{listed} ({time.monotonic() - began:.1f} s)")
    return 0


def _bring(wanted: argparse.Namespace, bundle: Path) -> None:
    from seawall.intel.bundle import bring, trusted

    manifest = bring(wanted.db, bundle, trusted(wanted.db.parent), older=wanted.older)
    print(
        f"{manifest['advisories']} advisories of {manifest['made_at']} in {wanted.db}, signed by a key that is believed"
    )


def _export(wanted: argparse.Namespace) -> int:
    from seawall.intel.bundle import export

    manifest = export(wanted.db, wanted.bundle.absolute(), wanted.key)
    print(f"{wanted.bundle}: {manifest['advisories']} advisories, {wanted.bundle.stat().st_size >> 10} KB")
    return 0


def _key(wanted: argparse.Namespace) -> int:
    from seawall.intel.bundle import PUBLIC, make_key, trust

    folder = wanted.db.parent
    if wanted.trust:
        print(f"bundles signed with {wanted.trust} are believed from now on ({trust(folder, wanted.trust)})")
        return 0
    public = make_key(folder) if wanted.new else folder / PUBLIC
    if not public.exists():
        raise SeawallError(f"there is no key {public}", "seawall intel key --new makes one")
    print(public.read_text(), end="")
    return 0


def _told(skipped: Sequence[Any], more: int) -> None:
    for one in skipped[:20]:
        print(f"  not read: {one.where}: {one.why}", file=sys.stderr)
    more += max(len(skipped) - 20, 0)
    if more > 0:
        print(f"  … and {more} more that could not be read", file=sys.stderr)


def _progress(source: str, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K  {source}: {count}", end="", file=sys.stderr, flush=True)


def _fetched(source: str, size: int) -> None:
    _progress(source, size >> 10)


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _status(wanted: argparse.Namespace) -> int:
    from seawall.intel.store import EMPTY_STATUS, open_store

    store = open_store(wanted.db)
    status = store.status() if store else EMPTY_STATUS
    listed = _listed(wanted.db)
    if wanted.format == "json":
        ecosystems = store.ecosystems() if store else {}
        shown = {"schema": "seawall.intel/1", **status, "ecosystems": ecosystems, "indicators": listed}
        print(json.dumps(shown, indent=2))
    else:
        _table(wanted.db, status, listed, store.ecosystems() if store else None)
    return _too_old(status, wanted.max_age)


def _too_old(status: dict[str, Any], limit: int | None) -> int:
    age = status["age_days"]
    if limit is None or (age is not None and age <= limit):
        return 0
    print(f"too old: {'nothing is known' if age is None else f'{age} days'}, at most {limit} asked", file=sys.stderr)
    return 2


def _table(path: Path, status: dict[str, Any], listed: dict[str, Any], ecosystems: dict[str, int] | None) -> None:
    for source in listed["sources"]:
        print(f"{source['name']:28} {source['entries']:>8}  {source['updated_at'][:16].replace('T', ' ')}  indicators")
    if ecosystems is None:
        print(
            f"No advisories are known yet: there is no {path}.\nseawall intel update fetches them, import reads files."
        )
        return
    if status["feeds"]:
        print(f"{'feed':28} {'records':>8}  {'imported':16}  {'of':10}  from")
    for feed in status["feeds"]:
        made = (feed["published_at"] or "")[:10] or "-"
        brought = feed["updated_at"][:16].replace("T", " ")
        print(f"{feed['name']:28} {feed['records']:>8}  {brought}  {made:10}  {feed['source']}")
    age = f"the oldest family of feeds is {status['age_days']} days old"
    known = f"{status['kev']} known to be exploited, {status['exploits']} public exploits, {status['epss']} predictions"
    print(f"\n{status['advisories']} advisories, {known}; {age}")
    families: dict[str, int] = {}
    for name in ecosystems:
        families[name.partition(":")[0]] = families.get(name.partition(":")[0], 0) + 1
    print("can be judged: " + ", ".join(f"{name} ({n} releases)" if n > 1 else name for name, n in families.items()))


def _listed(path: Path) -> dict[str, Any]:
    from seawall.intel.listed import NAME, open_listed

    listed = open_listed(path.with_name(NAME))
    try:
        return listed.status()
    finally:
        listed.close()
