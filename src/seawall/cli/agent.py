"""`seawall agent`: run, enrol, install and ask the agent of this node."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.core.state import state_dir

EXAMPLES = """\
examples:
  seawall agent status                     what the agent of this node does, and how heavy it is
  seawall agent enroll --server https://HOST:8443 --token T --ca-fingerprint F
  seawall agent run                        in the foreground, until Ctrl-C
  seawall agent install                    as a service of systemd
"""
UNIT = Path("/etc/systemd/system/seawall-agent.service")


def main(arguments: Sequence[str]) -> int:
    """Dispatch to the four words."""
    parser = argparse.ArgumentParser(
        "seawall agent",
        description="The agent of this node.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="run|enroll|install|status")
    run = words.add_parser("run", help="run in the foreground")
    enroll = words.add_parser("enroll", help="exchange a token for a certificate of its own")
    install = words.add_parser("install", help="run it as a service of systemd")
    status = words.add_parser("status", help="what it does, what it weighs, what it cannot do")
    for word in (run, enroll, install, status):
        word.add_argument("--state", type=Path, default=state_dir(), help="folder of its state (default: %(default)s)")
    enroll.add_argument("--server", required=True, help="https://HOST:8443")
    enroll.add_argument("--token", required=True, help="from the console: Agents, Install one more")
    enroll.add_argument("--ca-fingerprint", required=True, help="SHA-256 of the server's CA")
    enroll.add_argument("--force", action="store_true", help="enrol anew even if this node is enrolled")
    status.add_argument("--format", choices=("text", "json"), default="text")
    wanted = parser.parse_args(list(arguments))
    state = wanted.state.absolute()
    if wanted.word == "run":
        return _run(state)
    if wanted.word == "enroll":
        return _enroll(state, wanted)
    if wanted.word == "install":
        return _install(state)
    return _status(state, wanted.format)


def _run(state: Path) -> int:
    from seawall.agent import resident
    from seawall.agent.identity import Home

    if Home(state).identity() is None:
        raise SeawallError(f"no agent is enrolled in {state}", "seawall agent enroll --help, or seawall up")
    resident.warm(state)
    os.execve(sys.executable, resident.command(state), resident.environment(state))


def _enroll(state: Path, wanted: argparse.Namespace) -> int:
    from seawall.agent import enrol
    from seawall.agent.identity import Home
    from seawall.node.host import host_id

    home = Home(state)
    known = home.identity()
    if known is not None and not wanted.force:
        raise SeawallError(f"this node is enrolled at {known.server} as {known.agent_id}", "--force enrols it anew")
    identity = enrol.enrol(home, wanted.server, wanted.token, wanted.ca_fingerprint, host_id())
    print(f"enrolled as {identity.agent_id}; the certificate ends {identity.expires_at}", file=sys.stderr)
    return 0


def _install(state: Path) -> int:
    from seawall.agent import resident
    from seawall.agent.identity import Home

    if Home(state).identity() is None:
        raise SeawallError(f"no agent is enrolled in {state}", "seawall agent enroll first")
    command = f"{sys.executable} -s -P -m seawall agent run --state {state}"
    if not shutil.which("systemctl") or not Path("/run/systemd/system").is_dir():
        print("This host has no systemd. Have your init start, and start again when it ends:\n", file=sys.stderr)
        print(f"PYTHONPATH={resident.SOURCE} {command}")
        return 0
    if os.geteuid() != 0:
        raise SeawallError("only root may install a service", "run it with sudo")
    UNIT.write_text(unit(command, Path(resident.SOURCE), state))
    for words in (["daemon-reload"], ["enable", "--now", UNIT.name], ["restart", UNIT.name]):
        done = subprocess.run(["systemctl", *words], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise SeawallError(f"systemctl {words[0]} failed: {done.stderr.strip()}", f"journalctl -u {UNIT.name}")
    print(f"{UNIT.name} runs; journalctl -u {UNIT.name} shows its log", file=sys.stderr)
    return 0


def unit(command: str, source: Path, state: Path) -> str:
    """The service's unit, from the packaged template."""
    from seawall import agent

    text = (Path(agent.__path__[0]) / "seawall-agent.service").read_text()
    for name, value in {"@COMMAND@": command, "@SOURCE@": str(source), "@STATE@": str(state)}.items():
        text = text.replace(name, value)
    return text


def _status(state: Path, form: str) -> int:
    from seawall.agent.identity import Home

    home = Home(state)
    identity = home.identity()
    if identity is None:
        raise SeawallError(f"no agent is enrolled in {state}", "seawall agent enroll --help, or seawall up")
    found = _read(home.status)
    running = bool(found) and _runs(home)
    if form == "json":
        print(json.dumps({"running": running, "agent_id": identity.agent_id, "gateway": identity.gateway, **found}))
        return 0 if running else 2
    print(f"agent      {identity.agent_id} → {identity.gateway}")
    print(f"state      running, pid {found.get('pid')}" if running else "state      not running")
    for line in _lines(found) if running else ():
        print(line)
    return 0 if running else 2


def _lines(found: dict[str, Any]) -> list[str]:
    sensor, spool = found.get("sensor", {}), found.get("spool", {})
    contact = time.time() - float(found.get("contact_at") or 0)
    lost, dropped = sensor.get("dropped", {}), spool.get("dropped", {})
    lines = [
        f"server     {f'last answer {contact:.0f} s ago' if contact < 1e8 else 'has not answered yet'}",
        f"weight     {found.get('rss', 0) / (1 << 20):.1f} MB, {found.get('cpu', 0):.1%} of one core",
        f"step       {found.get('degrade', 0)} of 4 {found.get('degrade_reason', '')}",
        f"sensor     {sensor.get('state')} {sensor.get('reason') or ''}, {sensor.get('events', 0)} events, lost {lost}",
        f"spool      {spool.get('items', 0)} items, {spool.get('bytes', 0)} bytes, dropped {dropped}",
    ]
    return lines + [f"problem    {text}" for text in found.get("errors", ())]


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _runs(home: Any) -> bool:
    """Whether somebody holds the agent's lock."""
    from seawall.agent.run import lock

    try:
        os.close(lock(home))
    except SeawallError:
        return True
    return False
