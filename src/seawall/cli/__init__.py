"""The command line: one file a command, imported only when it is called. Data on stdout, talk on stderr."""

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import cast

from seawall.core.errors import SeawallError

COMMANDS = {
    "up": "start server, console and an agent for this host",
    "down": "stop what `up` started",
    "doctor": "what works on this host, what is degraded and why, how to mend it",
    "server": "run the server, manage its database",
    "token": "create, list and revoke API tokens",
    "agent": "run, enrol, install or ask the agent of this node",
    "assets": "what runs on this host",
    "image": "scan an image",
    "runtime": "watch the node, check and test rules, simulate attacks",
    "baseline": "check this host against a benchmark",
    "intel": "import and show advisories and other intelligence",
}
"""Each command is the module of its name in this folder, with `main(arguments) -> exit code`."""

EXAMPLES = """\
seawall: container security through the whole life

  seawall up                              start everything for this host, print address and password
  seawall assets containers               what runs here, no server needed
  seawall image scan docker:nginx:1.27    packages and known vulnerabilities of an image
  seawall runtime watch --enforce         the sensor in the foreground, one alert a line
  seawall baseline run --benchmark docker CIS Docker, judged from what really runs
  seawall doctor                          what works here, what does not, and how to mend it

Exit codes: 0 clean, 1 findings at or over --fail-on, 2 could not check.

Commands (each has --help):"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors become one line on stderr and exit code 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(EXAMPLES)
        print("\n".join(f"  {name:10} {what}" for name, what in COMMANDS.items()))
        return 0
    if words[0] == "--version":
        from seawall import __version__

        print(f"seawall {__version__}")
        return 0
    if words[0] not in COMMANDS:
        print(f"seawall: there is no command {words[0]!r}\nhint: seawall --help lists them", file=sys.stderr)
        return 2
    return run(words[0], words[1:])


def run(command: str, arguments: Sequence[str]) -> int:
    """Import the command's module and call it; a user's Ctrl-C and a closed pipe are no errors."""
    try:
        module = importlib.import_module(f"seawall.cli.{command}")
        return cast(Callable[[Sequence[str]], int], module.main)(arguments)
    except SeawallError as error:
        print(f"seawall {command}: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
