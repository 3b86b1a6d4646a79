"""The resident agent, put together: `main` runs it in the foreground until it is told to stop.

Threads: the main loop (sensor, judge, response, timers), uplink, orders, survey, Docker's events; errands when there
are any. Everything that touches the sensor happens in the main loop; other threads hand it work with `call`.
"""

import fcntl
import gc
import json
import os
import select
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seawall import __version__
from seawall.agent import automatic, tls
from seawall.agent import settings as configuration
from seawall.agent.errands import ERRANDS, RESPONSES, Errands, probe
from seawall.agent.governor import Governor, resident
from seawall.agent.identity import Home, Identity, write
from seawall.agent.limits import BLIND, MAX_RSS, Degrade, decide, relieved
from seawall.agent.orders import Orders
from seawall.agent.problems import Problems, log
from seawall.agent.response import Kept
from seawall.agent.settings import Settings
from seawall.agent.spool import Spool
from seawall.agent.survey import Survey
from seawall.agent.timers import Timer
from seawall.agent.uplink import Uplink
from seawall.agent.watch import AT_ONCE, Watch
from seawall.core.clock import parse_time
from seawall.core.envelope import Reply
from seawall.core.errors import SeawallError
from seawall.node.docker import Docker
from seawall.node.http import Connection
from seawall.runtime.collect.recorder import FOLDER as RECORDING
from seawall.runtime.collect.recorder import Recorder
from seawall.runtime.model import Container

GOVERN = 10.0
BREATH, LONG_BREATH = 0.004, 0.015
"""Seconds the loop rests after events, so that a stream of them is read in handfuls: 250 wake-ups a second at most, and
66 where nothing is to be stopped, only to be told."""
RENEW_CHECK = 600.0
PROBE_AGAIN = 3600.0
"""Seconds between two looks at which means of response work here."""
SURPLUS = 2 * MAX_RSS
"""Bytes of resident memory at which the agent starts itself anew: nothing it holds is needed that is not on disk."""
LOOKED_FOR = frozenset({"containers", "images"})
"""Kinds of snapshots that are sent at once; they are taken at most once a second."""
USUAL_INTERVAL = 5.0
"""Seconds between batches that a server asks for when all is well."""


class Agent:
    """One life of the agent of one node."""

    def __init__(self, home: Home, identity: Identity) -> None:
        self._home = home
        self._identity = identity
        self._problems = Problems()
        self._spool = Spool(home.spool)
        self._degrade = Degrade()
        self._governor = Governor()
        self._cpu = Governor()
        self._second = Governor()
        self._born = time.monotonic()
        self._work: deque[Callable[[], None]] = deque()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._heart = Timer(lambda: self._interval("heartbeat"), self._beat, first=1.0)
        self._stopping = False
        self._restart = False
        self._renewing = 0
        self._last_beat: dict[str, Any] = {}
        self._noted_contact = False
        self._settings, complaint = configuration.first(home.config)
        if complaint:
            self._problems.say("configuration", complaint)
        recorded = os.environ.get("SEAWALL_RECORDING", "on") != "off"
        self._watch = Watch(self._alert, self._problems, Recorder(home.folder / RECORDING) if recorded else None)
        self._errands = Errands(self._spool.put_json, home.folder)
        self._responses = Errands(self._urgent, home.folder, self._responded)
        self._watch.response.keep(Kept(home.folder))
        self._survey = Survey(
            Docker(),
            self._snapshot,
            lambda container: self.call(lambda: self._know(container)),
            lambda container_id: self.call(lambda: self._watch.forget(container_id)),
            self._problems,
        )
        self._orders = Orders(
            self._dial, self._on_order, lambda: self._uplink.config_version, lambda: self.call(self._fetch)
        )
        self._uplink = Uplink(
            self._spool, self._dial, self._problems, on_reply=self._on_reply, on_config=self._on_config
        )
        if self._settings is not None:
            self._uplink.config_version = self._settings.version

    def run(self) -> bool:
        """Until `stop`. True when the agent wants to be started anew."""
        log(f"agent {self._identity.agent_id} {__version__} reports to {self._identity.gateway}")
        bodies = {
            "uplink": self._uplink.run,
            "orders": self._orders.run,
            "survey": self._survey.run,
            "docker": self._survey.listen,
        }
        if self._settings is not None:
            self._survey.configure(dict(self._settings.intervals), 0, 0)
            self._watch.start(self._settings)
        else:
            self._problems.say("sensor", "there is no runtime plan yet")
        for name, body in bodies.items():
            threading.Thread(target=_guarded(name, body, self._problems), name=name, daemon=True).start()
        gc.collect()
        gc.freeze()
        try:
            self._loop()
        finally:
            self._close()
        return self._restart

    def stop(self) -> None:
        """End soon; safe in a signal handler."""
        self._stopping = True
        os.eventfd_write(self._bell, 1)

    def call(self, work: Callable[[], None]) -> None:
        """Do this in the main loop, soon."""
        self._work.append(work)
        os.eventfd_write(self._bell, 1)

    def _loop(self) -> None:
        timers = [
            Timer(1.0, self._tick),
            Timer(GOVERN, self._govern, first=GOVERN),
            self._heart,
            Timer(RENEW_CHECK, self._renew),
            Timer(PROBE_AGAIN, self._probe, first=2.0),
        ]
        poller = select.poll()
        poller.register(self._bell, select.POLLIN)
        watched, rest = -1, 0.0
        while not self._stopping:
            if watched != self._watch.fileno():
                watched = _swap(poller, watched, self._watch.fileno())
            ready = poller.poll(max(0.0, min(min(timer.at for timer in timers) - time.monotonic(), rest)) * 1000)
            self._do_work()
            events = self._watch.handle()
            now = time.monotonic()
            for timer in timers:
                self._run(timer, now)
            if ready and events < AT_ONCE:
                time.sleep(BREATH if self._settings is None or self._settings.enforce else LONG_BREATH)
            rest = self._watch.rest(events)

    def _run(self, timer: Timer, now: float) -> None:
        try:
            timer.run(now)
        except Exception as error:
            # What nobody thought of is said, and costs this one turn: the loop is what watches the node.
            self._problems.say("agent", f"a part of the agent failed: {error!r}")

    def _do_work(self) -> None:
        try:
            os.eventfd_read(self._bell)
        except BlockingIOError:
            return
        while self._work:
            work = self._work.popleft()
            try:
                work()
            except Exception as error:
                self._problems.say("agent", f"a part of the agent failed: {error!r}")

    def _close(self) -> None:
        self._errands.stop()
        self._responses.stop()
        self._orders.stop()
        self._survey.stop()
        self._watch.stop()
        self._uplink.wake()
        time.sleep(0.2)  # a last batch, if the server is there; else the spool keeps it
        self._uplink.stop()
        self._spool.close()

    # From and to the other threads

    def _dial(self) -> Connection:
        return tls.dial(tls.peer(self._identity.gateway), self._home.context())

    def _alert(self, alert: dict[str, Any]) -> None:
        self._say(alert)
        if self._settings is not None and self._settings.quarantine_malware:
            args = automatic.order_for(alert)
            if args is not None:
                self._responses.take({"id": "", "kind": "response.file", "args": args, "alert": alert})

    def _say(self, alert: dict[str, Any]) -> None:
        self._spool.put("alert", alert)
        self._uplink.wake()

    def _snapshot(self, item: dict[str, Any]) -> None:
        """Somebody may be looking for a container that just came; a server that is busy asked for longer intervals."""
        self._spool.put("snapshot", item)
        if item["kind"] in LOOKED_FOR and self._uplink.reply.interval <= USUAL_INTERVAL:
            self._uplink.wake()

    def _on_reply(self, reply: Reply) -> None:
        if reply.resync:
            self._survey.refresh(reply.resync, whole=True)
        for order in reply.orders:
            self._orders.take(order)
        self._survey.configure({}, self._degrade.step, reply.shed)

    def _on_config(self, value: dict[str, Any]) -> None:
        text = configuration.written(value)
        value.clear()  # before anything is made of it: what stays shall not lie between what goes
        try:
            found = configuration.read(text)
        except SeawallError as error:
            self._problems.say("configuration", f"the server's configuration is refused: {error}")
            self.call(self._heart.now)
            return
        try:
            configuration.keep(self._home.config, text)
        except OSError as error:
            log(f"the configuration cannot be kept on disk: {error}")
        self._problems.clear("configuration")
        self.call(lambda: self._apply(found))

    def _on_order(self, order: dict[str, Any]) -> None:
        if order["kind"] == "assets.refresh":
            kinds = order["args"].get("kinds")
            self._survey.refresh(kinds if isinstance(kinds, list) else ())
            self._spool.put("order", {"id": order["id"], "state": "done", "progress": 1.0, "message": "", "error": ""})
        elif order["kind"] in RESPONSES:
            self._responses.take(order)
        else:
            self._errands.take(order)
        self._uplink.wake()

    def _responded(self, order: dict[str, Any], result: dict[str, Any]) -> None:
        self.call(self._watch.response.reload)
        if "alert" in order:
            self.call(lambda: self._say(automatic.told(order["alert"], result)))

    def _urgent(self, kind: str, payload: bytes) -> None:
        """Somebody looks at the screen for what came of it."""
        self._spool.put_json(kind, payload)
        self._uplink.wake()

    def _know(self, container: Container) -> None:
        """Who a container is. One that was isolated is so again when it has started anew."""
        self._watch.know(container)
        if self._watch.response.must_isolate(container):
            args = {"action": "isolate", "container": container.id}
            self._responses.take({"id": "", "kind": "response.container", "args": args})

    # Timers

    def _apply(self, found: Settings) -> None:
        self._settings = found
        self._survey.configure(dict(found.intervals), self._degrade.step, self._uplink.reply.shed)
        self._watch.apply(found, self._degrade.step)
        self._heart.now()
        gc.collect()

    def _interval(self, name: str) -> float:
        intervals = self._settings.intervals if self._settings else configuration.INTERVALS
        return float(intervals.get(name, configuration.INTERVALS.get(name, 60)))

    def _tick(self) -> None:
        self._watch.tick(time.time())
        if self._degrade.step >= BLIND:
            self._move(relieved(self._degrade, self._second.read()))
        if self._last_beat and not self._noted_contact and self._uplink.contact_at:
            self._note_status()
        if self._renewing:
            self._reap()

    def _govern(self) -> None:
        reading = self._governor.read()
        if reading.rss > SURPLUS:
            log(f"{reading.rss >> 20} MB of memory used: starting anew")
            self._restart = self._stopping = True
        self._move(decide(self._degrade, reading))

    def _move(self, to: Degrade) -> None:
        """To another step of the ladder, if it is another."""
        before, self._degrade = self._degrade, to
        step = to.step
        if before.step == step:
            return
        self._second.read()
        log(f"step {step} of 4: {self._degrade.reason or 'everything is on again'}")
        self._errands.pause(step >= 1)
        self._survey.configure({}, step, self._uplink.reply.shed)
        if self._settings is not None:
            self._watch.apply(self._settings, step)
        self._heart.now()

    def _beat(self) -> None:
        self._last_beat = self._heartbeat()
        # Only the newest heartbeat is kept while the server is away: these counts wait in the engine until it is back.
        if time.time() - self._uplink.contact_at < 2 * self._interval("heartbeat"):
            self._last_beat["silenced"] = self._watch.silenced()
        self._spool.put("heartbeat", self._last_beat)
        for item in self._watch.learned():
            self._spool.put("profile", item)
        self._note_status()

    def _fetch(self) -> None:
        """The server has another configuration: the reply to a heartbeat brings it."""
        self._beat()
        self._uplink.wake()

    def _note_status(self) -> None:
        """The newest heartbeat for `seawall agent status` and `seawall up`, beside when the server last answered."""
        self._noted_contact = self._uplink.contact_at > 0
        status = {"pid": os.getpid(), "contact_at": self._uplink.contact_at, **self._last_beat}
        try:
            write(self._home.status, json.dumps(status))
        except OSError:
            return  # a full disk is in the heartbeat already, by the spool

    def _heartbeat(self) -> dict[str, Any]:
        host = self._survey.host
        return {
            "version": __version__,
            "host": {"id": host.get("id", ""), "name": host.get("name") or os.uname().nodename},
            "uptime": round(time.monotonic() - self._born, 1),
            "cpu": round(self._cpu.read().cpu, 4),
            "rss": resident(),
            "degrade": self._degrade.step,
            "degrade_reason": self._degrade.reason,
            "sensor": self._watch.counters(),
            "samples": self._watch.samples(),
            "protection": self._watch.protection(),
            "spool": self._spool.status(),
            "capabilities": {
                "enforce": bool(self._settings and self._settings.enforce and self._watch.on),
                "sensor": self._watch.on,
                "orders": ["assets.refresh", *ERRANDS],
            },
            "plan_version": self._settings.plan.version if self._settings else "",
            "config_version": self._settings.version if self._settings else "",
            "certificate_expires_at": self._identity.expires_at,
            "runtimes": [
                {key: runtime.get(key) for key in ("name", "reachable", "error")}
                for runtime in host.get("runtimes", ())
            ],
            "errors": self._problems.texts(),
        }

    def _probe(self) -> None:
        def found(means: dict[str, str]) -> None:
            self._watch.response.probed = means
            self.call(self._heart.now)

        probe(found, lambda why: self._problems.say("response", f"its means cannot be tried: {why}"))

    def _renew(self) -> None:
        """Start a child that buys the next certificate, when two thirds of this one's life are over."""
        if self._renewing or time.time() < self._identity.renew_at():
            return
        state = str(self._home.folder.parent)
        command = [sys.executable, "-s", "-P", "-m", "seawall.agent.enrol", state]
        self._renewing = os.posix_spawn(sys.executable, command, os.environ)

    def _reap(self) -> None:
        pid, status = os.waitpid(self._renewing, os.WNOHANG)
        if not pid:
            return
        self._renewing = 0
        if os.waitstatus_to_exitcode(status):
            left = (parse_time(self._identity.expires_at) - time.time()) / 86400
            self._problems.say("certificate", f"cannot be renewed; it ends in {left:.1f} days (the log has the reason)")
            return
        self._problems.clear("certificate")
        self._identity = self._home.identity() or self._identity
        self._uplink.reconnect()


def _swap(poller: select.poll, old: int, new: int) -> int:
    if old >= 0:
        poller.unregister(old)
    if new >= 0:
        poller.register(new, select.POLLIN)
    return new


def _guarded(name: str, body: Callable[[], None], problems: Problems) -> Callable[[], None]:
    """A thread that dies of something nobody thought of is said, and begun again after a while."""

    def run() -> None:
        while True:
            try:
                body()
                return
            except Exception as error:
                problems.say(name, f"a part of the agent failed and begins anew: {error!r}")
                time.sleep(10)

    return run


def lock(home: Home) -> int:
    """Hold the folder for this process. Raises SeawallError when another agent has it."""
    home.folder.mkdir(0o700, parents=True, exist_ok=True)
    descriptor = os.open(home.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise SeawallError(f"an agent runs on {home.folder} already (pid {holder})", "seawall agent status") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def main(state: Path) -> int:
    """Run until SIGTERM or SIGINT. Raises SeawallError when the agent is not enrolled or runs already."""
    home = Home(state)
    identity = home.identity()
    if identity is None:
        raise SeawallError(f"no agent is enrolled in {state}", "seawall agent enroll --help, or seawall up")
    threading.stack_size(512 << 10)
    os.environ["SEAWALL_AGENT_PID"] = str(os.getpid())
    held = lock(home)
    with open("/proc/self/comm", "w") as file:
        file.write("seawall-agent")
    agent = Agent(home, identity)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    try:
        anew = agent.run()
    finally:
        os.close(held)
    if anew:
        os.execv(sys.executable, sys.orig_argv)
    return 0
