"""`seawall up`: server, console and an agent for this host, from nothing to healthy. Again and again without harm."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seawall.agent.local import Denied, Local, load, save
from seawall.core.errors import SeawallError
from seawall.core.state import state_dir

EXAMPLES = """\
examples:
  seawall up                         start what is not running, print the address
  seawall up --no-agent              server and console only
  FEEDS=./feeds seawall up           also import a folder of advisories if there are none yet
"""
PATIENCE = 90.0
"""Seconds that a server or an agent may take to come up."""
SERVER = ("server", "run", "--role", "all", "--state")


def main(arguments: Sequence[str]) -> int:
    """0 when all is up, 2 when something that was asked for is not."""
    parser = argparse.ArgumentParser(
        "seawall up",
        description="Start server, console and an agent for this host. Run it again at any time.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state", type=Path, default=state_dir(), help="folder for all state (default: %(default)s)")
    parser.add_argument("--feeds", type=Path, default=_feeds(), help="folder of advisories (default: $FEEDS)")
    parser.add_argument("--no-agent", action="store_true", help="do not watch this host")
    wanted = parser.parse_args(list(arguments))
    return Up(wanted.state.absolute()).run(agent=not wanted.no_agent, feeds=wanted.feeds)


def _feeds() -> Path | None:
    named = os.environ.get("FEEDS", "").split()
    return Path(named[0]) if named else None


@dataclass
class Up:
    """One run of the command."""

    state: Path
    could_not: list[str] = field(default_factory=list)

    def run(self, agent: bool, feeds: Path | None) -> int:
        """Server, then the agent, then advisories: what watches comes before what takes long."""
        self.state.mkdir(0o700, parents=True, exist_ok=True)
        local = self._server()
        failed = not agent
        if agent:
            try:
                self._agent(local)
            except SeawallError as error:
                failed = True
                self._cannot(f"watch this host: {error}", error.hint)
        if feeds is not None:
            self._intel(local, feeds)
        self._farewell(local)
        return 2 if agent and failed else 0

    # The server

    def _server(self) -> Local:
        from seawall.node.daemon import Daemon
        from seawall.server import config as configuration

        config = configuration.load(self.state)
        ca = config.authority / "ca.crt"
        bare = Local(f"https://127.0.0.1:{config.port}", "", str(ca))
        daemon = Daemon("server", self.state)
        pid = daemon.pid()
        if pid is None:
            say("·", "starting the server")
            daemon.start([sys.executable, "-m", "seawall", *SERVER, str(self.state)])
        began = time.monotonic()
        while not (ca.exists() and _healthy(bare)):
            if daemon.pid() is None:
                raise SeawallError(f"the server did not start:\n{daemon.last_words()}", f"the whole log: {daemon.log}")
            if time.monotonic() - began > PATIENCE:
                raise SeawallError(
                    f"the server (pid {daemon.pid()}) is not healthy after {PATIENCE:.0f} s:\n{daemon.last_words()}",
                    "seawall down, then seawall up; or look at the log: " + str(daemon.log),
                )
            time.sleep(0.1)
        say("✓", "the server runs already" if pid else f"the server is healthy ({time.monotonic() - began:.1f} s)")
        local = self._right(config, bare)
        save(self.state, local)
        return local

    def _right(self, config: Any, bare: Local) -> Local:
        """The local token: the kept one if it is still good, else a new one, straight into the database."""
        try:
            kept = load(self.state)
            Local(bare.url, kept.token, bare.ca).call("GET", "/api/v1/agents?limit=1")
            return Local(bare.url, kept.token, bare.ca)
        except SeawallError:
            pass
        from seawall.core.clock import now
        from seawall.lists import Refused
        from seawall.server import accounts
        from seawall.server.db import open_writes

        engine = open_writes(config.database)
        try:
            with engine.begin() as connection:
                with contextlib.suppress(Refused):  # the first time there is none
                    accounts.revoke_token(connection, "local")
                made = accounts.create_token(connection, "local", "admin", "seawall up", now())
        finally:
            engine.dispose()
        return Local(bare.url, str(made["token"]), bare.ca)

    # The agent

    def _agent(self, local: Local) -> None:
        from seawall.agent import resident
        from seawall.agent.identity import Home
        from seawall.node.daemon import Daemon
        from seawall.node.docker import find_socket

        if os.geteuid() != 0:
            self._cannot("see what happens in containers: not root", "run it with sudo")
        home = Home(self.state)
        daemon = Daemon("agent", self.state)
        if not self._enrolled(local, home):
            daemon.stop()
            self._enrol(local, home)
        pid = daemon.pid()
        began = time.time()
        if pid is None:
            say("·", "starting the agent")
            resident.warm(self.state)
            daemon.start(resident.command(self.state), resident.environment(self.state))
        while not (status := _status(home.status)) or status["contact_at"] < (0.1 if pid else began):
            if daemon.pid() is None:
                raise SeawallError(f"the agent did not start:\n{daemon.last_words()}", f"the log: {daemon.log}")
            if time.time() - began > PATIENCE:
                raise SeawallError(
                    f"the agent has not reached the server after {PATIENCE:.0f} s:\n{daemon.last_words()}",
                    f"the log: {daemon.log}",
                )
            time.sleep(0.1)
        say("✓", "the agent runs already" if pid else f"the agent reports ({time.time() - began:.1f} s)")
        if find_socket() is None:
            say("!", "no container runtime here: you see the host, and containers as soon as there is one")
        sensor = status.get("sensor", {})
        if sensor.get("state") != "on":
            self._cannot(f"watch everything that happens: {sensor.get('reason')}", "seawall doctor says how to mend it")

    def _enrolled(self, local: Local, home: Any) -> bool:
        """Whether the agent here belongs to this server, and the server still knows it."""
        try:
            identity = home.identity()
            if identity is None or home.ca.read_bytes() != Path(local.ca).read_bytes():
                return False
            local.call("GET", f"/api/v1/agents/{identity.agent_id}")
            return True
        except Denied as error:
            return error.status != 404
        except (SeawallError, OSError):
            return False

    def _enrol(self, local: Local, home: Any) -> None:
        from seawall.agent import enrol, tls
        from seawall.node.host import host_id

        made = local.call("POST", "/api/v1/agents/enrolment-tokens", {"ttl_hours": 1, "uses": 1})
        fingerprint = tls.fingerprint(Path(local.ca).read_text())
        enrol.enrol(home, local.url, made["token"], fingerprint, host_id())
        say("✓", "this host is enrolled")

    # Intelligence

    def _intel(self, local: Local, feeds: Path) -> None:
        if not feeds.is_dir():
            self._cannot(
                f"import advisories: {feeds} is no folder", "images show what they hold, not what is vulnerable"
            )
            return
        try:
            known = local.call("GET", "/api/v1/intel/status").get("advisories", 0)
        except SeawallError:
            known = 0
        if known:
            say("✓", f"{known} advisories are known")
            return
        files = [str(path) for path in sorted(feeds.iterdir()) if path.is_file() and not path.name.startswith(".")]
        if not files:
            return
        say("·", f"importing {len(files)} files of advisories from {feeds} (once; this can take minutes)")
        began = time.monotonic()
        command = [sys.executable, "-m", "seawall", "intel", "import", *files]
        environment = os.environ | {"SEAWALL_STATE": str(self.state)}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=1800, check=False)
            if done.returncode == 0:
                say("✓", f"advisories are imported ({time.monotonic() - began:.0f} s)")
            else:
                why = done.stderr.decode("utf-8", "replace").strip()[-300:]
                self._cannot(f"import all advisories: {why}", f"seawall intel import {feeds}")
        except subprocess.TimeoutExpired:
            self._cannot("import the advisories within 30 minutes", f"seawall intel import {feeds}")

    # What to say

    def _cannot(self, what: str, hint: str = "") -> None:
        self.could_not.append(f"{what}\n    {hint}" if hint else what)

    def _farewell(self, local: Local) -> None:
        if self.could_not:
            say("!", "Could not")
            for text in self.could_not:
                print(f"  - {text}", file=sys.stderr)
        port = local.url.rpartition(":")[2]
        print(f"\nConsole   https://localhost:{port}   (from elsewhere: https://{os.uname().nodename}:{port})")
        first = self.state / "first-password"
        try:
            print(f"Login     admin / {first.read_text().strip()}   (to be changed at the first login)")
        except OSError:
            print("Login     admin, with the password you chose (forgotten: seawall server reset-password admin)")
        print(f"State     {self.state}", flush=True)


def say(mark: str, text: str) -> None:
    """One line of progress."""
    print(f"  {mark} {text}", file=sys.stderr, flush=True)


def _healthy(local: Local) -> bool:
    try:
        return bool(local.call("GET", "/healthz", timeout=5).get("status") == "ok")
    except (SeawallError, AttributeError):
        return False


def _status(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
        return found if isinstance(found, dict) and "contact_at" in found else None
    except (OSError, ValueError):
        return None
