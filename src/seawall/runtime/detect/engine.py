"""The judge on the node: events in, alerts out. Pure: no file, no clock but the events' own, no thread.

Repeats of one alert within a window are held back and counted, so that a loop in a container costs the spool one
alert a window and not one an event; `due` hands out what is still held. Alerts of blocking rules are never held:
each of them has to be acted upon.

What only a look at /proc can tell is asked for: `wanted_scans` says what, `scanned` takes the answer and judges on.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from seawall.runtime.detect import severity
from seawall.runtime.detect.detectors import Detectors
from seawall.runtime.detect.intelligence import Intelligence
from seawall.runtime.detect.judges import Judge, Judges
from seawall.runtime.detect.merging import Merging
from seawall.runtime.detect.profiles import Profiles
from seawall.runtime.detect.questions import Questions
from seawall.runtime.detect.repeats import CHANGES, Repeats
from seawall.runtime.detect.suspects import Suspects
from seawall.runtime.detect.waivers import Waivers
from seawall.runtime.model import Alert, Container, Event, Found, Kind, Plan, Process, Rule, Scan

NOTHING: Mapping[str, Any] = {}


class Engine:
    """Judges by one plan; `update` changes it without forgetting what was seen."""

    def __init__(
        self,
        plan: Plan,
        sockets: Collection[tuple[int, int]] = (),
        boot: float | None = None,
        *,
        programs: Collection[tuple[int, int]] = (),
        scans: bool = False,
        find: Callable[[int], Process | None] | None = None,
    ) -> None:
        """`sockets`, `programs`: (st_dev, st_ino) of this host's runtime sockets and of its runtime's programs; `boot`:
        its start in seconds since the epoch; `scans`: whether somebody answers `wanted_scans`; `find`: the process
        of a pid."""
        self.sockets, self.programs = _either(sockets), _either(programs)
        self.unjudged = 0
        """Times a rule was passed over because the container's identity was not known."""
        self.failed = 0
        """Times a condition could not be worked out on an event."""
        self._boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) if boot is None else boot
        self._detectors = Detectors(find)
        self._intelligence = Intelligence()
        self._merging = Merging(self._boot)
        self._waivers = Waivers()
        self._profiles = Profiles()
        self._questions = Questions(scans)
        self._suspects = Suspects()
        self._repeats = Repeats()
        self.update(plan)

    def update(self, plan: Plan) -> None:
        """Judge by another plan from now on. Raises ValueError or KeyError on a plan that load.py did not make."""
        judges = Judges((rule for rule in plan.rules if rule.action != "allow"), plan.lists)
        allow = Judges((rule for rule in plan.rules if rule.action == "allow"), plan.lists)
        self._waivers.update(plan.waivers, plan.lists)
        self._profiles.update(plan.profiles)
        self._intelligence.update(plan.indicators)
        self._judges, self._allow = judges, allow
        self._repeats.update(plan.rules)

    def judge(self, event: Event) -> list[Alert]:
        """The alerts of one event, in the order of the rules."""
        facts = self._detectors.observe(event)
        process = event.process
        if event.kind in CHANGES:
            self._repeats.forget()
        container = process.container
        if container is not None and not process.started:
            return []  # the runtime still sets the container up
        for more in (self._profiles.observe(event), self._known_files(event), self._intelligence.observe(event)):
            if more:
                facts = {**facts, **more}
        asked = self._questions.ask(event, facts)
        if asked:
            facts = {**facts, **asked}
        if facts:
            event = replace(event, raw={**event.raw, **facts})
            self._questions.keep(event)
        return self._judged(event)

    def introduce(self, container: Container, now: float) -> list[Alert]:
        """A container's identity is known: the alerts of how it was started. `now`: seconds since the epoch."""
        self._repeats.forget()
        if not container.complete:
            return []
        return self._judged(Event(Kind.START, now, Process(0, 0, container=container)))

    def busy(self, container: Container, now: float, minutes: int, cores: float) -> list[Alert]:
        """A container has kept processors busy: judged with what was told of it lately."""
        if not container.complete:
            return []
        raw = {"load": {"minutes": minutes, "cores": cores, "suspects": self._suspects.of(container.id, now)}}
        return self._judged(Event(Kind.LOAD, now, Process(0, 0, container=container), raw=raw))

    def wanted_scans(self, now: float) -> list[Scan]:
        """What the engine would like to have looked up at `now`; each is asked for once."""
        return self._questions.due(now)

    def scanned(self, scan: Scan, found: Found) -> tuple[Event | None, list[Alert]]:
        """The event that raised the question and the alerts that the answer brings."""
        event, asked = self._questions.answer(scan, found)
        if event is not None and event.raw.get("inode") in self.programs:
            event = replace(event, raw={**event.raw, "runtime_program": True})
        return event, [] if event is None else self._judged(event, asked)

    def take_silenced(self) -> dict[str, int]:
        """Waiver id → alerts it has silenced since the last question."""
        return self._waivers.take()

    def take_learned(self) -> list[dict[str, Any]]:
        """`profile` items for the wire: programs seen since the last question in images that are being learned."""
        return self._profiles.take()

    def due(self, now: float) -> Iterator[Alert]:
        """Held repeats whose window is over at `now` (seconds since the epoch); with infinity, all of them."""
        return self._merging.due(now)

    def _judged(self, event: Event, about: Collection[str] = ()) -> list[Alert]:
        """By all rules of the event's kind, or by those that look at one of the fields in `about`."""
        container = event.process.container
        incomplete = container is not None and not container.complete
        found: list[Alert] = []
        allowed: Collection[str] | None = None
        key = None if incomplete or about else self._repeats.key(event)
        if key is not None and self._repeats.knows(key):
            return self._merging.pushed()
        holding = self._holding(self._judges, event, incomplete, about)
        if key is not None and not holding:
            self._repeats.remember(key, event)
        for judge in holding:
            if allowed is None:
                allowed = {held.rule.category for held in self._holding(self._allow, event, incomplete)}
            if judge.rule.category not in allowed and not self._waivers.silence(judge.rule.id, event):
                found += self._merging.take(_fitted(judge.rule, event), event)
                if container is not None:
                    self._suspects.told(container.id, judge.rule.id, event.time)
        return found + self._merging.pushed()

    def _holding(self, judges: Judges, event: Event, incomplete: bool, about: Collection[str] = ()) -> list[Judge]:
        """Whose condition holds, as far as it may be asked."""
        if not incomplete and not about:
            try:
                return judges.holding(event)
            except (TypeError, ValueError, AttributeError):  # one of them: the others are asked without it
                pass
        return [judge for judge in judges.of(event) if self._asked(judge, event, incomplete, about)]

    def _asked(self, judge: Judge, event: Event, incomplete: bool, about: Collection[str]) -> bool:
        if judge.identity and incomplete:
            self.unjudged += 1
            return False
        return (not about or not judge.fields.isdisjoint(about)) and self._fires(judge, event)

    def _fires(self, judge: Judge, event: Event) -> bool:
        try:
            return judge.check(event)
        except (TypeError, ValueError, AttributeError):
            self.failed += 1
            return False

    def _known_files(self, event: Event) -> Mapping[str, Any]:
        """Sockets and programs of this host's runtime, known by inode under whatever name."""
        if event.socket_inode and (event.socket_dev, event.socket_inode) in self.sockets:
            return {"runtime_socket": True}
        file = event.file
        if file is not None and self.programs and (file.dev, file.ino) in self.programs:
            return {"runtime_program": True}
        return NOTHING


def _either(known: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """The kernel writes a device as major << 20 | minor, stat(2) otherwise; either may come in an event."""
    known = tuple(known)
    return frozenset(known) | {(os.major(dev) << 20 | os.minor(dev), ino) for dev, ino in known}


def _fitted(rule: Rule, event: Event) -> Rule:
    """The rule as it stands for this event: its severity moved, its action that of the image's profile."""
    grave = severity.adjusted(rule, event)
    action = "block" if event.raw.get("profile") == "protect" and rule.id == "profile_violation" else rule.action
    if (grave, action) == (rule.severity, rule.action):
        return rule
    return replace(rule, severity=grave, action=action)
