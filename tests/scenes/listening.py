"""The other side of a shell: waits for a call (or makes it), types one command, and keeps what it hears."""

import contextlib
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

COMMAND = b"echo shell-$((20+22))-lives\n"
PROOF = b"shell-42-lives"
HOLD = 3.0
"""Seconds for which a shell that answers is left alone before it is told to end."""


class Listener:
    """One attacker: `tcp`, `tls`, `udp`, `icmp`, or `bind` (dials the container itself)."""

    def __init__(self, kind: str, host: str = "0.0.0.0") -> None:
        self.kind, self.heard, self.proved = kind, b"", threading.Event()
        self._closing = False
        self._server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
        self._server.bind((host, 0))
        self.port = self._server.getsockname()[1]
        self._second = socket.create_server((host, 0))  # for those that send and receive on two connections
        self.second = self._second.getsockname()[1]
        if kind == "icmp":
            self._server.close()
            self._server = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        serve = {"udp": self._datagrams, "icmp": self._echoes}.get(kind, self._calls)
        if kind == "bind":
            return
        if serve == self._calls:
            self._server.listen()
            self._start(self._hear_second)
        self._start(serve)

    def dial(self, host: str, port: int) -> None:
        """Call the container until it answers."""

        def call() -> None:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not self._closing:
                with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=3) as peer:
                    self._converse(peer)
                    if PROOF in self.heard:
                        return
                time.sleep(0.3)

        self._start(call)

    def close(self) -> None:
        self._closing = True
        self._server.close()
        self._second.close()

    def _start(self, target: object) -> None:
        threading.Thread(target=target, daemon=True).start()  # type: ignore[arg-type]

    def _calls(self) -> None:
        while not self._closing:
            try:
                peer, _ = self._server.accept()
                if self.kind == "tls":
                    peer = _tls().wrap_socket(peer, server_side=True)
            except OSError:
                time.sleep(0.05)
                continue
            self._start(lambda peer=peer: self._converse(peer))

    def _converse(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            peer.settimeout(10)
            peer.sendall(COMMAND)
            until = time.monotonic() + 10
            told = False
            while time.monotonic() < until + HOLD:
                peer.settimeout(0.2)
                try:
                    said = peer.recv(4096)
                    if not said:
                        return
                    self._hear(said)
                except TimeoutError:
                    pass
                if PROOF in self.heard and until > time.monotonic():
                    until = min(until, time.monotonic())
                if time.monotonic() > until + HOLD - 0.5 and not told:
                    told = True
                    peer.sendall(b"exit\n")

    def _hear_second(self) -> None:
        while not self._closing:
            try:
                peer, _ = self._second.accept()
            except OSError:
                time.sleep(0.05)
                continue
            self._start(lambda peer=peer: self._only_hear(peer))

    def _only_hear(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            while said := peer.recv(4096):
                self._hear(said)

    def _datagrams(self) -> None:
        known = set()
        while not self._closing:
            with contextlib.suppress(OSError):
                said, peer = self._server.recvfrom(4096)
                self._hear(said)
                if peer not in known:
                    known.add(peer)
                    self._server.sendto(COMMAND, peer)

    def _echoes(self) -> None:
        """Answer echo requests that carry our port as identity; the kernel answers them too, without the mark."""
        told = False
        while not self._closing:
            with contextlib.suppress(OSError):
                said, peer = self._server.recvfrom(4096)
                head, body = said[20:28], said[28:]
                kind, _, _, identity, _ = struct.unpack("!BBHHH", head)
                if kind != 8 or identity != self.port:
                    continue
                self._hear(body)
                if not told:
                    told = True
                    answer = struct.pack("!BBHHH", 0, 0, 0, identity, 0) + b"!" + COMMAND
                    answer += b"\0" * (len(answer) % 2)
                    total = sum(struct.unpack(f"!{len(answer) // 2}H", answer))
                    total = (total >> 16) + (total & 0xFFFF)
                    checksum = struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF)
                    self._server.sendto(answer[:2] + checksum + answer[4:], peer)

    def _hear(self, said: bytes) -> None:
        self.heard += said
        if PROOF in self.heard:
            self.proved.set()


_context: list[ssl.SSLContext] = []
_lock = threading.Lock()


def _tls() -> ssl.SSLContext:
    with _lock:
        if not _context:
            with tempfile.TemporaryDirectory() as folder:
                key, certificate = Path(folder) / "key", Path(folder) / "certificate"
                command = [
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                ]
                command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=test"]
                subprocess.run(command, capture_output=True, timeout=30, check=True)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate, key)
            _context.append(context)
    return _context[0]
