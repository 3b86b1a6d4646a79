"""Containers for simulations: built up, run, and always taken down again, also what an earlier run left behind."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seawall.core.errors import SeawallError
from seawall.node.docker import Docker
from seawall.runtime.simulate import image, tricks
from seawall.runtime.simulate.catalog import Simulation

LABEL = "seawall.simulation"
LISTENER = "seawall-simulate-listener"
TURN_LIMIT = 120.0
"""Seconds that another run on this host is waited for: each takes down what the one before left behind."""
RUN_LIMIT = 40.0
"""Seconds until a simulation that has not ended is given up."""


@dataclass(slots=True)
class Scene:
    """One simulation in its container."""

    simulation: Simulation
    container: str
    """Its id."""
    name: str
    exit_code: int | None = None
    """None while it runs, or when it was given up."""


@contextlib.contextmanager
def stage(docker: Docker) -> Iterator["Stage"]:
    """A stage with its image; what was put on it is gone when the context ends, however it ends."""
    with _alone():
        _clear(docker)
        try:
            image.build(docker)
            yield Stage(docker)
        finally:
            _clear(docker)
            with contextlib.suppress(SeawallError):
                docker.delete(f"/images/{image.NAME}", force=True)


class Stage:
    """Starts simulations and waits for their end."""

    def __init__(self, docker: Docker) -> None:
        self._docker = docker
        self._listener = ""

    def start(self, simulation: Simulation) -> Scene:
        """Its container, running; the attack follows two seconds later."""
        name = f"seawall-simulate-{simulation.name}"
        address = self._listens() if simulation.listener else ""
        made = self._run(
            name, [image.PYTHON, "-S", _script(simulation), simulation.name], _host(self._docker, simulation), address
        )
        return Scene(simulation, made, name)

    def wait(self, scenes: Sequence[Scene]) -> None:
        """Until all have ended, each for RUN_LIMIT at most."""
        deadline = time.monotonic() + RUN_LIMIT
        for scene in scenes:
            while scene.exit_code is None and time.monotonic() < deadline:
                state = self._docker.container(scene.container)["State"]
                if state["Running"]:
                    time.sleep(0.2)
                else:
                    scene.exit_code = int(state["ExitCode"])

    def said(self, scene: Scene) -> str:
        """The end of what a container wrote, for a simulation that failed."""
        with self._docker.open(
            "GET", f"/containers/{scene.container}/logs", {"stderr": 1, "stdout": 1, "tail": 3}
        ) as log:
            return "".join(c for c in log.read(4096).decode("utf-8", "replace") if c.isprintable() or c == " ")[-300:]

    def _listens(self) -> str:
        """The address of the listener; started at the first question."""
        if not self._listener:
            self._listener = self._run(LISTENER, [image.PYTHON, "-S", image.SCRIPT, "listen"], {}, "")
        networks = self._docker.container(self._listener)["NetworkSettings"]["Networks"]
        address = next((found["IPAddress"] for found in networks.values() if found.get("IPAddress")), "")
        if not address:
            raise SeawallError("Docker gives containers no address here", "reverse shells need its bridge network")
        return str(address)

    def _run(self, name: str, command: list[str], host: dict[str, object], listener: str) -> str:
        body = {
            "Image": image.NAME,
            "Cmd": command,
            "Env": [*image.environment(), f"LISTENER={listener}", f"HOST_PID={os.getpid()}"],
            "Labels": {LABEL: "1"},
            "HostConfig": {"AutoRemove": False, **host},
        }
        made = self._docker.post("/containers/create", body, timeout=30.0, name=name)
        self._docker.post(f"/containers/{made['Id']}/start", timeout=30.0)
        return str(made["Id"])


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One run at a time on a host. The kernel takes an abstract name back from whoever dies."""
    with socket.socket(socket.AF_UNIX) as turn:
        deadline = time.monotonic() + TURN_LIMIT
        while True:
            try:
                turn.bind("\0seawall-simulate")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise SeawallError("other simulations run on this host", "try again when they have ended") from None
                time.sleep(0.5)
        yield


def _script(simulation: Simulation) -> str:
    return image.MORE if simulation.name in tricks.STEPS else image.SCRIPT


def _host(docker: Docker, simulation: Simulation) -> dict[str, object]:
    host: dict[str, object] = {}
    if simulation.capabilities:
        host |= {
            "CapAdd": list(simulation.capabilities),
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        }
    if simulation.unconfined:
        host |= {"SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"], "MaskedPaths": [], "ReadonlyPaths": []}
    if simulation.host_pids:
        host["PidMode"] = "host"
    if simulation.runtime_socket:
        host["Binds"] = [f"{docker.path}:/run/other.sock"]
    return host


def _clear(docker: Docker) -> None:
    """Take down every container that bears our label."""
    filters = json.dumps({"label": [LABEL]})
    for found in docker.get("/containers/json", all=True, filters=filters):
        with contextlib.suppress(SeawallError):
            docker.delete(f"/containers/{found['Id']}", force=True, v=True)
