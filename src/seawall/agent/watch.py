"""The sensor's side of the agent: events in, judged and answered, alerts out. Runs in the main loop alone.

A node without BTF, without rights or without the built programs still has an agent: it says why it is blind.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from seawall.agent.limits import narrowed
from seawall.agent.problems import Problems
from seawall.agent.response import Response
from seawall.agent.scanning import Scanning
from seawall.agent.settings import Settings
from seawall.core.clock import format_time
from seawall.core.errors import SeawallError
from seawall.core.ids import new_id
from seawall.core.severity import Severity
from seawall.runtime.collect.busy import Burning
from seawall.runtime.collect.recorder import Recorder
from seawall.runtime.detect.alerts import record
from seawall.runtime.detect.engine import Engine
from seawall.runtime.model import Alert, Category, Container, Event, Plan, Process

AT_ONCE = 2000
"""Events read in one go; timers and other work come in between."""
GATHER, IDLE = 0.05, 0.25
"""Seconds until the next look at the latest: while events come they are read together, urgent ones at once."""
LOSS_GAP = 60.0
"""Seconds between two alerts about lost events."""


class SensorLike(Protocol):
    """What runtime/collect/sensor.py offers."""

    def start(self) -> None: ...
    def fileno(self) -> int: ...
    def read(self, limit: int = ...) -> Any: ...
    def counters(self) -> dict[str, Any]: ...
    def gather(self, on: bool) -> bool: ...
    @property
    def waits(self) -> bool: ...
    def update(self, plan: Plan, enforce: bool) -> None: ...
    def know(self, container: Container) -> None: ...
    def process(self, pid: int) -> Process | None: ...
    def maps(self) -> dict[str, int]: ...
    def forget(self, id: str) -> None: ...
    def stop(self) -> None: ...


class Watch:
    """`say` takes each alert as plain JSON; it is called in the thread that calls `handle` and `tick`."""

    def __init__(
        self, say: Callable[[dict[str, Any]], None], problems: Problems, recorder: Recorder | None = None
    ) -> None:
        self._say = say
        self._problems = problems
        self._recorder = recorder
        self._sensor: SensorLike | None = None
        self._engine: Engine | None = None
        self._settings: Settings | None = None
        self._step = 0
        self._why_off = "not started"
        self._known: dict[str, Container] = {}
        self._scanning = Scanning(problems)
        self._burning = Burning()
        self._lost = 0
        self._lost_told_at = 0.0
        self.response = Response(lambda alert: self._say(record(alert)))

    @property
    def on(self) -> bool:
        """Whether events come."""
        return self._sensor is not None

    def start(self, settings: Settings, step: int = 0) -> None:
        """Load the sensor; a reason why it cannot be is kept for the heartbeat, never raised."""
        self._settings, self._step = settings, step
        plan = narrowed(settings.plan, step)
        self._scanning.begin(plan, step)
        self._record(step)
        try:
            from seawall.runtime.collect.sensor import Sensor

            sensor: SensorLike = Sensor(plan, settings.enforce, self._recorder)
            self._engine = Engine(
                plan, _runtime_sockets(), programs=_runtime_programs(), scans=True, find=sensor.process
            )
            sensor.start()
        except Exception as error:  # whatever it is: an agent that is blind and says so beats none
            hint = getattr(error, "hint", "")
            text = str(error) if isinstance(error, SeawallError | OSError | ImportError) else repr(error)
            self._why_off = " ".join(f"{text} ({hint})".split() if hint else text.split())[:600]
            self._problems.say("sensor", self._why_off)
            return
        self._sensor = sensor
        self._why_off = ""
        self._problems.clear("sensor")
        for container in self._known.values():
            self.know(container)
        self.response.apply(plan, settings.enforce, self._known, sensor.maps())

    def apply(self, settings: Settings, step: int) -> None:
        """Work by another configuration, or at another step of the ladder, from the next event on."""
        if (settings, step) == (self._settings, self._step):
            return
        if self._sensor is None or self._engine is None:
            self.start(settings, step)
            return
        self._settings, self._step = settings, step
        plan = narrowed(settings.plan, step)
        self._scanning.begin(plan, step)
        self._record(step)
        try:
            self._engine.update(plan)
            self._sensor.update(plan, settings.enforce)
            self.response.apply(plan, settings.enforce, self._known, self._sensor.maps())
            self._problems.clear("plan")
        except (SeawallError, OSError, ValueError, KeyError) as error:
            self._problems.say("plan", f"the plan cannot be put to work: {error}")

    def fileno(self) -> int:
        """Readable when events wait; -1 without a sensor."""
        return self._sensor.fileno() if self._sensor else -1

    def handle(self) -> int:
        """Judge what waits, at most AT_ONCE events. How many there were."""
        sensor, engine, settings = self._sensor, self._engine, self._settings
        if sensor is None or engine is None or settings is None:
            return 0
        count = 0
        try:
            for event in sensor.read(AT_ONCE):
                count += 1
                self._judge(engine, event, settings.enforce)
                self._scanning.observe(event)
        except (SeawallError, OSError, ValueError) as error:
            self._problems.say("sensor", f"events cannot be read: {error!r}")
        if self._recorder is not None:
            self._recorder.due(time.time())
        self._look(engine, settings.enforce)
        for verdict in self._scanning.turn(time.time()):
            self._judge(engine, verdict, settings.enforce)
        self.response.work(engine, sensor.process, self._known)
        return count

    def rest(self, events: int) -> float:
        """After how many seconds to `handle` again though nothing is readable; `events` is what it found last."""
        if self._sensor is None:
            return IDLE
        if events >= AT_ONCE:
            return 0.0
        if events or self._sensor.waits:
            self._sensor.gather(True)
            return GATHER
        if self._sensor.gather(False):
            return 0.0
        return GATHER if self.response.guards else IDLE

    def tick(self, now: float) -> None:
        """Once a second: alerts that were held back for counting, and losses."""
        if self._engine is not None:
            for busy in self._burning.look(self._known.values(), time.monotonic()):
                for alert in self._engine.busy(busy.container, time.time(), busy.minutes, busy.cores):
                    self._say(record(alert))
            for alert in self._engine.due(now):
                self._say(record(alert))
        self.response.due(now)
        if self._recorder is not None and self._recorder.error:
            self._problems.say("recording", self._recorder.error)
        self._tell_losses(now)

    def know(self, container: Container) -> None:
        """Who a container is. How it was started is judged once it is known."""
        self._known[container.id] = container
        if self._sensor is not None:
            self._sensor.know(container)
        if self._engine is not None:
            for alert in self._engine.introduce(container, time.time()):
                self._say(record(alert))
        self.response.know(container)

    def forget(self, id: str) -> None:
        """A container is gone."""
        self._known.pop(id, None)
        if self._sensor is not None:
            self._sensor.forget(id)
        self.response.forget(id)

    def samples(self) -> dict[str, Any]:
        """The heartbeat's `samples` object."""
        return self._scanning.status()

    def silenced(self) -> dict[str, int]:
        """The heartbeat's `silenced` object: alerts that waivers held back since the last question."""
        return self._engine.take_silenced() if self._engine is not None else {}

    def learned(self) -> list[dict[str, Any]]:
        """`profile` items: what images were seen to run since the last question."""
        return self._engine.take_learned() if self._engine is not None else []

    def counters(self) -> dict[str, Any]:
        """The heartbeat's `sensor` object."""
        if self._sensor is None:
            return {
                "state": "off",
                "reason": self._why_off,
                "programs": [],
                "events": 0,
                "dropped": {"critical": 0, "bulk": 0},
                "throttled": 0,
            }
        return self._sensor.counters()

    def protection(self) -> dict[str, Any]:
        """The heartbeat's `protection` object."""
        from seawall.runtime.respond.ladder import protection

        guard, enforce = self.response.guard, self._settings is not None and self._settings.enforce
        said = protection(
            self.response.probed, self.counters(), enforce=enforce, guard=guard.reason if guard is not None else ""
        )
        if guard is not None and guard.on:
            guard.ask_counts()
            said["guard"] = {**guard.counts, "given_up": guard.given_up}
        return said

    def stop(self) -> None:
        """Hand out what is held back and take the programs out of the kernel."""
        self._scanning.stop()
        self.tick(float("inf"))
        self.response.stop()
        if self._sensor is not None:
            self._sensor.stop()
            self._sensor = None
        if self._recorder is not None:
            self._recorder.due(time.time(), finish=True)
            self._recorder.close()

    def _record(self, step: int) -> None:
        """Recording is the first comfort that a node under load does without."""
        if self._recorder is not None:
            self._recorder.paused = step >= 2

    def _judge(self, engine: Engine, event: Event, enforce: bool) -> None:
        """One event that breaks a judge or an answer must not blind the node: it is said, and the next one comes."""
        try:
            if event.process.vpid == 1:
                self.response.meet(event.process)
            if event.result == -1:
                event = self.response.refused(event)
            for alert in engine.judge(event):
                self.response.answer(alert, event, enforce)
        except Exception as error:
            self._problems.say("events", f"a {event.kind} event could not be judged: {error!r}")

    def _look(self, engine: Engine, enforce: bool) -> None:
        """Look at the node for what the engine wants to know, and judge on."""
        scans = engine.wanted_scans(time.time())
        if not scans:
            return
        from seawall.runtime.collect.lookup import look

        for scan in scans:
            try:
                event, alerts = engine.scanned(scan, look(scan))
                if event is not None:
                    for alert in alerts:
                        self.response.answer(alert, event, enforce)
            except Exception as error:
                self._problems.say("events", f"a question about {scan.what} could not be answered: {error!r}")

    def _tell_losses(self, now: float) -> None:
        """Lost events are an alert of their own: a node that sees half must not look like one where half happens."""
        dropped = self.counters().get("dropped", {})
        lost = sum(int(count) for count in dropped.values())
        if lost <= self._lost or now - self._lost_told_at < LOSS_GAP or now == float("inf"):
            return
        new, self._lost, self._lost_told_at = lost - self._lost, lost, now
        self._say(record(_loss(new, dropped, now)))


def _loss(new: int, dropped: dict[str, int], now: float) -> Alert:
    time_text = format_time(now)
    critical = dropped.get("critical", 0) > 0
    return Alert(
        time=time_text,
        id=new_id("alert"),
        rule="seawall-events-lost",
        title="The sensor lost events",
        title_zh="传感器丢失事件",
        category=Category.SELF,
        severity=Severity.HIGH if critical else Severity.MEDIUM,
        action="alert",
        result="none",
        container={},
        process={},
        ancestors=(),
        evidence={"lost": new, "dropped": dict(dropped)},
        key="seawall-events-lost",
        first_seen=time_text,
        last_seen=time_text,
        why="More happened on this node than the sensor's buffers could hold: an attack may be among what was lost.",
        why_zh="节点上发生的事件超过了传感器缓冲区的容量,丢失的事件中可能包含攻击行为。",
        advice="Look at what the node was doing then; a flood of events can be a way to hide.",
        advice_zh="检查该节点当时的活动:事件洪泛可能是一种隐藏手段。",
    )


def _runtime_programs() -> list[tuple[int, int]]:
    """(dev, ino) of the programs that make this host's containers: who writes one waits for the host."""
    found = []
    for name in (
        "runc",
        "crun",
        "containerd",
        "containerd-shim-runc-v2",
        "containerd-shim",
        "dockerd",
        "conmon",
        "kubelet",
    ):
        for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec/crio"):
            try:
                status = Path(folder, name).stat()
            except OSError:
                continue
            found.append((status.st_dev, status.st_ino))
    return found


def _runtime_sockets() -> list[tuple[int, int]]:
    """(dev, ino) of this host's container runtime sockets: who reaches one from a container owns the host."""
    found = []
    for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock"):
        try:
            status = Path(path).stat()
        except OSError:
            continue
        found.append((status.st_dev, status.st_ino))
    return found
