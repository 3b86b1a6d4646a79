"""Heavy work for an order, in a short-lived child of its own: one at a time, bounded, and never outliving the agent.

A child writes one JSON object a line on stdout: `{"progress": 0.4, "message": "…"}`, `{"item": {…}}` or, one that
carries out a response, `{"result": {…}}`. Items go to the spool as they are, without being parsed here: the resident
agent stays small whatever an image holds.
"""

import contextlib
import json
import os
import select
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.agent.child import HERE, URGENT
from seawall.agent.problems import log
from seawall.agent.segments import MAX_RECORD
from seawall.core.errors import Hostile, SeawallError

MAX_WAITING = 100
MAX_STDERR = 2000
MAX_ITEMS = 20_000
"""Items of one errand; 2,000 packages each would be an image of 40 million packages."""
MAX_ARGUMENTS = 1 << 14
_ITEM = b'{"item":'
_RESULT = b'{"result":'


@dataclass(frozen=True, slots=True)
class Errand:
    """How an order is carried out."""

    module: str
    """Started as `python -m MODULE ARGUMENTS…`."""
    arguments: tuple[str, ...]
    """Names of the order's arguments, in the order the module takes them. `order` is the order's id, `kind` its kind,
    `args` all its arguments as JSON, `home` the agent's folder."""
    item: str
    """The kind that its items have on the wire."""
    seconds: float
    memory: int
    """Bytes of address space."""
    urgent: bool = False
    """Somebody waits for it: it is not niced, and its module's `main` is called without another start."""
    input: bool = False
    """Whether all arguments go to the child's standard input as a JSON object: for what is no short text."""


_RESPONSE = Errand("seawall.runtime.respond.errand", ("kind", "args", "home"), "", 60, 512 << 20, urgent=True)
ERRANDS = {
    "image.inventory": Errand(
        "seawall.images.collect.errand", ("image_id", "name", "order", "args"), "inventory", 900, 1024 << 20
    ),
    "baseline.collect": Errand("seawall.baseline.collect.errand", ("benchmark", "run"), "facts", 300, 512 << 20),
    "runtime.replay": Errand("seawall.agent.replay", ("home",), "replay", 900, 512 << 20, input=True),
    "response.process": _RESPONSE,
    "response.container": _RESPONSE,
    "response.file": _RESPONSE,
}
"""One line per kind of order that needs a child."""
PROBE = Errand("seawall.runtime.respond.probe", (), "", 60, 512 << 20)
RESPONSES = frozenset(["response.process", "response.container", "response.file"])
"""Kinds that wait for nobody: they have a queue of their own, which is never paused."""


class Errands:
    """A queue with one worker thread that lives only while there is work. `say` puts an item into the spool.

    `ended` is called with an order and its result when it has been carried out, in the worker's thread.
    """

    def __init__(
        self,
        say: Callable[[str, bytes], None],
        home: Path = Path(),
        ended: Callable[[dict[str, Any], dict[str, Any]], None] | None = None,
    ) -> None:
        self._say = say
        self._home = home
        self._ended = ended
        self._waiting: deque[dict[str, Any]] = deque()
        self._lock = threading.Lock()
        self._running = False
        self._paused = False
        self._stopping = False
        self._child = 0

    def take(self, order: dict[str, Any]) -> None:
        """Queue an order of ours, or refuse it at once with the reason."""
        with self._lock:
            if order["kind"] not in ERRANDS:
                self._report(order, "failed", error=f"this agent knows no order {order['kind']!r}: upgrade it")
            elif len(self._waiting) >= MAX_WAITING:
                self._report(order, "failed", error=f"{MAX_WAITING} orders wait on this node already")
            else:
                waits = "waiting: the agent is saving the node's resources" if self._paused else ""
                self._report(order, "accepted", message=waits)
                self._waiting.append(order)
                self._start()

    def pause(self, paused: bool) -> None:
        """Start no further errand while paused; the one under way is niced and may end."""
        with self._lock:
            self._paused = paused
            self._start()

    def stop(self) -> None:
        """Kill the child and take no more."""
        with self._lock:
            self._stopping = True
            self._waiting.clear()
            if self._child:
                _kill(self._child)

    def _start(self) -> None:
        if self._waiting and not (self._running or self._paused or self._stopping):
            self._running = True
            threading.Thread(target=self._work, name="errands", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self._paused or self._stopping:
                    self._running = False
                    return
                order = self._waiting.popleft()
            try:
                items, result = self._carry_out(order, ERRANDS[order["kind"]])
                self._conclude(order, items, result)
            except (SeawallError, OSError) as error:
                if not self._stopping:
                    self._report(order, "failed", error=str(error))
                    if self._ended is not None:
                        self._ended(order, {"result": "failed", "reason": "failed", "message": str(error)})
                    log(f"order {order['kind']} failed: {error}")

    def _conclude(self, order: dict[str, Any], items: int, result: dict[str, Any]) -> None:
        if self._ended is not None:
            self._ended(order, result)
        if not result:
            self._report(order, "done", 1.0, f"{items} items")
        elif result.get("result") == "failed":
            self._report(order, "failed", error=str(result.get("message", "")), result=result)
        else:
            self._report(order, "done", 1.0, str(result.get("message", "")), result=result)

    def _argument(self, order: dict[str, Any], name: str) -> str:
        given = {"order": order["id"], "kind": order["kind"], "home": str(self._home)}
        value = json.dumps(order["args"]) if name == "args" else given.get(name) or order["args"].get(name)
        if not isinstance(value, str) or "\0" in value or len(value) > (MAX_ARGUMENTS if name == "args" else 4096):
            raise Hostile(f"the order's {name} is {str(value)[:60]!r}")
        return value

    def _carry_out(self, order: dict[str, Any], errand: Errand) -> tuple[int, dict[str, Any]]:
        """How many items it said, and its result if it has one."""
        arguments = [self._argument(order, name) for name in errand.arguments]
        result: dict[str, Any] = {}
        self._report(order, "running", 0.0)
        child = Child(errand, arguments, json.dumps(order["args"]) if errand.input else "")
        self._child = child.pid
        items = 0
        said_at = time.monotonic()
        try:
            for line in child.lines():
                if line.startswith(_ITEM) and line.endswith(b"}"):
                    items += 1
                    if items > MAX_ITEMS:
                        raise Hostile(f"the errand says more than {MAX_ITEMS} items")
                    self._say(errand.item, line[len(_ITEM) : -1].strip())
                elif line.startswith(_RESULT):
                    result = json.loads(line)["result"]
                elif time.monotonic() - said_at > 1.0:
                    said_at = time.monotonic()
                    self._progress(order, line)
            child.finish()
        finally:
            self._child = 0
            child.close()
        return items, result

    def _progress(self, order: dict[str, Any], line: bytes) -> None:
        try:
            value = json.loads(line)
            self._report(order, "running", float(value["progress"]), str(value.get("message", ""))[:300])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return  # not ours to show, and not worth failing for

    def _report(
        self,
        order: dict[str, Any],
        state: str,
        progress: float = 0.0,
        message: str = "",
        *,
        error: str = "",
        result: dict[str, Any] | None = None,
    ) -> None:
        if not order["id"]:
            return  # the agent's own errand: nobody waits for a report
        said = {"id": order["id"], "state": state, "progress": progress, "message": message, "error": error}
        if result is not None:
            said["result"] = result
        self._say("order", json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))


class Child:
    """One process with its output. It is niced, bounded and killed with its parent by child.py before it begins."""

    def __init__(self, errand: Errand, arguments: list[str], given: str = "") -> None:
        self._deadline = time.monotonic() + errand.seconds
        self._seconds = errand.seconds
        self._out, out = os.pipe()
        self._err, err = os.pipe()
        limits = [str(errand.memory), str(int(errand.seconds) + 5)]
        environment = os.environ | ({URGENT: HERE} if errand.urgent else {})
        command = [sys.executable, "-s", "-P", "-m", "seawall.agent.child", *limits, errand.module, *arguments]
        source = _readable(given)
        actions = [(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)]
        try:
            self.pid = os.posix_spawn(sys.executable, command, environment, file_actions=actions, setpgroup=0)
        except OSError:
            os.close(self._out)
            os.close(self._err)
            raise
        finally:
            os.close(source)
            os.close(out)
            os.close(err)
        self._ended = False
        self._said = b""

    def lines(self) -> Iterator[bytes]:
        """The lines of its output, each at most as long as a record of the spool. Raises SeawallError when late."""
        rest = bytearray()
        open_ends = {self._out, self._err}
        while open_ends:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise SeawallError(f"the errand was stopped after {self._seconds:.0f} s")
            for end in select.select(list(open_ends), [], [], min(left, 5.0))[0]:
                part = os.read(end, 1 << 16)
                if not part:
                    open_ends.discard(end)
                elif end == self._err:
                    self._said = (self._said + part)[-MAX_STDERR:]
                else:
                    *whole, last = part.split(b"\n")
                    for piece in whole:
                        line = bytes(rest + piece) if rest else piece
                        rest.clear()
                        if line:
                            yield line
                    rest += last
                    if len(rest) > MAX_RECORD:
                        raise Hostile(f"the errand wrote a line over {MAX_RECORD} bytes")

    def finish(self) -> None:
        """Wait for its end. Raises SeawallError with its last words when it failed."""
        while not self._ended and time.monotonic() < self._deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._ended = True
                code = os.waitstatus_to_exitcode(status)
                if code:
                    raise SeawallError(_why(code, self._said))
                return
            time.sleep(0.05)
        if not self._ended:
            raise SeawallError(f"the errand was stopped after {self._seconds:.0f} s")

    def close(self) -> None:
        """Kill it if it still runs, and let go of its pipes."""
        if not self._ended:
            _kill(self.pid)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            self._ended = True
        os.close(self._out)
        os.close(self._err)


def probe(found: Callable[[dict[str, str]], None], failed: Callable[[str], None]) -> None:
    """Look which means of response work here, in a child and a thread of its own; either is called in that thread."""

    def work() -> None:
        try:
            child = Child(PROBE, [])
            try:
                for line in child.lines():
                    found(json.loads(line))
                child.finish()
            finally:
                child.close()
        except (SeawallError, OSError, ValueError) as error:
            failed(str(error))

    threading.Thread(target=work, name="probe", daemon=True).start()


def _readable(text: str) -> int:
    """A descriptor from which the text can be read."""
    descriptor = os.memfd_create("errand")
    os.write(descriptor, text.encode("utf-8", "replace"))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _why(code: int, said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines else "no word"
    if code < 0:
        return f"the errand was killed by {signal.Signals(-code).name} ({last})"
    return last


def _kill(pid: int) -> None:
    """The child and all it started: it leads a process group of its own."""
    for target in (os.killpg, os.kill):
        try:
            target(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
