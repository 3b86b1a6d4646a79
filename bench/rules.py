"""The rule engine alone: microseconds from event to verdict, by kind of event, with the packaged rules.

Events are those of a busy node, of which nearly none fires: that is what the engine spends its life on.
"""

import statistics
import time
from dataclasses import replace

from seawall.runtime import load
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.model import Event

PARENTS = [
    {"exe": "/bin/bash"},
    {"exe": "/usr/sbin/nginx"},
    {"exe": "/usr/bin/containerd-shim-runc-v2", "container": False},
]
WEB = {"exe": "/usr/bin/python3", "args": ["python3", "-m", "app"], "stdio": ["null", "pipe 5", "pipe 6"]}
ORDINARY = {
    "exec": {"kind": "exec", "container": True, "process": WEB, "parents": PARENTS},
    "exec of a shell": {
        "kind": "exec",
        "container": True,
        "process": WEB | {"exe": "/bin/sh", "args": ["sh", "-c", "id"]},
        "parents": PARENTS,
    },
    "exec on the host": {"kind": "exec", "process": WEB, "parents": [{"exe": "/sbin/init", "container": False}]},
    "connect": {"kind": "connect", "container": True, "process": WEB, "peer": "10.0.0.5:5432", "parents": PARENTS},
    "open": {
        "kind": "open",
        "container": True,
        "process": WEB,
        "file": "/usr/bin/x",
        "parents": [{"exe": "/usr/bin/dpkg"}],
    },
    "fork": {"kind": "fork", "container": True, "process": WEB, "parents": PARENTS},
    "exit": {"kind": "exit", "container": True, "process": WEB, "parents": PARENTS},
    "alert (held back as a repeat)": {
        "kind": "open",
        "container": True,
        "process": WEB,
        "file": "/etc/cron.d/x",
        "parents": PARENTS,
    },
}
TARGET = 15.0
"""Median microseconds an event, over the kinds of a busy node's mix."""
MIX = {"exec": 200, "exec of a shell": 50, "connect": 500, "open": 300, "fork": 250, "exit": 250}
"""Events a second of the busy node that reach Python."""


def main(quick: bool) -> None:
    """Print one line a kind, and the mix beside the target."""
    rounds, repeats = (2000, 5) if quick else (20000, 15)
    engine = Engine(load.system_plan())
    medians = {}
    for name, described in ORDINARY.items():
        (event,) = build({"event": described})
        engine.judge(event)
        medians[name] = statistics.median(_microseconds(engine, event, rounds) for _ in range(repeats))
        print(f"{name:32} {medians[name]:8.2f} µs")
    total = sum(MIX.values())
    mixed = sum(medians[name] * number for name, number in MIX.items()) / total
    print(f"{'busy mix':32} {mixed:8.2f} µs  ({mixed / TARGET:.2f} × of the {TARGET:.0f} µs aimed for)")
    print(f"{'one core at the busy mix':32} {mixed * total / 1e4:8.2f} %   ({total} events a second)")
    started = time.perf_counter()
    load.compile_paths([load.RULES])
    print(f"{'compile the packaged rules':32} {(time.perf_counter() - started) * 1e3:8.1f} ms")


def _microseconds(engine: Engine, event: Event, rounds: int) -> float:
    events = [replace(event) for _ in range(rounds)]
    started = time.perf_counter()
    for one in events:
        engine.judge(one)
    return (time.perf_counter() - started) / rounds * 1e6
