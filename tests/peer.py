"""A server as docs/reference/wire.md describes it, small, on real sockets; a test can make it lie, stall or die."""

import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from seawall.core import envelope
from seawall.core.clock import format_time
from seawall.core.envelope import Batch, Item
from seawall.server.ca import Authority, door_context

Lie = Callable[[str, bytes], tuple[int, bytes] | None]
"""(path, body) → another answer than the honest one, or None."""


class Peer:
    """Both doors on free ports. `items` holds what was stored, in order; `lie` changes answers."""

    def __init__(self, folder: Path, token: str = "good-token") -> None:
        self.authority = Authority(folder / "ca")
        self.token = token
        self.batches: list[Batch] = []
        self.seqs: dict[str, int] = {}
        self.lie: Lie | None = None
        self.reply: dict[str, Any] = {"interval": 0.2}
        self.config: dict[str, Any] = {}
        self.orders: list[dict[str, Any]] = []
        self.stored_at: dict[str, float] = {}
        self.agents = 0
        self.life = 30 * 86400.0
        self._lock = threading.Lock()
        self.door = self._open(0, None)
        self.gateway = self._open(0, folder / "ca" / "ca.crt")

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.door.server_port}"

    @property
    def items(self) -> list[Item]:
        with self._lock:
            return [item for batch in self.batches for item in batch.items]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [item.data for item in self.items if item.kind == kind]

    def wait(self, what: Callable[[], Any], seconds: float = 10.0) -> Any:
        """What the call answers as soon as it is true."""
        end = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < end, f"waited {seconds} s; have {[item.kind for item in self.items][-20:]}"
            time.sleep(0.02)
        return found

    def go_away(self) -> None:
        """The gateway door closes; its port stays remembered."""
        self.gateway.shutdown()
        self.gateway.server_close()

    def come_back(self) -> None:
        self.gateway = self._open(self.gateway.server_port, self.authority.folder / "ca.crt")

    def close(self) -> None:
        for door in (self.door, self.gateway):
            door.shutdown()
            door.server_close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if self.lie and (said := self.lie(path, body)):
            return said
        with self._lock:
            value = self._honest(method, path.partition("?")[0], body)
        if isinstance(value, str):
            return 200, value.encode()
        status = value.pop("status", 200)
        return status, json.dumps(value).encode()

    def _honest(self, method: str, path: str, body: bytes) -> Any:
        if path == "/v1/agent/ca":
            return self.authority.pem
        if path == "/v1/agent/enroll":
            wanted = json.loads(body)
            if wanted["token"] != self.token:
                return {"status": 403, "error": "the enrolment token is unknown"}
            self.agents += 1
            return self._certificate(wanted["csr"], f"agent-{self.agents}")
        if path == "/v1/agent/renew":
            return self._certificate(json.loads(body)["csr"], f"agent-{self.agents}")
        if path == "/v1/agent/batch":
            batch = envelope.decode(body)
            if batch.seq > self.seqs.get(batch.instance, 0):
                self.seqs[batch.instance] = batch.seq
                self.batches.append(batch)
                self.stored_at |= {item.data["id"]: time.time() for item in batch.items if "id" in item.data}
            return {"ack": batch.seq, "config_version": self.config.get("version", ""), **self.reply}
        if path == "/v1/agent/orders":
            orders, self.orders = self.orders, []
            return {"orders": orders}
        if path == "/v1/agent/config":
            return dict(self.config)
        return {"status": 404, "error": f"no {method} {path}"}

    def _certificate(self, csr: str, agent_id: str) -> dict[str, Any]:
        pem, _ = self.authority.sign_agent(csr, agent_id)
        return {
            "agent_id": agent_id,
            "certificate": pem,
            "ca": self.authority.pem,
            "gateway": f"https://127.0.0.1:{self.gateway.server_port}",
            "expires_at": format_time(time.time() + self.life),
        }

    def _open(self, port: int, client_ca: Path | None) -> ThreadingHTTPServer:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                status, body = peer.answer(self.command, self.path, self.rfile.read(length))
                if self.path.startswith("/v1/agent/orders") and status == 200 and body == b'{"orders": []}':
                    time.sleep(0.3)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                return

        class Door(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: Any) -> None:
                return

            def shutdown_request(self, request: Any) -> None:
                try:
                    super().shutdown_request(request)
                except OSError:
                    return

        door = Door(("127.0.0.1", port), Handler)
        certificate, key = self.authority.server_files(["127.0.0.1", "localhost"])
        context = door_context(certificate, key, client_ca)
        context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
        door.socket = context.wrap_socket(door.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=door.serve_forever, args=(0.05,), daemon=True).start()
        return door
