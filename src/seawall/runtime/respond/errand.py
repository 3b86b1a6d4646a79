"""One response that somebody asked for: `python -m seawall.runtime.respond.errand KIND ARGUMENTS HOME`.

Prints one line, `{"result": {…}}`, whatever comes of it; ARGUMENTS is the order's JSON, HOME the agent's folder.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seawall.core.clock import parse_time
from seawall.core.errors import SeawallError
from seawall.node import procfs
from seawall.node.docker import Docker
from seawall.runtime.respond import act, containers, isolate, quarantine
from seawall.runtime.respond.outcome import Failed, Outcome, failure

RUNTIMES = frozenset(
    ["dockerd", "containerd", "runc", "crun", "crio", "conmon", "podman", "kubelet", "systemd", "init"]
)
"""Programs of the host that containers hang on: they are not killed."""
CLOCK_SLACK = 1.0
"""Seconds that a start given as a time of day may be off: clocks are set."""
_ACTIONS = {
    "response.process": ("kill",),
    "response.container": ("pause", "unpause", "stop", "kill", "isolate", "release"),
    "response.file": ("quarantine", "restore"),
}


def carry_out(kind: str, args: Mapping[str, Any], home: Path) -> dict[str, Any]:
    """The order's `result`; never raises for what the world does."""
    action = str(args.get("action", ""))
    target = str(args.get("path") or args.get("container") or args.get("pid") or "")
    if action not in _ACTIONS.get(kind, ()):
        return failure(action, target, "not_supported", f"this agent cannot {action or 'do that'}")
    try:
        dry = args.get("dry_run", False) is True
        if kind == "response.process":
            return _process(args, dry).record()
        if kind == "response.file":
            return _file(action, args, home, dry).record()
        return _container(action, str(args.get("container", "")), home, dry).record()
    except Failed as failed:
        return failure(action, target, failed.reason, str(failed))
    except (SeawallError, OSError, ValueError, KeyError, TypeError) as error:
        return failure(action, target, "failed", str(error) or repr(error))


def _container(action: str, id: str, home: Path, dry: bool) -> Outcome:
    if not id.isalnum():
        raise Failed("refused", "that is no container's id")
    docker = Docker(timeout=20.0)
    if action == "isolate":
        return isolate.isolate(docker, id, home, dry)
    if action == "release":
        return isolate.release(docker, id, home, dry)
    return containers.act(docker, action, id, dry)


def _file(action: str, args: Mapping[str, Any], home: Path, dry: bool) -> Outcome:
    container = str(args.get("container") or "")
    if action == "restore":
        name = str(args.get("id") or "") or quarantine.by_path(home, container, str(args["path"]))
        container = str(quarantine.read(home, name)["container"])
        return quarantine.restore(home, name, containers.running(Docker(timeout=20.0), container)[1], dry)
    found, pid = containers.running(Docker(timeout=20.0), container)
    containers.check_ours(found)
    return quarantine.put(home, str(found["Id"]), pid, str(args["path"]), dry=dry, sha256=str(args.get("sha256", "")))


def _process(args: Mapping[str, Any], dry: bool) -> Outcome:
    pid = int(args["pid"])
    found = procfs.stat(pid)
    name = found[0] if found else "process"
    start = _start(pid, args.get("start"))
    if start == 0:
        raise Failed("process_gone", f"process {pid} has ended, or the number is another's now")
    if procfs.container_of(pid) is None and (name in RUNTIMES or name.startswith("containerd-shim")):
        raise Failed("refused", f"{name} is the container runtime or the host's first process")
    if _ours(pid):
        raise Failed("refused", f"{name} ({pid}) is a part of Seawall")
    why = act.kill_exactly(pid, start, dry=dry)
    if why == act.ENDED:
        raise Failed("process_gone", f"process {pid} had already ended")
    if why:
        raise Failed("refused" if "not one" in why else "failed", why)
    return Outcome(
        "kill", f"{name} ({pid})", "signal", f"{name} ({pid}) {'would be' if dry else 'was'} killed", dry=dry
    )


def _start(pid: int, wanted: Any) -> int:
    """The start in nanoseconds since boot of the process that was meant; 0 when another has its number.

    An order gives it so, or as the time that the process's alert shows.
    """
    ticks = procfs.start_ticks(pid)
    if ticks is None or wanted is None:
        return 0
    started = ticks * act.TICK
    if isinstance(wanted, int) or str(wanted).isdigit():
        return started if abs(started - int(wanted)) <= 2 * act.TICK else 0
    return started if abs(procfs.boot_time() + started / 1e9 - parse_time(str(wanted))) <= CLOCK_SLACK else 0


def _ours(pid: int) -> bool:
    """This process, the agent above it, and the agent's other children."""
    agent = int(os.environ.get("SEAWALL_AGENT_PID") or 0)
    found = procfs.stat(pid)
    parent = int(found[1][1]) if found else 0
    return pid == os.getpid() or (agent > 1 and agent in (pid, parent))


def main() -> None:
    """Print the result."""
    kind, args, home = sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])
    sys.stdout.write(json.dumps({"result": carry_out(kind, args, home)}) + "\n")


if __name__ == "__main__":
    main()
