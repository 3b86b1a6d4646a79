"""Starts the agent lean: `command` and `environment` of the process that stays, and its first instruction.

What a Python process weighs is decided before its first import: no site-packages, one malloc arena that gives memory
back, no docstrings. So the agent is never run inside the `seawall` command; the command becomes it.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

SOURCE = Path(__file__).parents[2]
"""The folder that holds the package."""

MALLOC = {
    # One arena for all threads; blocks of 64 KB and more are mapped on their own and go back when they are free.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_TOP_PAD_": "4096",
}


def command(state: Path) -> list[str]:
    """Program and arguments of the resident agent."""
    return [sys.executable, "-S", "-s", "-P", "-OO", "-m", "seawall.agent.resident", str(state)]


def environment(state: Path) -> dict[str, str]:
    """What the resident agent and its children inherit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MALLOC_"))}
    cache = {"PYTHONPYCACHEPREFIX": str(state / "agent" / "pycache")} if not _cached() else {}
    return kept | MALLOC | {"PYTHONPATH": str(SOURCE)} | cache


def _cached() -> bool:
    """Whether compiled modules can lie beside their sources; compiling at each start would cost memory."""
    return os.access(SOURCE / "seawall", os.W_OK)


def warm(state: Path) -> None:
    """Compile the agent's modules before it starts: a compiler that has once run leaves megabytes behind."""
    import subprocess

    lean = command(state)[1:-3]
    subprocess.run(
        [sys.executable, *lean, "-c", "import seawall.agent.run"],
        env=environment(state),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def spare_inspect() -> None:
    """Keep `inspect` out: 1.2 MB of compiler tables that `dataclasses` wants for one line of documentation a class."""
    stand_in: Any = ModuleType("inspect")
    stand_in.signature = lambda _: ""
    sys.modules["inspect"] = stand_in
    importlib.import_module("dataclasses")
    del sys.modules["inspect"]


def start() -> int:
    """The resident process's own main."""
    spare_inspect()
    from seawall.agent.run import main
    from seawall.core.errors import SeawallError

    try:
        return main(Path(sys.argv[1]))
    except SeawallError as error:
        sys.stderr.write(f"seawall agent: {error}\n{f'hint: {error.hint}' if error.hint else ''}\n")
        return 2


if __name__ == "__main__":
    sys.exit(start())
