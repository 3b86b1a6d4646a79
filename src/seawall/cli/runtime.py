"""`seawall runtime`: the sensor in the foreground, the rules, the simulations."""

import argparse
import json
import os
import queue
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall.core.errors import SeawallError
from seawall.core.state import state_dir

if TYPE_CHECKING:
    from seawall.node.docker import Docker
    from seawall.runtime.load import Compiled
    from seawall.runtime.model import Plan, Rule
    from seawall.runtime.simulate.catalog import Simulation
    from seawall.runtime.simulate.stage import Scene

EXAMPLES = """\
examples:
  seawall runtime watch                        alerts of this node, one a line, until Ctrl-C
  seawall runtime watch --enforce --output json
  seawall runtime watch --rules ./my-rules     the packaged rules and these; read again when they change
  seawall runtime watch --rules falco_rules.yaml   Falco's files are taken as they are
  seawall runtime rules check ./my-rules       do they compile? errors name file and line
  seawall runtime rules test ./my-rules        do they fire on their examples, and only on those?
  seawall runtime rules compile ./my-rules     the compiled plan as JSON
  seawall runtime simulate --list              harmless attacks
  seawall runtime simulate                     run them all and show which rule caught each
"""
PATIENCE = 20.0
"""Seconds that alerts of simulations are waited for after the last has ended."""


def main(arguments: Sequence[str]) -> int:
    """Dispatch to the three words."""
    words = {"watch": _watch, "rules": _rules, "simulate": _simulate}
    parser = argparse.ArgumentParser(
        "seawall runtime",
        description="What happens now on this node.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("word", choices=words, help="each has --help")
    wanted = parser.parse_args(list(arguments[:1]))
    return words[wanted.word](arguments[1:])


# watch


def _watch(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "seawall runtime watch", description="The sensor in the foreground; one alert a line."
    )
    parser.add_argument(
        "--rules", action="append", default=[], type=Path, help="file or folder of rules; may be repeated"
    )
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--enforce", action="store_true", help="carry out the rules' blocks")
    wanted = parser.parse_args(arguments)
    enforce, output = wanted.enforce, wanted.output
    plan = _with_indicators(_plan(wanted.rules))
    stopping, asked = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    signal.signal(signal.SIGHUP, lambda *_: asked.set())
    said = 0

    def say(alert: dict[str, Any]) -> None:
        nonlocal said
        said += 1
        print(json.dumps(alert, ensure_ascii=False) if output == "json" else _line(alert), flush=True)

    with _sensor(plan, enforce, say, stopping) as node:
        print(f"watching with {len(plan.rules)} rules{', enforcing' if enforce else ''}; Ctrl-C ends", file=sys.stderr)
        node.run(_renewer(wanted.rules, asked))
    return 1 if said else 0


def _renewer(paths: list[Path], asked: threading.Event) -> "Callable[[], Plan | None]":
    """The new plan, when SIGHUP asked for it or the files are others; a bad one is told and the last good one stays."""
    from seawall.runtime.load.renewal import Renewal

    files = Renewal(paths)

    def renew() -> "Plan | None":
        wanted = asked.is_set()
        asked.clear()
        if not wanted and not files.changed():
            return None
        compiled = files.compiled()
        _errors(compiled)
        if compiled.errors:
            print(f"{len(compiled.errors)} errors in the rules: the last good plan stays", file=sys.stderr, flush=True)
            return None
        print(f"the rules were read again: {len(compiled.plan.rules)} rules", file=sys.stderr, flush=True)
        return _with_indicators(compiled.plan)

    return renew


def _plan(paths: list[Path]) -> "Plan":
    from seawall.runtime import load

    if not paths:
        return load.system_plan()
    compiled = load.compile_paths(paths, load.system())
    _errors(compiled)
    if compiled.errors:
        raise SeawallError(f"{len(compiled.errors)} errors in the rules", "mend them, or leave the files out")
    return compiled.plan


def _with_indicators(plan: "Plan") -> "Plan":
    """The plan with what `seawall intel import` has brought here, as the server would pack it."""
    from seawall.core import clock
    from seawall.intel.listed import NAME, open_listed
    from seawall.runtime.plan import seal
    from seawall.server.indicators import LIMITS, pack

    listed = open_listed(state_dir() / NAME)
    try:
        packed = pack(listed.in_force(clock.now(), LIMITS))
    finally:
        listed.close()
    return seal(plan.rules, plan.lists, plan.filters, plan.waivers, plan.profiles, listed=packed)


def _line(alert: dict[str, Any]) -> str:
    """`17:03:11 CRITICAL reverse_shell_socket  web  bash -i → 10.0.0.9:4444  [blocked]`"""
    process, evidence, container = alert["process"], alert["evidence"], alert["container"]
    peer = evidence.get("peer") or evidence.get("relay_peer") or {}
    for descriptor in evidence.get("stdio", ()):
        peer = peer or descriptor.get("peer") or {}
    what = " ".join(process.get("args") or [process.get("exe", "")])
    if peer:
        what += f" → {peer.get('path') or str(peer.get('host')) + ':' + str(peer.get('port'))}"
    elif evidence.get("kind") == "open":
        what += f" ⇒ {evidence['file']['path']}"
    where = container.get("name") or container.get("id", "")[:12] or "host"
    result = "" if alert["result"] == "none" else f"  [{alert['result']}]"
    text = f"{alert['time'][11:19]} {alert['severity'].upper():8} {alert['rule']:24} {where}  {what}{result}"
    return "".join(character if character.isprintable() else "�" for character in text)


class _Node:
    """Sensor, judge and response in this process, with Docker's containers made known to it."""

    def __init__(
        self, plan: "Plan", enforce: bool, say: Callable[[dict[str, Any]], None], stopping: threading.Event
    ) -> None:
        from seawall.agent.problems import Problems
        from seawall.agent.settings import Settings
        from seawall.agent.watch import Watch

        self._problems = Problems()
        self._watch = Watch(say, self._problems)
        self._settings = Settings("", plan, enforce)
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = stopping

    def start(self) -> None:
        """Raises SeawallError with the sensor's own reason when it cannot see."""
        self._watch.start(self._settings)
        if not self._watch.on:
            raise SeawallError(str(self._watch.counters()["reason"]), "seawall doctor tells what is missing")
        threading.Thread(target=self._docker, daemon=True).start()

    def run(self, renew: "Callable[[], Plan | None]" = lambda: None) -> None:
        """Until `stopping` is set. `renew` is asked each second for another plan to work by."""
        ready = select.poll()
        ready.register(self._watch.fileno(), select.POLLIN)
        ticked = rest = 0.0
        while not self._stopping.is_set():
            ready.poll(rest * 1000)
            while not self._calls.empty():
                self._calls.get()()
            rest = self._watch.rest(self._watch.handle())
            if time.monotonic() - ticked > 1:
                ticked = time.monotonic()
                self._watch.tick(time.time())
                plan = renew()
                if plan is not None:
                    self._settings = replace(self._settings, plan=plan)
                    self._watch.apply(self._settings, 0)

    def stop(self) -> None:
        """Take the programs out of the kernel."""
        self._watch.stop()
        counters = self._watch.counters()
        if any(counters.get("dropped", {}).values()):
            print(f"lost events: {counters['dropped']}", file=sys.stderr)

    def _docker(self) -> None:
        """The thread that makes containers known, those that run and those that come."""
        from seawall.node.docker import Docker

        docker = Docker()
        while not self._stopping.is_set():
            try:
                events = docker.events(type=["container"])
                for summary in docker.containers(all=False):
                    self._know(docker, str(summary["Id"]))
                for event in events:
                    actor, action = str(event.get("Actor", {}).get("ID", "")), str(event.get("Action", ""))
                    if action in ("create", "start", "rename"):
                        self._know(docker, actor)
                    elif action == "destroy":
                        self._calls.put(partial(self._watch.forget, actor))
            except (SeawallError, OSError, ValueError, KeyError, AttributeError):
                self._stopping.wait(2)  # no daemon now: processes are seen, names of containers are not

    def _know(self, docker: "Docker", id: str) -> None:
        from seawall.agent.survey import identity

        try:
            container = identity(docker.container(id), "")
        except (SeawallError, ValueError, KeyError, TypeError, AttributeError):
            return
        self._calls.put(lambda: self._watch.know(container))


@contextmanager
def _sensor(
    plan: "Plan", enforce: bool, say: Callable[[dict[str, Any]], None], stopping: threading.Event
) -> Iterator[_Node]:
    node = _Node(plan, enforce, say, stopping)
    node.start()
    try:
        yield node
    finally:
        stopping.set()
        node.stop()


# rules


def _rules(arguments: Sequence[str]) -> int:
    from seawall.runtime import load, plan
    from seawall.runtime.load import examples

    parser = argparse.ArgumentParser("seawall runtime rules", description="Check, compile or test rule files.")
    parser.add_argument("what", choices=("check", "compile", "test"))
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files or folders; none: the packaged rules"
    )
    parser.add_argument("--output", choices=("text", "json"), default="text")
    wanted = parser.parse_intermixed_args(arguments)
    what, paths, output = wanted.what, wanted.paths, wanted.output
    compiled = load.compile_paths(paths, load.system()) if paths else load.compile_paths([load.RULES])
    if what == "compile":
        _errors(compiled)
        print(json.dumps(plan.encode(compiled.plan), ensure_ascii=False))
        return 2 if compiled.errors else 0
    failures = list(examples.failures(compiled, paths)) if what == "test" else []
    own = [rule for rule in compiled.plan.rules if not paths or _is_under(compiled.rules[rule.id].file, paths)]
    if output == "json":
        found = {
            "rules": [_told(rule, compiled) for rule in own],
            "macros": sorted(compiled.macros),
            "lists": sorted(compiled.lists),
            "errors": [asdict(error) for error in compiled.errors],
            "warnings": [asdict(warning) for warning in compiled.warnings],
            "skipped": [asdict(rule) for rule in compiled.skipped],
            **({"failures": [asdict(failure) for failure in failures]} if what == "test" else {}),
        }
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        _errors(compiled)
        for warning in compiled.warnings:
            print(f"{warning.file}:{warning.line}: {warning.rule}: warning: {warning.message}", file=sys.stderr)
        for failure in failures:
            print(f"{failure.file}:{failure.line}: {failure.rule}: {failure.message}")
        skipped = f", {len(compiled.skipped)} left out" if compiled.skipped else ""
        proven = f", {examples.counted(compiled, paths)} proven by examples" if what == "test" else ""
        print(
            f"{len(own)} rules{skipped}, {len(compiled.errors)} errors, "
            f"{len(compiled.warnings)} warnings, {len(failures)} failures{proven}",
            file=sys.stderr,
        )
    return 2 if compiled.errors else int(bool(failures))


def _told(rule: "Rule", compiled: "Compiled") -> dict[str, Any]:
    told = {"id": rule.id, "category": rule.category, "severity": rule.severity, "action": rule.action}
    place = compiled.rules[rule.id]
    return told | {
        "kinds": list(rule.kinds),
        "enabled": rule.enabled,
        "source": rule.source,
        "file": place.file,
        "line": place.line,
    }


def _errors(compiled: "Compiled") -> None:
    for error in compiled.errors:
        print(f"{error.file}:{error.line}: {error.rule}: {error.message}", file=sys.stderr)


def _is_under(file: str, paths: Iterable[Path]) -> bool:
    return any(Path(file) == path or path in Path(file).parents for path in paths)


# simulate


def _simulate(arguments: Sequence[str]) -> int:
    from seawall.node.docker import Docker
    from seawall.runtime.simulate import catalog, stage

    parser = argparse.ArgumentParser(
        "seawall runtime simulate", description="Run harmless attacks and show which rule caught each."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; none: all")
    parser.add_argument("--list", action="store_true", help="show what there is")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--state", type=Path, default=state_dir(), help="folder of the server's state")
    parser.add_argument("--local", action="store_true", help="own sensor, even if a server runs here")
    wanted = parser.parse_intermixed_args(arguments)
    chosen = catalog.choose(wanted.names)
    if wanted.list:
        for simulation in chosen:
            print(f"{simulation.name:22} {simulation.rule:24} {simulation.title}")
        return 0
    if os.geteuid() != 0:
        raise SeawallError(
            "simulations need root: they start containers and read events", "sudo seawall runtime simulate"
        )
    docker = Docker()
    docker.version()
    with _alerts(wanted.state, wanted.local) as seen, stage.stage(docker) as built:
        scenes = [_started(built, simulation) for simulation in chosen]
        built.wait(scenes)
        deadline = time.monotonic() + PATIENCE
        while not all(_catch(scene, seen()) for scene in scenes) and time.monotonic() < deadline:
            time.sleep(0.3)
        alerts = seen()
        rows = [_row(scene, alerts, "" if scene.exit_code == 0 else built.said(scene)) for scene in scenes]
    if wanted.output == "json":
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        _table(rows)
    missed = [row["name"] for row in rows if not row["caught"]]
    print(f"{len(rows) - len(missed)} of {len(rows)} caught", file=sys.stderr)
    return 1 if missed else 0


def _started(built: Any, simulation: "Simulation") -> "Scene":
    print(f"  {simulation.name}: {simulation.title}", file=sys.stderr)
    scene: Scene = built.start(simulation)
    return scene


def _catch(scene: "Scene", alerts: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    for alert in alerts:
        if alert["rule"] == scene.simulation.rule and alert["container"].get("id") == scene.container:
            return alert
    return None


def _row(scene: "Scene", alerts: list[dict[str, Any]], said: str) -> dict[str, Any]:
    caught = _catch(scene, alerts)
    others = {alert["rule"] for alert in alerts if alert["container"].get("id") == scene.container}
    return {
        "name": scene.simulation.name,
        "what": scene.simulation.title,
        "expected": scene.simulation.rule,
        "caught": caught is not None,
        "severity": caught["severity"] if caught else "",
        "result": caught["result"] if caught else "",
        "also": sorted(others - {scene.simulation.rule}),
        "exit_code": scene.exit_code,
        "said": said,
    }


def _table(rows: list[dict[str, Any]]) -> None:
    print(f"{'':2}{'simulation':22}{'expected':26}{'came':10}{'result':21}also")
    for row in rows:
        came = row["severity"] or "nothing"
        print(
            f"{'✓' if row['caught'] else '✗'} {row['name']:22}{row['expected']:26}{came:10}{row['result']:21}"
            f"{', '.join(row['also'])}"
        )
        if not row["caught"] and row["said"]:
            print(f"    its container ended with {row['exit_code']}: {row['said']}")


@contextmanager
def _alerts(state: Path, own: bool) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Where the alerts are read: the server that runs for this host, else a sensor of our own."""
    from seawall.agent import local
    from seawall.core import clock

    server = None
    if not own:
        try:
            server = local.load(state.absolute())
            server.call("GET", "/healthz")
        except SeawallError as error:
            print(f"no server for this host ({error}); using a sensor of our own", file=sys.stderr)
            server = None
    if server is not None:
        since = clock.now()
        found = server
        yield lambda: found.call("GET", f"/api/v1/alerts?limit=500&since={since}")["items"]
        return
    seen: list[dict[str, Any]] = []
    stopping = threading.Event()
    with _sensor(_plan([]), False, seen.append, stopping) as node:
        loop = threading.Thread(target=node.run)
        loop.start()
        try:
            yield lambda: list(seen)
        finally:
            stopping.set()
            loop.join(5)
