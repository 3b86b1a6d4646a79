"""`seawall assets`: what runs on this host, with no server needed."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

COLUMNS = {
    "hosts": ("name", "os", "kernel", "cpus", "memory", "containers", "images"),
    "containers": ("name", "state", "image", "user", "privileged", "process_count", "ports"),
    "images": ("name", "size", "created_at", "layers", "containers"),
    "processes": ("pid", "container_name", "user", "name", "args"),
    "ports": ("proto", "address", "port", "exposure", "process", "container_name", "public"),
}
EXAMPLES = """\
examples:
  seawall assets                         how much of everything
  seawall assets containers              one kind as a table
  seawall assets ports --format json     everything that is known, for other programs
"""


def main(arguments: Sequence[str]) -> int:
    """0 when all that was asked for was read, 2 when a source is away."""
    parser = argparse.ArgumentParser(
        "seawall assets",
        description="What runs on this host, read from the container daemon and /proc.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", nargs="?", choices=list(COLUMNS), metavar="KIND", help=", ".join(COLUMNS))
    parser.add_argument("--format", choices=("table", "json"), default="table")
    wanted = parser.parse_args(list(arguments))
    found, problems = read([wanted.kind] if wanted.kind else list(COLUMNS))
    if wanted.format == "json":
        print(json.dumps({"schema": "seawall.assets/1", **found, "problems": problems}, indent=2))
    elif wanted.kind:
        table(wanted.kind, found[wanted.kind])
    else:
        for kind, records in found.items():
            print(f"{kind:11} {'not known' if kind in problems else len(records):>9}")
    for kind, why in problems.items():
        print(f"{kind} could not be listed: {why}", file=sys.stderr)
    return 2 if problems else 0


def read(kinds: Sequence[str]) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Records by kind, and why a kind could not be read."""
    from seawall.assets.collect import Node, records
    from seawall.core.errors import SeawallError
    from seawall.node.docker import Docker, find_socket

    node = Node(Docker() if find_socket() else None)
    found: dict[str, list[dict[str, Any]]] = {}
    problems: dict[str, str] = {}
    for kind in kinds:
        found[kind] = []
        try:
            found[kind] = list(records(kind, node))
        except SeawallError as error:
            problems[kind] = f"{error} ({error.hint})" if error.hint else str(error)
    if node.docker is None:
        problems |= {
            kind: "there is no Docker socket on this host (DOCKER_HOST=unix://PATH names another)"
            for kind in ("containers", "images")
            if kind in found
        }
    return found, problems


def table(kind: str, records: list[dict[str, Any]]) -> None:
    """One line a record."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in COLUMNS[kind]:
        shown.add_column(name.replace("_", " "), overflow="ellipsis", no_wrap=True)
    for record in sorted(records, key=lambda one: str(one.get("name") or one.get("port"))):
        shown.add_row(*(_cell(name, record.get(name)) for name in COLUMNS[kind]))
    console = Console(soft_wrap=not sys.stdout.isatty(), highlight=False, markup=False)
    console.print(shown)


def _cell(name: str, value: Any) -> str:
    if name in ("size", "memory"):
        return f"{int(value or 0) / 1e6:,.0f} MB"
    if name in ("ports", "public"):
        return " ".join(f"{item['host_ip']}:{item['host_port']}" for item in value or [])
    if isinstance(value, bool):
        return "yes" if value else ""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")
