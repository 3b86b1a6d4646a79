"""The agent's errand: collect the facts of this node, one line an asset, then the line that closes the collection.

`python -m seawall.baseline.collect.errand BENCHMARK RUN`; the form of the lines is in agent/errands.py, that of the
items in docs/reference/wire.md. The benchmark is not looked at: every benchmark is judged from the same facts.
"""

import json
import sys
from typing import Any

from seawall.baseline.collect.node import collect
from seawall.baseline.normalise import plain
from seawall.core.errors import SeawallError
from seawall.node.docker import Docker


def main(arguments: list[str]) -> int:
    """0 when the collection is whole; else the reason on stderr and 1."""
    _benchmark, run = arguments
    assets: list[str] = []
    try:
        for found in collect(Docker()):
            _say({"item": plain(found)})
            assets.append(found.asset.id)
            _say({"progress": min(0.95, len(assets) / 50), "message": f"{len(assets)} assets"})
    except SeawallError as error:
        _say({"item": {"run": run, "complete": False}})
        print(error if not error.hint else f"{error} ({error.hint})", file=sys.stderr)  # noqa: T201 - for the agent
        return 1
    _say({"item": {"run": run, "complete": True, "assets": assets}})
    return 0


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False, separators=(",", ":")), flush=True)  # noqa: T201 - for the agent


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
