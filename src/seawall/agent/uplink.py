"""The way up: batches from the spool, one at a time, each kept until the server has acknowledged it.

Runs in a thread of its own. Alerts are sent at once, the rest at the interval the server asks for. A server that is
away, slow, or answers rubbish costs waiting time, never an item.
"""

import json
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from seawall.agent.backoff import Backoff
from seawall.agent.problems import Problems
from seawall.agent.spool import Outgoing, Spool
from seawall.core import envelope
from seawall.core.clock import now
from seawall.core.envelope import KINDS, Reply
from seawall.core.errors import Hostile, SeawallError
from seawall.node.http import Answer, Connection

MAX_REPLY = 1 << 20
MAX_CONFIG = 8 << 20
URGENT_GAP = 0.04
"""Seconds between two urgent batches: a flood of alerts shares batches, and each still leaves within 50 ms."""

SHED = {0: KINDS, 1: KINDS, 2: ("alert", "heartbeat", "order")}
"""What is sent at each shed level; at level 1 process and port snapshots are not even taken."""


class Refused(SeawallError):
    """The server answered, and not with what was asked for."""

    def __init__(self, status: int, message: str, retry_after: float = 0.0, item: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.item = item


class Uplink:
    """`dial` opens a verified connection; `on_reply` and `on_config` are called in the uplink's thread."""

    def __init__(
        self,
        spool: Spool,
        dial: Callable[[], Connection],
        problems: Problems,
        *,
        on_reply: Callable[[Reply], None],
        on_config: Callable[[dict[str, Any]], None],
    ) -> None:
        self._spool = spool
        self._dial = dial
        self._problems = problems
        self._on_reply = on_reply
        self._on_config = on_config
        self._connection: Connection | None = None
        self._backoff = Backoff()
        self._urgent = threading.Event()
        self._stopping = False
        self.reply = Reply(ack=0, interval=1.0)
        """The server's last word."""
        self.config_version = ""
        """Of the configuration that was taken, or refused: it is not fetched again."""
        self.contact_at = 0.0
        """Seconds since the epoch of the last good answer."""

    def wake(self) -> None:
        """Something urgent lies in the spool."""
        self._urgent.set()

    def stop(self) -> None:
        """Let `run` end soon; a call under way is cut off."""
        self._stopping = True
        self._urgent.set()
        if self._connection is not None:
            self._connection.shutdown()

    def reconnect(self) -> None:
        """Use the new certificate from the next call on."""
        self._close()

    def run(self) -> None:
        """The thread's body."""
        while not self._stopping:
            began = time.monotonic()
            wait = self.step()
            if wait < 0:  # failed: alerts wait too
                self._sleep(-wait)
            elif wait > 0:
                self._urgent.wait(wait)
                pause = began + URGENT_GAP - time.monotonic()
                if self._urgent.is_set() and pause > 0:
                    self._sleep(pause)
        self._close()

    def step(self) -> float:
        """Send one batch if there is one. Seconds to wait before the next; negative after a failure."""
        self._urgent.clear()
        batch = self._spool.begin(self.reply.max_items, kinds=SHED[self.reply.shed])
        if batch is None:
            return self.reply.interval
        try:
            self._send(batch)
            full = batch.items >= self.reply.max_items
        except Refused as error:
            if error.status in (413, 422):
                self._spool.refuse(error.item)
                self._problems.say("refused", f"the server will not take an item: {error}")
                return 0.0
            return -self._failed(error, error.retry_after)
        except (SeawallError, OSError) as error:
            return -self._failed(error)
        self._backoff.succeeded()
        self._problems.clear("server")
        return 0.0 if full and self.reply.shed == 0 else self.reply.interval

    def _send(self, batch: Outgoing) -> None:
        body = envelope.pack(batch.instance, batch.seq, now(), self._spool.payloads(batch))
        headers = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
        reply = read_reply(self._call("POST", "/v1/agent/batch", body, headers, MAX_REPLY))
        if reply.ack < batch.seq:
            raise Hostile(f"the server acknowledges {reply.ack} when it was sent {batch.seq}")
        self._spool.acknowledge()
        self.reply = reply
        self.contact_at = time.time()
        self._on_reply(reply)
        if reply.config_version and reply.config_version != self.config_version:
            config = self._call("GET", "/v1/agent/config", None, {}, MAX_CONFIG)
            self.config_version = reply.config_version
            self._on_config(config)

    def _call(self, method: str, path: str, body: bytes | None, headers: dict[str, str], limit: int) -> dict[str, Any]:
        """One JSON call. A kept connection that the server has closed meanwhile is replaced once, unseen."""
        kept = self._connection is not None
        try:
            return self._exchange(method, path, body, headers, limit)
        except (ConnectionError, TimeoutError, OSError) as error:
            self._close()
            if not kept or isinstance(error, TimeoutError):
                raise
        except Hostile:
            self._close()
            raise
        return self._exchange(method, path, body, headers, limit)

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], limit: int
    ) -> dict[str, Any]:
        if self._connection is None:
            self._connection = self._dial()
        answer = self._connection.request(method, path, body, headers, timeout=30, total=60)
        value = read_json(answer, limit)
        if not answer.drained or answer.headers.get("connection", "").lower() == "close":
            self._close()
        return value

    def _failed(self, error: Exception, asked: float = 0.0) -> float:
        self._close()
        text = str(error)
        if isinstance(error, Refused) and error.status in (401, 403):
            text += " (enrol this agent again?)"
        self._problems.say("server", text)
        return self._backoff.failed(asked)

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def read_json(answer: Answer, limit: int) -> dict[str, Any]:
    """The JSON object of a 200. Raises Refused for any other status, Hostile for what is too large or no object."""
    body = answer.read(limit + 1)
    if len(body) > limit:
        raise Hostile(f"the server's answer is over {limit} bytes")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if answer.status != 200:
        found = value if isinstance(value, dict) else {}
        text = str(found.get("error") or body[:120].decode("utf-8", "replace").strip() or "no reason given")
        after, item = answer.headers.get("retry-after", ""), found.get("item")
        raise Refused(
            answer.status,
            f"{answer.status}: {text}"[:400],
            float(after) if after.isdigit() and len(after) < 6 else 0.0,
            item if isinstance(item, int) and not isinstance(item, bool) else None,
        )
    if not isinstance(value, dict):
        raise Hostile(f"the server's answer is not a JSON object: {body[:60]!r}")
    return value


def read_reply(value: dict[str, Any]) -> Reply:
    """A batch's reply with every number in its bounds. Raises Hostile when `ack` is missing."""
    ack = value.get("ack")
    if not isinstance(ack, int) or isinstance(ack, bool):
        raise Hostile(f"the server's answer has no `ack`: {str(value)[:80]}")
    resync, orders = value.get("resync"), value.get("orders")
    return Reply(
        ack=ack,
        interval=_number(value.get("interval"), 5.0, 0.2, 600.0),
        max_items=int(_number(value.get("max_items"), 500, 1, 2000)),
        shed=int(_number(value.get("shed"), 0, 0, 2)),
        config_version=str(value.get("config_version") or "")[:128],
        resync=[str(kind) for kind in resync[:20]] if isinstance(resync, list) else [],
        orders=[order for order in orders[:100] if isinstance(order, dict)] if isinstance(orders, list) else [],
    )


def _number(value: Any, default: float, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return default
    return min(max(float(value), least), most)
