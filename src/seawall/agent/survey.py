"""What runs here, told to the server: snapshots at their intervals, containers at once when Docker says so.

Two threads: one waits for Docker's events, one takes snapshots. Containers are made known to the sensor from here.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from seawall.agent.limits import stretched
from seawall.agent.problems import Problems
from seawall.agent.settings import INTERVALS
from seawall.agent.snapshots import Snapshots
from seawall.assets.collect import Node, records
from seawall.assets.collect.docker_events import watch
from seawall.core.clock import parse_time
from seawall.core.errors import SeawallError
from seawall.node.docker import Docker
from seawall.runtime.model import Container, Mount

KINDS = ("hosts", "containers", "images", "processes", "ports")
MAX_LABELS, MAX_LABEL = 64, 256
"""Labels of a container that rules may ask for, and characters of one."""
SHED = {0: frozenset[str](), 1: frozenset({"processes", "ports"}), 2: frozenset(KINDS)}
"""Kinds that are not taken at each shed level."""
SETTLE = 0.2
"""Seconds to wait after a container's event for more of them."""
GAP, SHARE = 1.0, 0.01
"""Seconds between two snapshots of one kind, whatever happens: more where one costs more than this share of a core."""
MAX_GAP = 15.0
_BORN, _GONE = frozenset({"create", "start", "rename"}), frozenset({"destroy"})


class Survey:
    """`say` puts a snapshot into the spool; `know` and `forget` pass containers on to the sensor."""

    def __init__(
        self,
        docker: Docker,
        say: Callable[[dict[str, Any]], None],
        know: Callable[[Container], None],
        forget: Callable[[str], None],
        problems: Problems,
    ) -> None:
        self._docker = docker
        self._node = Node(docker)
        self._say = say
        self._know = know
        self._forget = forget
        self._problems = problems
        self._snapshots = Snapshots()
        self._intervals: dict[str, float] = {kind: float(INTERVALS[kind]) for kind in KINDS}
        self._due = dict.fromkeys(KINDS, 0.0)
        self._taken = dict.fromkeys(KINDS, 0.0)
        self._gaps = dict.fromkeys(KINDS, GAP)
        self._changed = threading.Condition()
        self._stopping = False
        self._step = 0
        self._shed = 0
        self.host: dict[str, Any] = {}
        """The newest `hosts` record."""

    def configure(self, intervals: dict[str, float], step: int, shed: int) -> None:
        """Keep other intervals, at a step of the ladder and a shed level."""
        with self._changed:
            self._intervals |= {kind: seconds for kind, seconds in intervals.items() if kind in KINDS}
            self._step, self._shed = step, shed

    def refresh(self, kinds: Iterable[str], whole: bool = False) -> None:
        """Take these snapshots now; `whole` because the server does not hold what they build on."""
        with self._changed:
            for kind in kinds:
                if kind in KINDS:
                    self._due[kind] = 0.0
                    if whole:
                        self._snapshots.forget(kind)
            self._changed.notify()

    def stop(self) -> None:
        """Let `run` end soon. The thread that waits for Docker ends with the process."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def run(self) -> None:
        """The snapshots' thread."""
        self._introduce_all()
        while True:
            with self._changed:
                if self._stopping:
                    return
                now = time.monotonic()
                due = min((max(at, self._taken[kind] + self._gaps[kind]), kind) for kind, at in self._due.items())
                if due[0] > now:
                    self._changed.wait(min(due[0] - now, 30.0))
                    continue
                kind = due[1]
                self._taken[kind] = now
                self._due[kind] = now + stretched(self._intervals[kind], self._step)
                if kind in SHED[self._shed]:
                    continue
            used = time.thread_time()
            self.take(kind)
            self._gaps[kind] = gap(time.thread_time() - used)

    def listen(self) -> None:
        """The thread that waits for Docker's events; comes back to a daemon that went away."""
        watch(self._docker, self.on_event)

    def take(self, kind: str) -> None:
        """One snapshot, into the spool if it differs. A source that fails is a problem to show, never an empty list."""
        try:
            found = list(records(kind, self._node))
        except (SeawallError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._problems.say(kind, f"cannot be listed: {error!r}")
            return
        self._problems.clear(kind)
        if kind == "hosts" and found:
            self.host = found[0]
        with self._changed:
            for item in self._snapshots.changes(kind, found):
                self._say(item)

    def on_event(self, event: dict[str, Any]) -> None:
        """One event of Docker: tell the sensor, and take the containers again soon."""
        actor = event.get("Actor")
        container = actor.get("ID") if isinstance(actor, dict) else event.get("id")
        action = str(event.get("Action") or event.get("status") or "").partition(":")[0]
        kind = event.get("Type", "container")
        if kind == "image":
            self._soon("images")
        if kind != "container" or not isinstance(container, str) or action.startswith("exec_"):
            return
        if action in _BORN:
            self._introduce(str(container))
        elif action in _GONE:
            self._forget(str(container))
        self._soon("containers")

    def _soon(self, kind: str) -> None:
        with self._changed:
            self._due[kind] = min(self._due[kind], time.monotonic() + SETTLE)
            self._changed.notify()

    def _introduce_all(self) -> None:
        try:
            running = self._docker.containers(all=False)
        except SeawallError:
            return  # no daemon now; its events will introduce them, and the heartbeat says that it is away
        for summary in running:
            self._introduce(str(summary.get("Id", "")))

    def _introduce(self, id: str) -> None:
        try:
            found = self._docker.container(id)
            container = identity(found, self._digest(str(found.get("Image", ""))))
        except (SeawallError, ValueError, KeyError, TypeError, AttributeError):
            return  # gone again, or odd: the sensor goes on with what the kernel says of it
        self._know(container)

    def _digest(self, image: str) -> str:
        """The image's digest in its repository; the snapshots share what was read."""
        known = self._node.digests
        if image not in known:
            names = self._docker.image(image).get("RepoDigests") or []
            known[image] = str(names[0]).partition("@")[2] if names else ""
        return known[image]


def gap(used: float) -> float:
    """Seconds until the next snapshot of a kind whose last one took so much processor time: a node whose containers
    come and go all the time is told of in larger steps, the first change after a while at once."""
    return min(max(GAP, used / SHARE), MAX_GAP)


def identity(found: dict[str, Any], digest: str) -> Container:
    """Who a container is, from `GET /containers/{id}/json`."""
    config, state, host = (found.get(name) or {} for name in ("Config", "State", "HostConfig"))
    labels = config.get("Labels") or {}
    started = str(state.get("StartedAt") or "")
    return Container(
        id=str(found["Id"]),
        name=str(found.get("Name", "")).lstrip("/"),
        image=str(config.get("Image", "")),
        image_id=str(found.get("Image", "")),
        image_digest=digest,
        pod=str(labels.get("io.kubernetes.pod.name", "")),
        namespace=str(labels.get("io.kubernetes.pod.namespace", "")),
        labels={str(name): str(text)[:MAX_LABEL] for name, text in list(labels.items())[:MAX_LABELS]},
        started_at=parse_time(started) if started and not started.startswith("0001") else 0.0,
        privileged=bool(host.get("Privileged")),
        complete=True,
        pid=int(state.get("Pid") or 0),
        **_reach(found, host),
    )


MAX_LAYERS = 64
MAX_MOUNTS = 64
"""Of one container that are kept."""
_MODES = {"pid": "PidMode", "net": "NetworkMode", "ipc": "IpcMode", "uts": "UTSMode", "user": "UsernsMode"}


def _layers(data: dict[str, Any]) -> tuple[str, ...]:
    """Docker's overlay2: the written layer and those below it."""
    upper, lower = str(data.get("UpperDir") or ""), str(data.get("LowerDir") or "")
    return (upper, *lower.split(":")[:MAX_LAYERS]) if upper and lower else ()


def _reach(found: dict[str, Any], host: dict[str, Any]) -> dict[str, Any]:
    """What the container was given of the host, and what was taken from its confinement."""
    options = [str(option).replace(":", "=", 1) for option in host.get("SecurityOpt") or ()]
    unconfined = [name for name in ("seccomp", "apparmor") if f"{name}=unconfined" in options]
    if "label=disable" in options:
        unconfined.append("selinux")
    return {
        "caps": tuple("CAP_" + str(name).upper().removeprefix("CAP_") for name in host.get("CapAdd") or ()),
        "host_namespaces": tuple(name for name, key in _MODES.items() if host.get(key) == "host"),
        "unconfined": tuple(unconfined),
        "mounts": tuple(_mount(one) for one in (found.get("Mounts") or ())[:MAX_MOUNTS]),
        "layers": _layers((found.get("GraphDriver") or {}).get("Data") or {}),
        "devices": tuple(str(one.get("PathOnHost") or "") for one in (host.get("Devices") or ())[:MAX_MOUNTS]),
    }


def _mount(one: dict[str, Any]) -> Mount:
    return Mount(
        source=str(one.get("Source") or ""),
        target=str(one.get("Destination") or ""),
        writable=one.get("RW") is True,
        type=str(one["Type"]),
        mode=str(one.get("Mode") or ""),
        propagation=str(one.get("Propagation") or ""),
    )
