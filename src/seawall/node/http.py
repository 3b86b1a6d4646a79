"""HTTP/1.1 (RFC 9112) as a client speaks it, over any connected stream socket. Standard library only.

Why not `http.client`: it pulls in `email` and with it 2 MB of resident memory, a tenth of what the whole agent may
use, and it has no limit on the time an answer may take. Here every answer has limits on size, headers and time.
"""

import io
import socket
import time
from collections.abc import Mapping
from typing import cast

from seawall.core.errors import Hostile

MAX_LINE = 16 << 10
"""Bytes of the status line, of one header and of one chunk's size line."""
MAX_HEADERS = 100

_LISTS = {"www-authenticate", "link"}
"""Headers that come several times and mean all of it. RFC 9110 §5.3."""
_BUFFER = 16 << 10


class Answer:
    """Status, headers (names in lower case, the last of equal ones) and a body to be read once, front to back."""

    def __init__(self, status: int, headers: Mapping[str, str], stream: io.BufferedIOBase, bodiless: bool) -> None:
        self.status = status
        self.headers = headers
        self._stream = stream
        self._chunked = not bodiless and headers.get("transfer-encoding", "").lower().endswith("chunked")
        self._left = 0 if bodiless or self._chunked else _length(headers)
        """Bytes left in this chunk or body; None: until the peer closes."""
        self._ended = bodiless

    @property
    def drained(self) -> bool:
        """The body was read to its end, so the connection can carry the next call."""
        return self._ended or (self._left == 0 and not self._chunked)

    def read(self, size: int = -1) -> bytes:
        """Exactly `size` bytes, fewer only at the end; all of them when negative. ConnectionError if cut off."""
        parts = []
        wanted = size
        while wanted != 0 and (part := self._some(wanted)):
            parts.append(part)
            if size >= 0:
                wanted -= len(part)
        return b"".join(parts)

    def readline(self, limit: int) -> bytes:
        """One line with its end, at most `limit` bytes; b"" at the end of the body."""
        line = bytearray()
        while len(line) < limit and (part := self._some(limit - len(line), line=True)):
            line += part
            if line.endswith(b"\n"):
                break
        return bytes(line)

    def _some(self, wanted: int, line: bool = False) -> bytes:
        """At least one byte of the body and at most `wanted` (if not negative), or b"" at its end."""
        if self._chunked and self._left == 0 and not self._ended:
            self._next_chunk()
        if self._ended or self._left == 0:
            return b""
        most = 1 << 20 if wanted < 0 else wanted
        if self._left is not None:
            most = min(most, self._left)
        part = self._stream.readline(most) if line else self._stream.read(most)
        if not part:
            if self._left is not None:
                raise ConnectionError("the peer closed in the middle of an answer")
            self._ended = True
        if self._left is not None:
            self._left -= len(part)
            if self._chunked and self._left == 0:
                _line(self._stream)
        return part

    def _next_chunk(self) -> None:
        word = _line(self._stream).partition(b";")[0].strip()
        try:
            self._left = int(word, 16) if word.isalnum() else -1
        except ValueError:
            self._left = -1
        if self._left < 0:
            raise Hostile(f"an answer has a chunk of size {word[:40]!r}")
        if self._left == 0:
            self._ended = True
            for _ in range(MAX_HEADERS):
                if not _line(self._stream):
                    return
            raise Hostile("an answer has too many trailers")


class Connection:
    """One connected socket that carries one call after another. Not for two threads at a time."""

    def __init__(self, connected: socket.socket, host: str) -> None:
        self._socket = connected
        self._host = host
        self._reader = _Deadline(connected)
        self._stream: io.BufferedIOBase = io.BufferedReader(self._reader, _BUFFER)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None,
        total: float | None = None,
    ) -> Answer:
        """Send one call and read the head of its answer.

        `timeout` bounds each wait for the peer, `total` the whole answer with its body, both in seconds.
        Raises OSError (TimeoutError, ConnectionError) when the peer is not there, Hostile when it talks rubbish.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None or method == "POST":
            lines.append(f"Content-Length: {len(body or b'')}")
        if any("\n" in line or "\r" in line for line in lines):
            raise ValueError("a line break in a request's head")
        self._reader.limit(timeout, total)
        self._socket.settimeout(timeout)
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
        status, found = self._head()
        while 100 <= status < 200:
            status, found = self._head()
        return Answer(status, found, self._stream, bodiless=status in {204, 304} or method == "HEAD")

    def close(self) -> None:
        """Close the socket; closing twice is harmless."""
        self._socket.close()

    def shutdown(self) -> None:
        """Wake a thread that waits for this peer; it sees the connection end."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _head(self) -> tuple[int, dict[str, str]]:
        first = _line(self._stream)
        words = first.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not (len(words[1]) == 3 and words[1].isdigit()):
            raise Hostile(f"the peer does not speak HTTP/1.1: {first[:60]!r}")
        headers: dict[str, str] = {}
        for _ in range(MAX_HEADERS):
            line = _line(self._stream)
            if not line:
                return int(words[1]), headers
            name, _, value = line.decode("latin-1").partition(":")
            name = name.strip().lower()
            joined = f"{headers[name]}, " if name in _LISTS and name in headers else ""
            headers[name] = joined + value.strip()
        raise Hostile(f"an answer has more than {MAX_HEADERS} headers")


class _Deadline(io.RawIOBase):
    """The receiving side of a socket; every wait is cut at the nearer of two limits."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._timeout: float | None = None
        self._end: float | None = None

    def limit(self, timeout: float | None, total: float | None) -> None:
        self._timeout = timeout
        self._end = time.monotonic() + total if total is not None else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        timeout = self._timeout
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            timeout = left if timeout is None else min(left, timeout)
        self._socket.settimeout(timeout)
        return self._socket.recv_into(cast(memoryview, buffer))


def _line(stream: io.BufferedIOBase) -> bytes:
    """One line without its end. A peer that closes instead raises ConnectionError."""
    line = stream.readline(MAX_LINE)
    if not line.endswith(b"\n"):
        if len(line) >= MAX_LINE:
            raise Hostile(f"an answer has a line over {MAX_LINE} bytes")
        raise ConnectionError("the peer closed in the middle of an answer")
    return line.rstrip(b"\r\n")


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not text.isdigit() or len(text) > 18:
        raise Hostile(f"an answer has the length {text[:40]!r}")
    return int(text)
