"""A real server as a process of its own on free ports, and an enrolled agent that speaks to it by hand."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from seawall.core import envelope
from seawall.core.clock import now
from seawall.core.envelope import Batch, Item
from seawall.core.ids import new_id


class Served:
    """`seawall server run` over a state folder. Ports stay the same when it is started again."""

    def __init__(self, state: Path, **settings: object) -> None:
        self.state = state
        self.port, self.gateway_port = free_port(), free_port()
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.log = state / "test.log"

    def start(self, seconds: float = 30.0) -> "Served":
        self.state.mkdir(parents=True, exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SEAWALL_")}
        environment |= {f"SEAWALL_{key.upper()}": str(value) for key, value in self.settings.items()}
        command = [
            sys.executable,
            "-m",
            "seawall",
            "server",
            "run",
            "--state",
            str(self.state),
            "--listen",
            "127.0.0.1",
        ]
        command += ["--port", str(self.port), "--gateway-port", str(self.gateway_port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self.until(self._healthy, seconds)
        return self

    def stop(self, number: int = signal.SIGTERM, seconds: float = 10.0) -> float:
        """End the process; how long that took."""
        if self.process is None:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(seconds)
        self.process = None
        return time.monotonic() - began

    def until(self, what: Callable[[], Any], seconds: float = 10.0) -> Any:
        """What the call answers as soon as it is true."""
        end = time.monotonic() + seconds
        while not (found := what()):
            assert self.process is None or self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < end, f"waited {seconds} s; the log ends: {self.log.read_text()[-2000:]}"
            time.sleep(0.05)
        return found

    def command(self, *words: str) -> str:
        """A `seawall` command on this state; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "seawall", *words, "--state", str(self.state)],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def call(
        self, method: str, path: str, body: Any = None, token: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON (or text) and headers of one call on the API door."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.trust())
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            content = answer.read()
            plain = content and "application/json" in answer.headers.get("content-type", "")
            return answer.status, json.loads(content) if plain else content.decode(), dict(answer.headers)
        finally:
            connection.close()

    def get(self, path: str, token: str) -> Any:
        """The JSON of a call that must be right."""
        status, value, _ = self.call("GET", f"/api/v1{path}", token=token)
        assert status == 200, (path, status, value)
        return value

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.state / "ca" / "ca.crt"))

    def enrolment_token(self, token: str, uses: int = 1, hours: float = 1) -> str:
        body = {"ttl_hours": hours, "uses": uses}
        status, made, _ = self.call("POST", "/api/v1/agents/enrolment-tokens", body, token)
        assert status == 201, made
        return str(made["token"])

    def _healthy(self) -> bool:
        try:
            return self.call("GET", "/healthz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False


class Enrolled:
    """An agent with a certificate of its own."""

    def __init__(self, served: Served, token: str, hostname: str = "node-1", host_id: str = "host-1") -> None:
        self.served = served
        self.folder = served.state / f"peer-{new_id()}"
        self.folder.mkdir()
        self.key = ec.generate_private_key(ec.SECP256R1())
        body = {"token": token, "csr": csr(self.key), "hostname": hostname, "host_id": host_id, "version": "0.1.0"}
        status, self.answer, _ = served.call("POST", "/v1/agent/enroll", body)
        assert status == 200, self.answer
        self.id = self.answer["agent_id"]
        self.context = self._context()
        self.instance, self.seq = new_id(), 0

    def call(self, method: str, path: str, body: bytes | None = None, timeout: float = 30) -> tuple[int, Any]:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.served.gateway_port, timeout=timeout, context=self.context
        )
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        finally:
            connection.close()

    def send(self, *items: tuple[str, dict[str, Any]], instance: str = "", seq: int = 0) -> Any:
        """Send a batch and demand that it is taken; the reply."""
        if not seq:
            self.seq += 1
        batch = Batch(instance or self.instance, seq or self.seq, now(), [Item(kind, data) for kind, data in items])
        status, reply = self.call("POST", "/v1/agent/batch", envelope.encode(batch))
        assert status == 200, (status, reply)
        return reply

    def _context(self) -> ssl.SSLContext:
        certificate, key = self.folder / "agent.crt", self.folder / "agent.key"
        certificate.write_text(self.answer["certificate"])
        key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = self.served.trust()
        context.load_cert_chain(certificate, key)
        return context


def csr(key: ec.EllipticCurvePrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "whoever")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def alert(key: str = "", **fields: Any) -> tuple[str, dict[str, Any]]:
    """An alert item; its key makes it the same as another, or not."""
    name = new_id("alert")
    moment = now()
    return "alert", {
        "schema": "seawall.alert/1",
        "id": name,
        "time": moment,
        "first_seen": moment,
        "last_seen": moment,
        "rule": "reverse-shell",
        "title": "A shell talks to a socket",
        "category": "reverse_shell",
        "severity": "critical",
        "action": "alert",
        "result": "none",
        "container": {"id": "c" * 64, "name": "web"},
        "process": {"pid": 7, "exe": "/bin/bash"},
        "ancestors": [],
        "evidence": {},
        "key": key or name,
        "count": 1,
        "mitre": [],
        **fields,
    }


def heartbeat(**fields: Any) -> tuple[str, dict[str, Any]]:
    """A heartbeat item of a well agent."""
    sensor = {"state": "on", "reason": "", "programs": ["exec"], "events": 1, "dropped": {"critical": 0, "bulk": 2}}
    beat = {
        "version": "0.1.0",
        "host": {"id": "host-1", "name": "node-1"},
        "uptime": 3,
        "cpu": 0.01,
        "rss": 24 << 20,
        "degrade": 0,
        "degrade_reason": "",
        "sensor": sensor,
        "spool": {"items": 0, "bytes": 0, "dropped": {"snapshot": 1}},
        "capabilities": {"enforce": False},
        "plan_version": "",
        "runtimes": [],
        "errors": [],
    }
    return "heartbeat", beat | fields


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
