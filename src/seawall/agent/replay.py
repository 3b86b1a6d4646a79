"""Errand: judge what this node recorded by the rules of an order, and say what they would have told.

`python -m seawall.agent.replay HOME`, with `{"plan": …, "hours": …, "test": …}` on standard input. What was recorded is
what the kernel side was asked for at the time: where a tested rule looks at more than that, the answer says so.
"""

import json
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seawall.core.clock import format_time
from seawall.core.errors import Hostile, SeawallError
from seawall.runtime import plan as plans
from seawall.runtime.collect import past, recorder
from seawall.runtime.collect.decoding import Decoding
from seawall.runtime.detect.alerts import record
from seawall.runtime.detect.engine import Engine
from seawall.runtime.model import Alert, Event, Plan

MAX_ALERTS = 50
MAX_EVENTS = 20_000_000
MAX_HOURS = 24
_BOUNDS = (
    "open_paths",
    "open_prefixes",
    "open_names",
    "read_paths",
    "read_prefixes",
    "read_names",
    "syscalls",
    "kinds",
)


@dataclass(slots=True)
class Result:
    """What came of it."""

    begin: float = 0.0
    end: float = 0.0
    events: int = 0
    hits: int = 0
    alerts: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    """What limits the answer, each once."""

    def saw(self, event: Event) -> bool:
        """Count an event; False when it is one too many."""
        if self.events >= MAX_EVENTS:
            self.notes[f"more than {MAX_EVENTS} events; the rest was not looked at"] = None
            return False
        self.begin = self.begin or event.time
        self.end = max(self.end, event.time)
        self.events += 1
        return True

    def told(self, alert: Alert) -> None:
        """Count an alert, and keep it if there are few."""
        self.hits += alert.count
        if len(self.alerts) < MAX_ALERTS:
            self.alerts.append(record(alert))


def replay(folder: Path, plan: Plan, since: float) -> Iterator[tuple[float, Result]]:
    """(share that is done, what is known so far), after each segment. Pure but for the reading of `folder`."""
    result = Result()
    found = recorder.segments(folder, since)
    engine: Engine | None = None
    for place, segment in enumerate(found):
        try:
            for event, boot in _events(segment.path, plan, result):
                engine = engine or Engine(plan, boot=boot)
                if event.time >= since and result.saw(event):
                    for alert in engine.judge(event):
                        result.told(alert)
        except (Hostile, OSError) as error:
            result.notes[str(error)] = None
        yield (place + 1) / len(found), result
    for alert in engine.due(float("inf")) if engine is not None else ():
        result.told(alert)
    if not found:
        result.notes["this node has recorded nothing yet"] = None
    yield 1.0, result


def _events(path: Path, plan: Plan, result: Result) -> Iterator[tuple[Event, float]]:
    """The events of one segment, each with when its node was started (seconds since the epoch)."""
    frames = recorder.read(path)
    try:
        header = json.loads(next(frames, b"null"))
        if header["form"] != recorder.FORM:
            raise Hostile("part of the recording is of another version and was not looked at")
        decoding = Decoding(past.restore(header))
        decoding.clock = boot = float(header["clock"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Hostile(f"{path.name} has no header that can be read: {error!r}") from error
    for missing in _missing(plan.filters, header.get("filters", {})):
        result.notes[missing] = None
    for frame in frames:
        event = _event(decoding, frame)
        if event is not None:
            yield event, boot


def _event(decoding: Decoding, frame: bytes) -> Event | None:
    try:
        if frame[:1] == bytes([recorder.NOTE]):
            past.learn(decoding.table, json.loads(frame[1:]))
            return None
        return decoding.event(memoryview(frame))
    except (struct.error, LookupError, ValueError, TypeError, AttributeError):
        return None  # a frame that is none costs itself


def _missing(wanted: Mapping[str, Any], had: Mapping[str, Any]) -> Iterator[str]:
    """What the tested rules look at and the recording does not hold."""
    everything = set(had.get("wide", ()))
    for name in _BOUNDS:
        if (name.startswith("open") and "open" in everything) or (name.startswith("read") and "read" in everything):
            continue
        lacks = set(wanted.get(name, ())) - set(had.get(name, ()))
        lacks = {each for each in lacks if not _within(each, had, name)}
        if lacks:
            yield f"not recorded, because no rule asked for it then: {name} {', '.join(sorted(lacks)[:5])}"


def _within(path: str, had: Mapping[str, Any], name: str) -> bool:
    if not name.endswith(("_paths", "_prefixes")):
        return False
    kind = name.partition("_")[0]
    return path.startswith(tuple(had.get(f"{kind}_prefixes", ()))) or path.rpartition("/")[2] in had.get(
        f"{kind}_names", ()
    )


def item(test: str, result: Result) -> dict[str, Any]:
    """The item for the wire (docs/reference/wire.md)."""
    return {
        "test": test,
        "from": format_time(result.begin) if result.begin else None,
        "to": format_time(result.end) if result.end else None,
        "events": result.events,
        "hits": result.hits,
        "alerts": result.alerts,
        "notes": list(result.notes)[:20],
    }


def main(arguments: Sequence[str]) -> int:
    """Write progress and the item to standard output."""
    try:
        asked = json.load(sys.stdin)
        plan = plans.decode(asked["plan"])
        hours = min(float(asked["hours"]), MAX_HOURS)
        test = str(asked["test"])
    except (KeyError, TypeError, ValueError, AttributeError, SeawallError) as error:
        sys.stderr.write(f"the order cannot be read: {error!r}\n")
        return 2
    result = Result()
    for share, result in replay(Path(arguments[0]) / recorder.FOLDER, plan, time.time() - hours * 3600):
        said = {"progress": round(share * 0.99, 3), "message": f"{result.events} events, {result.hits} hits"}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
    sys.stdout.write('{"item":' + json.dumps(item(test, result), ensure_ascii=False) + "}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
