"""`seawall token`: API tokens, made straight in the database of this host's server."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from seawall.cli.server import opened
from seawall.core.state import state_dir

EXAMPLES = """\
examples:
  seawall token create ci --role operator        prints the token; it is shown this once
  seawall token list --format json
  seawall token revoke ci                        it stops to work at once
"""


def main(arguments: Sequence[str]) -> int:
    """0 when done."""
    parser = argparse.ArgumentParser(
        "seawall token",
        description="Create, list and revoke API tokens. Works whether the server runs or not.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a token and print it")
    create.add_argument("name")
    create.add_argument("--role", choices=("viewer", "operator", "admin"), default="viewer")
    listing = actions.add_parser("list", help="all tokens, without their secrets")
    listing.add_argument("--format", choices=("table", "json"), default="table")
    revoke = actions.add_parser("revoke", help="delete a token")
    revoke.add_argument("name", help="name or id")
    for action in (create, listing, revoke):
        action.add_argument("--state", type=Path, default=state_dir(), help="the server's state (default: %(default)s)")
    wanted = parser.parse_args(list(arguments))

    from seawall.core import clock
    from seawall.server import accounts, config

    with opened(config.load(wanted.state)) as connection:
        if wanted.action == "create":
            made = accounts.create_token(connection, wanted.name, wanted.role, "command line", clock.now())
            print(made["token"])
            print(f"role {wanted.role}; send it as `Authorization: Bearer …`", file=sys.stderr)
        elif wanted.action == "revoke":
            accounts.revoke_token(connection, wanted.name)
        else:
            _show(accounts.tokens(connection), wanted.format)
    return 0


def _show(tokens: Sequence[dict[str, object]], form: str) -> None:
    if form == "json":
        print(json.dumps(list(tokens), indent=2))
        return
    print(f"{'NAME':24} {'ROLE':9} {'CREATED':25} {'USED':25} BY")
    for token in tokens:
        print(
            f"{token['name']:24} {token['role']:9} {token['created_at']:25} {token['used_at'] or 'never':25} "
            f"{token['created_by']}"
        )
