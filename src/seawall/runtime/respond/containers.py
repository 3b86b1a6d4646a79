"""Pause, stop, kill and find containers through the Docker Engine. Runs in an errand, never in the resident agent."""

import os
from collections.abc import Mapping
from typing import Any

from seawall.core.errors import SeawallError, Unreachable
from seawall.node import procfs
from seawall.node.docker import Docker, DockerError
from seawall.runtime.respond.outcome import Failed, Outcome

STOP_SECONDS = 10
"""The runtime's own patience before it kills."""
_DONE = {
    "pause": "all processes of {name} stand still",
    "unpause": "the processes of {name} run again",
    "stop": "{name} was asked to end, and killed after {seconds} s if it had not",
    "kill": "all processes of {name} were killed",
}
_WOULD = {
    "pause": "all processes of {name} would stand still; memory and connections stay",
    "unpause": "the processes of {name} would run again",
    "stop": "{name} would be asked to end, and killed after {seconds} s",
    "kill": "all processes of {name} would be killed at once",
}
_UNDO = {"pause": "unpause"}
_PROTECTED_LABEL = "io.seawall.component"
_CLUSTER = "kube-system"


def find(docker: Docker, id: str) -> dict[str, Any]:
    """`GET /containers/{id}/json` of one that exists. Raises Failed."""
    try:
        return docker.container(id)
    except DockerError as error:
        if error.status == 404:
            raise Failed("container_gone", "there is no such container") from error
        raise Failed("failed", str(error)) from error
    except Unreachable as error:
        reason = "timeout" if "timed out" in str(error) else "not_supported"
        raise Failed(reason, str(error)) from error


def running(docker: Docker, id: str) -> tuple[dict[str, Any], int]:
    """A container that runs, and its first process by the host's count. Raises Failed."""
    found = find(docker, id)
    state = found.get("State") or {}
    pid = int(state.get("Pid") or 0)
    if not state.get("Running") or pid <= 1:
        raise Failed("container_gone", f"{name_of(found)} does not run")
    if procfs.container_of(pid) not in (None, str(found["Id"])):
        raise Failed("container_gone", f"{name_of(found)} has just ended")
    return found, pid


def check_ours(found: Mapping[str, Any]) -> None:
    """Raises Failed for what must not be touched: Seawall's own parts and the cluster's."""
    labels = (found.get("Config") or {}).get("Labels") or {}
    if _PROTECTED_LABEL in labels or procfs.container_of(os.getpid()) == found.get("Id"):
        raise Failed("refused", f"{name_of(found)} is a part of Seawall")
    if labels.get("io.kubernetes.pod.namespace") == _CLUSTER:
        raise Failed("refused", f"{name_of(found)} belongs to the cluster itself ({_CLUSTER})")


def act(docker: Docker, action: str, id: str, dry: bool) -> Outcome:
    """pause, unpause, stop or kill. Raises Failed."""
    found, _ = running(docker, id)
    if action != "unpause":
        check_ours(found)
    name = name_of(found)
    paused = bool((found.get("State") or {}).get("Paused"))
    already = (action == "pause" and paused) or (action == "unpause" and not paused)
    words = {"name": name, "seconds": STOP_SECONDS}
    undo = {"action": _UNDO[action], "container": str(found["Id"])} if action in _UNDO else {}
    if dry or already:
        text = "there is nothing to do" if already else _WOULD[action].format(**words)
        return Outcome(action, name, "docker", text, dry=dry, already=already, undo=undo)
    _post(docker, action, str(found["Id"]), paused)
    return Outcome(action, name, "docker", _DONE[action].format(**words), undo=undo)


def name_of(found: Mapping[str, Any]) -> str:
    """What people call it."""
    return str(found.get("Name") or "").lstrip("/") or str(found.get("Id", ""))[:12]


def _post(docker: Docker, action: str, id: str, paused: bool) -> None:
    try:
        if paused and action in ("stop", "kill"):
            docker.post(f"/containers/{id}/unpause")  # what stands still does not end
        if action == "stop":
            docker.post(f"/containers/{id}/stop", timeout=STOP_SECONDS + 20.0, t=STOP_SECONDS)
        elif action == "kill":
            docker.post(f"/containers/{id}/kill", signal="SIGKILL")
        else:
            docker.post(f"/containers/{id}/{action}")
    except DockerError as error:
        reason = "container_gone" if error.status in (404, 409) and action in ("stop", "kill") else "failed"
        raise Failed(reason, str(error)) from error
    except Unreachable as error:
        raise Failed("timeout" if "timed out" in str(error) else "not_supported", str(error)) from error
    except SeawallError as error:
        raise Failed("failed", str(error)) from error
