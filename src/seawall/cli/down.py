"""`seawall down`: stop what `seawall up` started, and nothing else. The state stays."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from seawall.core.state import state_dir


def main(arguments: Sequence[str]) -> int:
    """The agent first, so that it hands over what it has; its eBPF programs leave the kernel with it."""
    parser = argparse.ArgumentParser(
        "seawall down",
        description="Stop what `seawall up` started. The state stays; `seawall up` starts again.",
        epilog="examples:\n  seawall down\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state", type=Path, default=state_dir(), help="folder of the state (default: %(default)s)")
    wanted = parser.parse_args(list(arguments))

    from seawall.node.daemon import Daemon

    for name in ("agent", "server"):
        stopped = Daemon(name, wanted.state.absolute()).stop()
        print(
            f"  {'✓' if stopped else '·'} the {name} {'is stopped' if stopped else 'was not running'}", file=sys.stderr
        )
    return 0
