"""What holds for every answer of the API door: headers, errors in one form, a limit on bodies, one log line."""

import time
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seawall.core import ids
from seawall.core.errors import Hostile, SeawallError, Unreachable
from seawall.lists import Refused

LOG = structlog.get_logger("seawall.web")

MAX_BODY = 4 << 20
SLOW_SECONDS = 1.0

# Ant Design writes style elements at run time; scripts come from our own files only.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Manners:
    """Plain ASGI around the application: safe headers, bounded bodies, a line in the log for what is slow or wrong.

    The log has the path only: query strings, headers and bodies may hold secrets.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        request_id = ids.new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise HTTPException(413, f"the body is over {MAX_BODY} bytes")
            return message

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = request_id
                if scope["path"].startswith(("/api/", "/v1/")):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, bounded, dressed)
        finally:
            seconds = time.monotonic() - started
            streams = scope["path"].endswith("/live")
            if status >= 500 or (seconds > SLOW_SECONDS and not streams):
                log = LOG.error if status >= 500 else LOG.warning
                log(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    seconds=round(seconds, 3),
                    request=request_id,
                )


def add_errors(app: FastAPI) -> None:
    """Every error in the form {"error", "hint"}."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(SeawallError, _seawall)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _answer(status: int, error: str, hint: str = "") -> Response:
    return JSONResponse({"error": error, "hint": hint}, status)


async def _refused(_request: Request, error: Exception) -> Response:
    refused = cast(Refused, error)
    return _answer(refused.status, str(refused), refused.hint)


async def _seawall(_request: Request, error: Exception) -> Response:
    known = cast(SeawallError, error)
    status = 422 if isinstance(known, Hostile) else 503 if isinstance(known, Unreachable) else 500
    return _answer(status, str(known), known.hint)


async def _invalid(_request: Request, error: Exception) -> Response:
    first: dict[str, Any] = dict(next(iter(cast(RequestValidationError, error).errors()), {}))
    where = ".".join(str(part) for part in first.get("loc", ()) if part != "body") or "body"
    return _answer(422, f"{where}: {first.get('msg', 'is not valid')}", "see /api/openapi.json")


async def _http(_request: Request, error: Exception) -> Response:
    known = cast(HTTPException, error)
    return _answer(known.status_code, str(known.detail))


async def _unexpected(request: Request, error: Exception) -> Response:
    number = getattr(request.state, "request_id", "")
    LOG.error("unexpected error", path=request.url.path, request=number, exc_info=error)
    return _answer(500, "something failed in the server", f"the server's log has it under request {number}")
