"""The way down: a long poll for orders, in a thread of its own, so that a person's click arrives within a second."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from seawall.agent.backoff import Backoff
from seawall.agent.uplink import read_json
from seawall.core.errors import SeawallError
from seawall.node.http import Connection

WAIT = 55
"""Seconds that the server holds the poll when there is nothing."""
MAX_ORDERS = 1 << 20
FETCHING = 1.0
"""Seconds in which another configuration is usually fetched: the poll would come back at once until then."""
REMEMBERED = 1000
"""Ids of orders that were taken: one that is handed out again is not carried out again."""


class Orders:
    """`on_order` is called once per order, in this thread or in the uplink's (orders may come with a reply).

    `version` tells the configuration that the agent has; `on_other` is called when the server has another.
    """

    def __init__(
        self,
        dial: Callable[[], Connection],
        on_order: Callable[[dict[str, Any]], None],
        version: Callable[[], str] = str,
        on_other: Callable[[], None] = lambda: None,
    ) -> None:
        self._dial = dial
        self._on_order = on_order
        self._version, self._on_other = version, on_other
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._connection: Connection | None = None

    def take(self, order: dict[str, Any]) -> None:
        """Pass an order on, unless it was taken before or is none."""
        name, kind, args = order.get("id"), order.get("kind"), order.get("args")
        if not isinstance(name, str) or not isinstance(kind, str) or not isinstance(args, dict):
            return
        with self._lock:
            if name in self._seen:
                return
            self._seen.append(name)
        self._on_order(order)

    def stop(self) -> None:
        """Let `run` end soon."""
        self._stop.set()
        if self._connection is not None:
            self._connection.shutdown()

    def run(self) -> None:
        """The thread's body. The uplink says when the server is away; here it is only waited for."""
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                self._poll()
                backoff.succeeded()
            except (SeawallError, OSError):
                self._close()
                self._stop.wait(backoff.failed())
        self._close()

    def _poll(self) -> None:
        if self._connection is None:
            self._connection = self._dial()
        has = self._version()
        path = f"/v1/agent/orders?wait={WAIT}&config={has}" if has.isalnum() else f"/v1/agent/orders?wait={WAIT}"
        answer = self._connection.request("GET", path, timeout=WAIT + 20, total=WAIT + 40)
        value = read_json(answer, MAX_ORDERS)
        orders, other = value.get("orders"), value.get("config_version") or has
        if not answer.drained or answer.headers.get("connection", "").lower() == "close":
            self._close()
        if not isinstance(orders, list):
            raise SeawallError("the server's answer has no orders")
        for order in orders:
            if isinstance(order, dict):
                self.take(order)
        if other != has:
            self._on_other()
            self._stop.wait(FETCHING)
        elif not orders:
            # A server that does not hold the poll must not be asked in a circle.
            self._stop.wait(0.2)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
