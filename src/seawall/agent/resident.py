"""Starts the agent lean: `command` and `environment` of the process that stays, and its first instruction.

What a Python process weighs is decided before its first import: no site-packages, one malloc arena that gives memory
back, no docstrings. So the agent is never run inside the `seawall` command; the command becomes it.
"""

import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = os.path.abspath(f"{__file__}/../../..")  # noqa: PTH100
"""The folder that holds the package. Text: `spare` has to come before pathlib."""

MALLOC = {
    # One arena for all threads; blocks of 64 KB and more are mapped on their own and go back when they are free.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_TOP_PAD_": "4096",
}


def command(state: "Path") -> list[str]:
    """Program and arguments of the resident agent."""
    return [sys.executable, "-S", "-s", "-P", "-OO", "-m", "seawall.agent.resident", str(state)]


def environment(state: "Path") -> dict[str, str]:
    """What the resident agent and its children inherit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MALLOC_"))}
    cache = {"PYTHONPYCACHEPREFIX": str(state / "agent" / "pycache")} if not _cached() else {}
    return kept | MALLOC | {"PYTHONPATH": SOURCE} | cache


def _cached() -> bool:
    """Whether compiled modules can lie beside their sources; compiling at each start would cost memory."""
    return os.access(f"{SOURCE}/seawall", os.W_OK)


def warm(state: "Path") -> None:
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


def spare() -> None:
    """Keep out what the standard library wants for a line or two: 1.7 MB.

    `dataclasses` asks `inspect`, which brings a compiler's tables, for one line of documentation a class; `pathlib`
    asks `urllib.parse`, which brings `ipaddress`, to write a path as a URL.
    """
    _beside("inspect", "signature", lambda _: "", "dataclasses")
    _beside("urllib.parse", "quote_from_bytes", _quote, "pathlib")


def _beside(name: str, function: str, body: Any, wants_it: str) -> None:
    """Import `wants_it` with a stand-in for module `name`, of which it uses one function."""
    if name in sys.modules or wants_it in sys.modules:
        return
    stand_in: Any = ModuleType(name)
    setattr(stand_in, function, body)
    sys.modules[name] = stand_in
    importlib.import_module(wants_it)
    del sys.modules[name]


def _quote(data: bytes) -> str:
    from urllib.parse import quote_from_bytes

    return quote_from_bytes(data)


def start() -> int:
    """The resident process's own main."""
    spare()
    from pathlib import Path

    from seawall.agent.run import main
    from seawall.core.errors import SeawallError

    try:
        return main(Path(sys.argv[1]))
    except SeawallError as error:
        sys.stderr.write(f"seawall agent: {error}\n{f'hint: {error.hint}' if error.hint else ''}\n")
        return 2


if __name__ == "__main__":
    sys.exit(start())
