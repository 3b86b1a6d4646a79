"""The Docker Engine API over its Unix socket. Reference: https://docs.docker.com/reference/api/engine/

Only the calls that Seawall needs, each with a deadline and a limit on size: a daemon that hangs or floods costs one
failed call, never the agent.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from seawall.core.errors import SeawallError, Unreachable
from seawall.node.http import Answer, Connection

DEFAULT_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
MAX_JSON = 64 << 20
"""Bytes of one JSON answer (a host with 10,000 containers needs about 20 MB)."""
API_VERSION = "v1.40"
"""Oldest version that has all we read (Docker 19.03); later daemons answer it too, down to their MinAPIVersion."""
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


class DockerError(SeawallError):
    """The daemon answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"Docker Engine answered {status}: {message}")
        self.status = status


def find_socket() -> str | None:
    """The path of this host's Docker socket: DOCKER_HOST if it names one, else the usual places."""
    named = os.environ.get("DOCKER_HOST", "")
    if named.startswith("unix://"):
        return named.removeprefix("unix://")
    return next((path for path in DEFAULT_SOCKETS if Path(path).is_socket()), None)


class Docker:
    """A client of one daemon. Opens a connection per call, so it can be shared between threads."""

    def __init__(self, path: str | None = None, timeout: float = 10.0) -> None:
        self.path = path or find_socket() or DEFAULT_SOCKETS[0]
        self.timeout = timeout

    def get(self, path: str, **query: str | int | bool) -> Any:
        """The JSON value at `path`. Raises Unreachable (no daemon), DockerError (it refused)."""
        with self.open("GET", path, query) as answer:
            body = answer.read(MAX_JSON + 1)
        if len(body) > MAX_JSON:
            raise SeawallError(f"Docker Engine's answer to {path} is over {MAX_JSON} bytes")
        try:
            return json.loads(body)
        except ValueError as error:
            raise SeawallError(f"Docker Engine's answer to {path} is not JSON: {error}") from error

    def containers(self, all: bool = True) -> list[dict[str, Any]]:
        """`GET /containers/json`: one summary per container, stopped ones too unless told."""
        return cast(list[dict[str, Any]], self.get("/containers/json", all=all))

    def container(self, id: str) -> dict[str, Any]:
        """`GET /containers/{id}/json`: the whole configuration and state."""
        return cast(dict[str, Any], self.get(f"/containers/{quoted(id)}/json"))

    def images(self) -> list[dict[str, Any]]:
        """`GET /images/json`: one summary per local image."""
        return cast(list[dict[str, Any]], self.get("/images/json"))

    def image(self, name: str) -> dict[str, Any]:
        """`GET /images/{name}/json`: configuration, layers, digests."""
        return cast(dict[str, Any], self.get(f"/images/{quoted(name)}/json"))

    def history(self, name: str) -> list[dict[str, Any]]:
        """`GET /images/{name}/history`: the instruction behind each layer, newest first."""
        return cast(list[dict[str, Any]], self.get(f"/images/{quoted(name)}/history"))

    def info(self) -> dict[str, Any]:
        """`GET /info`: the daemon's live configuration."""
        return cast(dict[str, Any], self.get("/info"))

    def version(self) -> dict[str, Any]:
        """`GET /version`: of the engine and its components."""
        return cast(dict[str, Any], self.get("/version"))

    def events(self, **filters: list[str]) -> Iterator[dict[str, Any]]:
        """`GET /events`: yields until the daemon goes away (Unreachable) or the caller closes the generator."""
        with self.open("GET", "/events", {"filters": json.dumps(filters)}, timeout=None) as answer:
            while line := answer.readline(1 << 20):
                if line.strip():
                    yield json.loads(line)
        raise Unreachable(f"Docker at {self.path} closed its event stream")

    @contextmanager
    def save(self, name: str, total: float | None = None) -> Iterator[Answer]:
        """`GET /images/{name}/get`: the image as a tar stream, to be read while the context lasts.

        `total` bounds the whole of it, in seconds; each wait for the daemon has a bound of its own.
        """
        with self.open("GET", f"/images/{quoted(name)}/get", {}, timeout=120.0, total=total) as answer:
            yield answer

    def post(self, path: str, body: Any = None, timeout: float | None = None, **query: str | int | bool) -> Any:
        """A changing call (pause, stop, kill, create …): the JSON answer, or None if it is empty."""
        with self.open("POST", path, query, timeout=timeout or self.timeout, body=body) as answer:
            content = answer.read(MAX_JSON)
        return json.loads(content) if content.strip() else None

    def delete(self, path: str, **query: str | int | bool) -> None:
        """`DELETE` of a container or image."""
        with self.open("DELETE", path, query, timeout=60.0) as answer:
            answer.read(MAX_JSON)

    def import_image(self, name: str, tar: bytes) -> None:
        """`POST /images/create?fromSrc=-`: an image of one layer, made of a root file system."""
        query = {"fromSrc": "-", "repo": name.partition(":")[0], "tag": name.partition(":")[2] or "latest"}
        with self.open("POST", "/images/create", query, timeout=120.0, body=tar) as answer:
            answer.read(MAX_JSON)

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        query: dict[str, Any],
        *,
        timeout: float | None = -1.0,
        total: float | None = None,
        body: Any = None,
    ) -> Iterator[Answer]:
        """One call, its answer open for reading. A timeout of None waits for ever, each read on its own.

        A body of bytes is a tar and goes as it is; any other goes as JSON.
        """
        wait = self.timeout if timeout == -1.0 else timeout
        if query:
            path += "?" + "&".join(f"{key}={quoted(_text(value))}" for key, value in query.items())
        headers = {"Connection": "close"}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/x-tar" if isinstance(body, bytes) else "application/json"
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connected:
                connected.settimeout(self.timeout)
                connected.connect(self.path)
                answer = Connection(connected, "docker").request(
                    method, f"/{API_VERSION}{path}", content, headers, timeout=wait, total=total
                )
                if answer.status >= 400:
                    raise DockerError(answer.status, _message(answer.read(1 << 16)))
                yield answer
        except OSError as error:
            raise Unreachable(
                f"cannot reach Docker at {self.path}: {error}", "is the daemon running, and may you read its socket?"
            ) from error


def quoted(text: str) -> str:
    """A text as a part of a URL. urllib.parse and what it brings would weigh half a megabyte in every agent."""
    return "".join(chr(one) if one in _PLAIN else f"%{one:02X}" for one in text.encode("utf-8", "surrogateescape"))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip()[:200]
