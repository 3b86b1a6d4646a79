"""The rule engine alone: microseconds from event to verdict, by kind of event, with the packaged rules.

Events are those of a busy node, of which nearly none fires: that is what the engine spends its life on.
"""

import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path

from seawall.runtime import load, plan
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.model import Event, Plan

PARENTS = [
    {"exe": "/bin/bash"},
    {"exe": "/usr/bin/supervisord"},
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
        "file": "/var/lib/app/data/x.tmp",
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
ORDINARY |= {
    "read": {"kind": "read", "container": True, "process": WEB, "file": "/etc/hosts", "parents": PARENTS},
    "call": {"kind": "call", "syscall": "unlinkat", "container": True, "process": WEB, "paths": ["/tmp/x"]},
}
TARGET = 15.0
"""Median microseconds an event, over the kinds of a busy node's mix."""
LOAD_TARGET = 1.0
"""Seconds to load Falco's rules and ours."""
FALCO = Path(os.environ.get("SEAWALL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "rules"
FILES = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
MIX = {"exec": 200, "exec of a shell": 50, "connect": 500, "open": 300, "fork": 250, "exit": 250}
"""Events a second of the busy node that reach Python."""


def main(quick: bool) -> None:
    """Print one line a kind, and the mix beside the target: the packaged rules, then Falco's with them."""
    rounds, repeats = (2000, 5) if quick else (20000, 15)
    started = time.thread_time()
    load.compile_paths([load.RULES])
    print(f"{'compile the packaged rules':32} {(time.thread_time() - started) * 1e3:8.1f} ms")
    _judged("the packaged rules", load.system_plan(), rounds, repeats)
    files = [FALCO / name for name in FILES if (FALCO / name).exists()]
    if not files:
        print(f"Falco's rule files are not at {FALCO}: set SEAWALL_TEST_DATA")
        return
    started = time.thread_time()
    compiled = load.compile_paths(files, load.compile_paths([load.RULES]))
    body = json.dumps(plan.encode(compiled.plan), ensure_ascii=False)
    Engine(plan.decode(json.loads(body)))
    took = time.thread_time() - started
    share = f"{took / LOAD_TARGET:.2f} × of the {LOAD_TARGET:.0f} s aimed for"
    print(f"{'load all, from YAML to engine':32} {took:8.2f} s   ({share})")
    print(f"{'the plan of all':32} {len(body.encode()) / 1024:8.0f} KB")
    _judged(f"{len(compiled.plan.rules)} rules, Falco's and the packaged", compiled.plan, rounds, repeats)


def _judged(name: str, rules: Plan, rounds: int, repeats: int) -> None:
    print(f"-- {name}")
    engine = Engine(rules)
    medians = {}
    for kind, described in ORDINARY.items():
        (event,) = build({"event": described})
        engine.judge(event)
        medians[kind] = statistics.median(_microseconds(engine, event, rounds) for _ in range(repeats))
        print(f"{kind:32} {medians[kind]:8.2f} µs")
    total = sum(MIX.values())
    mixed = sum(medians[kind] * number for kind, number in MIX.items()) / total
    print(f"{'busy mix':32} {mixed:8.2f} µs  ({mixed / TARGET:.2f} × of the {TARGET:.0f} µs aimed for)")
    print(f"{'one core at the busy mix':32} {mixed * total / 1e4:8.2f} %   ({total} events a second)")


def _microseconds(engine: Engine, event: Event, rounds: int) -> float:
    events = [replace(event) for _ in range(rounds)]
    started = time.thread_time()
    for one in events:
        engine.judge(one)
    return (time.thread_time() - started) / rounds * 1e6
