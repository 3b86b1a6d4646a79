"""The response's side of the agent: what a rule asks for is done, what the gate refused is told.

In the main loop alone.
"""

import contextlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall.core.clock import format_time
from seawall.core.errors import SeawallError
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.merging import WINDOW
from seawall.runtime.detect.profiles import BURST, BURST_WINDOW, REST, image_key
from seawall.runtime.model import Alert, Container, Event, File, Kind, Plan, Process
from seawall.runtime.respond.settle import Settle

if TYPE_CHECKING:
    from seawall.runtime.respond.guard import Guard
    from seawall.runtime.respond.kernel import Kernel, Refusal

KILLED_AT_EXEC, KILLED_AT_OPEN = 1, 2
"""As in respond/kernel.py, which is only imported when it is needed."""
MAX_REPEATS = 1024
MAX_HASHES = 1000
GRACE = 0.1
"""Seconds after which the sensor has told of the process that the gate refused something."""


class Kept:
    """What responses have left on disk in the agent's folder: isolated containers, files in quarantine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def isolated(self) -> frozenset[str]:
        """Ids of containers that are cut off the network."""
        return frozenset(path.stem for path in (self._folder / "isolated").glob("*.json"))

    def quarantined(self) -> list[tuple[int, str]]:
        """(size, SHA-256) of the files."""
        found = []
        for path in sorted((self._folder / "quarantine").glob("*.json")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                about = json.loads(path.read_bytes())
                found.append((int(about["size"]), str(about["sha256"])))
        return found[:MAX_HASHES]


class Response:
    """`say` takes each alert. The guard of executions is only loaded once something enforces."""

    def __init__(self, say: Callable[[Alert], None]) -> None:
        self._say = say
        self._settle = Settle()
        self._guard: Guard | None = None
        self._kernel: Kernel | None = None
        self._boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        self._refused: list[tuple[float, dict[str, Any]]] = []
        self._repeats: OrderedDict[tuple[str, str, str], tuple[float, int, Alert]] = OrderedDict()
        self._blocks: dict[str, list[float]] = {}
        self.probed: dict[str, str] = {}
        """What respond/probe.py has found."""
        self._quarantined: list[tuple[int, str]] = []
        self._isolated: frozenset[str] = frozenset()
        self._cut: dict[str, int] = {}
        self._kept: Kept | None = None

    @property
    def guard(self) -> "Guard | None":
        """What asks before programs run, if something enforces."""
        return self._guard

    def apply(self, plan: Plan, enforce: bool, known: dict[str, Container], maps: dict[str, int]) -> None:
        """Respond by this plan from now on. `maps` are the sensor's."""
        self._deny(plan if enforce else None, maps)
        if self._guard is None:
            if not enforce:
                return
            from seawall.runtime.respond.guard import Guard

            self._guard = Guard()
            self._guard.quarantined(self._quarantined)
            self._guard.apply(plan, enforce)
            for container in known.values():
                self.know(container)
        else:
            self._guard.apply(plan, enforce)

    def _deny(self, plan: Plan | None, maps: dict[str, int]) -> None:
        if plan is None or not maps:
            if self._kernel is not None:
                self._kernel.close()
                self._kernel = None
            return
        if self._kernel is None:
            if not any(rule.enabled and rule.action == "block" for rule in plan.rules):
                return
            from seawall.runtime.respond.kernel import Kernel

            self._kernel = Kernel(maps)
        self._kernel.apply(plan)

    def refused(self, event: Event) -> Event:
        """A connection that the kernel side has refused, as the one that was meant: so that its rule fires."""
        peer, kernel = event.peer, self._kernel
        if kernel is None or peer is None or event.process.container is None or not kernel.refuses(peer.host):
            return event
        means = "lsm" if "lsm" in kernel.on else "egress"
        return replace(event, kind=Kind.CONNECT, result=0, blocked=True, raw={**event.raw, "means": means})

    def _stopped(self, alert: Alert, event: Event) -> tuple[Alert, Event]:
        """What the kernel side has already done about an event of a blocking rule."""
        if self._kernel is None or alert.action != "block" or event.blocked or event.kind not in (Kind.EXEC, Kind.OPEN):
            return alert, event
        kind = self._kernel.stopped(event.process.pid, event.process.start)
        if kind in (KILLED_AT_EXEC, KILLED_AT_OPEN):
            return alert, replace(event, blocked=True, raw={**event.raw, "means": "signal"})
        if kind:
            evidence = {**alert.evidence, "changed": "the open itself had created or cut the file"}
            alert = replace(alert, result="killed_after_effect", means="signal", when="after", evidence=evidence)
        return alert, event

    def keep(self, kept: Kept) -> None:
        """Remember and heed what responses leave on disk."""
        self._kept = kept
        self.reload()

    def reload(self) -> None:
        """A response has changed what is on disk. Files in quarantine may not run in a container of this node."""
        if self._kept is None:
            return
        self._isolated, self._quarantined = self._kept.isolated(), self._kept.quarantined()
        self._cut = {name: pid for name, pid in self._cut.items() if name in self._isolated}
        if self._guard is not None:
            self._guard.quarantined(self._quarantined)

    def must_isolate(self, container: Container) -> bool:
        """Whether a container that is to be cut off has started with a network that is whole. True once a start."""
        if not container.pid or container.id not in self._isolated or self._cut.get(container.id) == container.pid:
            return False
        self._cut[container.id] = container.pid
        return True

    def know(self, container: Container) -> None:
        """Who a container is; with its first process it can be guarded."""
        if self._guard is not None and container.complete and container.pid:
            self._guard.guard(container, container.pid)

    def meet(self, process: Process) -> None:
        """The first process of a container is seen: sooner than its runtime tells that it runs."""
        container = process.container
        if container is None or self._guard is None or process.vpid != 1 or not container.complete:
            return
        if container.pid != process.pid:
            container.pid = process.pid
            self._guard.guard(container, process.pid)

    @property
    def guards(self) -> bool:
        """Whether something beside the sensor refuses, and may have something to tell."""
        return self._guard is not None or self._kernel is not None

    def forget(self, id: str) -> None:
        """A container is gone."""
        if self._guard is not None:
            self._guard.drop(id)

    def answer(self, alert: Alert, event: Event, enforce: bool) -> None:
        """Do what the rule asks, and say what came of it."""
        from seawall.runtime.respond.act import act

        try:
            alert, event = self._stopped(alert, event)
            alert = alert if alert.means else act(alert, event, enforce)
        except (SeawallError, OSError) as error:
            alert = replace(alert, result="failed", evidence={**alert.evidence, "response_error": str(error)})
        for settled in self._settle.put(alert, event, time.monotonic()):
            self._say(settled)

    def work(self, engine: Engine, who: Callable[[int], Process | None], known: dict[str, Container]) -> None:
        """Often: watch the gate, tell what it refused, say what has waited."""
        now = time.monotonic()
        for alert in self._settle.due(now):
            self._say(alert)
        if self._kernel is not None:
            for refusal in self._kernel.refusals():
                self._inline(refusal, engine, who)
        if self._guard is None:
            return
        self._refused += [(now + GRACE, said) for said in self._guard.work()]
        while self._refused and self._refused[0][0] <= now:
            _, said = self._refused.pop(0)
            for alert in self._told(said, engine, who, known):
                self._say(alert)

    def _inline(self, refusal: "Refusal", engine: Engine, who: Callable[[int], Process | None]) -> None:
        """What a security module of the kernel refused is judged as if it had been done, and told as what it is."""
        process = who(refusal.pid)
        if process is None:
            return
        memfd = refusal.exec and refusal.path.startswith("memfd:")  # what lies in a file system starts with a slash
        file = File(refusal.path, flags=0 if refusal.exec else os.O_WRONLY, memfd=memfd)
        if refusal.exec:
            name = refusal.path.rpartition("/")[2][:15]
            process = replace(process, exe=refusal.path, comm=name, args=(refusal.path,), file=file)
        kind = Kind.EXEC if refusal.exec else Kind.OPEN
        event = Event(kind, self._boot + refusal.at, process, file=file, blocked=True, raw={"means": "lsm"})
        for alert in engine.judge(event):
            if alert.action == "block":
                self.answer(alert, event, enforce=True)

    def due(self, now: float) -> None:
        """Once a second: repeats that were held back. With infinity, all that is held."""
        for key in [key for key, (until, _, _) in self._repeats.items() if until <= now]:
            _, count, alert = self._repeats.pop(key)
            if count:
                self._say(replace(alert, count=count, last_seen=format_time(time.time())))
        if now == float("inf"):
            for alert in self._settle.due(now):
                self._say(alert)

    def stop(self) -> None:
        """Let every program run again."""
        self.due(float("inf"))
        if self._guard is not None:
            self._guard.stop()
            self._guard = None
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    def _told(
        self,
        said: dict[str, Any],
        engine: Engine,
        who: Callable[[int], Process | None],
        known: dict[str, Container],
    ) -> Iterator[Alert]:
        from seawall.runtime.respond import refusal
        from seawall.runtime.respond.act import act

        event = refusal.event_of(said, known.get(str(said["container"])), who(int(said["asker"]["ppid"])))
        why = str(said["why"])
        rule = why.partition(":")[2] or refusal.TOLD_BY.get(why, "")
        found = [refusal.told(alert, said) for alert in engine.judge(event) if alert.rule == rule]
        if not found:
            found = [refusal.alert_of(said, event, self._boot)]
        for alert in found:
            yield from self._first(act(alert, event, True), said)
        container = event.process.container
        if container is not None and why in ("profile", "drift"):
            yield from self._burst(container, time.monotonic())

    def _burst(self, container: Container, now: float) -> Iterator[Alert]:
        """A profile that refuses again and again is wrong: its image is only watched for a while."""
        from seawall.runtime.respond import refusal

        image = image_key(container)
        times = [at for at in self._blocks.get(image, ()) if at > now - BURST_WINDOW]
        times.append(now)
        self._blocks[image] = times[-BURST - 1 :]
        if len(times) > BURST and self._guard is not None:
            self._blocks.pop(image)
            self._guard.rest(image, REST)
            yield refusal.fallback(container, len(times), REST)

    def _first(self, alert: Alert, said: dict[str, Any]) -> Iterator[Alert]:
        """A program that is started again and again is one alert and a count."""
        key = (alert.rule, str(said["container"]), str(said["path"]))
        held = self._repeats.get(key)
        if held is not None and held[0] > time.time():
            self._repeats[key] = (held[0], held[1] + 1, replace(alert, first_seen=held[2].last_seen))
            return
        if held is not None and held[1]:
            yield replace(held[2], count=held[1], last_seen=alert.time)
        self._repeats[key] = (time.time() + WINDOW, 0, alert)
        if len(self._repeats) > MAX_REPEATS:
            self._repeats.popitem(last=False)
        yield alert
