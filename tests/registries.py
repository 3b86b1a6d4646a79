"""Registries for tests: Debian's own on loopback with TLS and passwords, and one that lies, stalls and breaks off."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from archives import configuration, digest

Lie = Callable[["Handler"], bool]
"""Answers a call in its own way, and says so; False leaves it to the honest one."""
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Handler(BaseHTTPRequestHandler):
    """One call."""

    protocol_version = "HTTP/1.1"
    liar: "Liar"

    def do_GET(self) -> None:
        self.liar.calls.append((self.path, dict(self.headers)))
        if not self.liar.lie(self):
            self.honest()

    def do_POST(self) -> None:
        self.liar.calls.append((self.path, dict(self.headers)))
        if not self.liar.lie(self):
            self.send(405, b"")

    def honest(self) -> None:
        path = self.path.partition("?")[0]
        parts = path.split("/")
        if path == "/v2/":
            return self.send(200, b"{}")
        if path == "/v2/_catalog":
            return self.send(200, json.dumps({"repositories": ["app"]}).encode())
        if path.endswith("/tags/list"):
            return self.send(200, json.dumps({"tags": sorted(self.liar.tags)}).encode())
        name = self.liar.tags.get(parts[-1], parts[-1])
        data = self.liar.blobs.get(name)
        if data is None:
            return self.send(404, json.dumps({"errors": [{"code": "UNKNOWN", "message": "not here"}]}).encode())
        begin = 0
        if (asked := self.headers.get("Range")) is not None:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
        range_ = {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"} if begin else {}
        return self.send(206 if begin else 200, data[begin:], range_)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None) -> None:
        """`cut`: bytes after which the line breaks."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        pass


class Liar:
    """A registry in this process, without TLS unless a context is given."""

    def __init__(self, lie: Lie = lambda _: False, tls: ssl.SSLContext | None = None) -> None:
        self.lie = lie
        self.blobs: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.calls: list[tuple[str, dict[str, str]]] = []
        handler = type("Bound", (Handler,), {"liar": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, data: bytes) -> dict[str, Any]:
        """A blob; its descriptor."""
        self.blobs[digest(data)] = data
        return {"digest": digest(data), "size": len(data)}

    def image(self, layers: list[bytes], tag: str = "1", **more: Any) -> dict[str, Any]:
        """An image under a tag; the descriptor of its manifest."""
        config = self.put(json.dumps(configuration(layers, **more)).encode())
        manifest = {
            "schemaVersion": 2,
            "config": {**config, "mediaType": "application/vnd.oci.image.config.v1+json"},
            "layers": [{**self.put(one), "mediaType": "application/vnd.oci.image.layer.v1.tar"} for one in layers],
        }
        found = self.put(json.dumps(manifest).encode())
        self.tags[tag] = found["digest"]
        return {**found, "mediaType": MANIFEST}

    def index(self, entries: list[dict[str, Any]], tag: str) -> None:
        self.tags[tag] = self.put(json.dumps({"schemaVersion": 2, "manifests": entries}).encode())["digest"]


@contextmanager
def lying(lie: Lie = lambda _: False) -> Iterator[Liar]:
    liar = Liar(lie)
    try:
        yield liar
    finally:
        liar.close()


def certificates(folder: Path) -> None:
    """ca.pem, server.pem, client.pem, with their keys; for 127.0.0.1 and localhost."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=30)

    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    for name in ("server", "client"):
        openssl("req", *ec, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-out", f"{name}.pem", "-extfile", "ext")  # fmt: skip


PASSWORD = "correct horse"


@contextmanager
def real(folder: Path) -> Iterator[str]:
    """Debian's docker-registry with TLS and the user `reader`; gives host:port, `folder` has the certificates."""
    for program in ("docker-registry", "htpasswd", "openssl", "skopeo"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: deploy/prepare.sh test brings it")
    certificates(folder)
    hashed = subprocess.run(["htpasswd", "-nbB", "reader", PASSWORD], capture_output=True, check=True, text=True).stdout
    (folder / "htpasswd").write_text(hashed)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/store}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}', secret: x, tls: {{certificate: {folder}/server.pem, "
        f"key: {folder}/server.key}}}}\n"
        f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
    )
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log, env=environment
        )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (folder / "registry.log").read_text()
            time.sleep(0.05)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
