"""`seawall server`: run the server, give a user a new password."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seawall.core.errors import SeawallError
from seawall.core.state import state_dir

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from seawall.server.config import Config

EXAMPLES = """\
examples:
  seawall server run                             API and console on 8443, agents on 8444
  seawall server run --state /srv/seawall --port 443
  seawall server reset-password admin            prints a new password, to be changed at the next login
"""
ROLES = ("all", "api", "gateway", "worker")


def main(arguments: Sequence[str]) -> int:
    """0 when the server was stopped in order."""
    parser = argparse.ArgumentParser(
        "seawall server",
        description="Run the server, manage its accounts.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    run = actions.add_parser("run", help="serve until SIGTERM")
    run.add_argument("--role", choices=ROLES, default="all", help="what this process does (default: %(default)s)")
    run.add_argument("--config", type=Path, help="settings (default: server.toml in the state folder)")
    run.add_argument("--listen", help="address of both doors (default: 0.0.0.0)")
    run.add_argument("--port", type=int, help="API and console (default: 8443)")
    run.add_argument("--gateway-port", type=int, help="agents (default: 8444)")
    reset = actions.add_parser("reset-password", help="give a user a new random password")
    reset.add_argument("user", nargs="?", default="admin")
    for action in (run, reset):
        action.add_argument(
            "--state", type=Path, default=state_dir(), help="folder for all state (default: %(default)s)"
        )
    wanted = parser.parse_args(list(arguments))
    return _run(wanted) if wanted.action == "run" else _reset(wanted)


def _run(wanted: argparse.Namespace) -> int:
    if wanted.role != "all":
        raise SeawallError(
            f"--role {wanted.role} does not exist yet: one process does everything on the embedded database",
            "use --role all",
        )
    from seawall.agent import package
    from seawall.server import config, run
    from seawall.server.parts import Installer

    settings = config.load(
        wanted.state, file=wanted.config, listen=wanted.listen, port=wanted.port, gateway_port=wanted.gateway_port
    )
    made: list[Installer] = []

    def installer() -> Installer:
        if not made:
            archive, engine = package.archive(), package.scanner()
            made.append(Installer(package.script(archive, engine), archive, engine))
        return made[0]

    run.run(settings, installer)
    return 0


def _reset(wanted: argparse.Namespace) -> int:
    from seawall.server import accounts, config

    settings = config.load(wanted.state)
    with opened(settings) as connection:
        password = accounts.reset_password(connection, wanted.user, settings.first_password)
    print(password)
    print(f"the password of {wanted.user} has to be changed at the next login; all its sessions ended", file=sys.stderr)
    return 0


@contextmanager
def opened(settings: "Config") -> "Iterator[Connection]":
    """A transaction on the server's database, whether the server runs or not."""
    from seawall.server.db import open_writes

    if not settings.database.exists():
        raise SeawallError(f"there is no database in {settings.state}", "start the server once, or give --state")
    engine = open_writes(settings.database)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
