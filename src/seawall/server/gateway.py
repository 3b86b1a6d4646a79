"""The agents' door: batches, orders, configuration, renewal. Nobody comes in without a certificate of our own CA."""

import asyncio
import json
import random
import time
from collections import defaultdict
from typing import Any, cast

import structlog
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from seawall.core import clock
from seawall.core.envelope import MAX_COMPRESSED
from seawall.core.errors import Hostile
from seawall.lists import Change, Refused
from seawall.server import agents, enrolment, ingest, jobs
from seawall.server.enrolment import Certificate
from seawall.server.ingest import Taken
from seawall.server.parts import Parts

LOG = structlog.get_logger("seawall.gateway")

INLINE_BYTES = 64 << 10
"""A body up to this size is decoded in the event loop; a larger one in a thread."""
AT_ONCE = 32
"""Batches that are read and decoded at one time, over all agents: bounds the memory."""
MAX_WAIT = 60.0
INTERVAL = 5.0
"""Seconds between two batches of an agent when all is well …"""
AGENTS_PER_SECOND = 100
"""… and the batches a second at which more agents mean longer intervals."""
SHED_LAG = ((5.0, 2, 60.0), (1.0, 1, 20.0))
"""Seconds that the writer is behind → shed level, least interval."""


class PeerProtocol(HttpToolsProtocol):
    """HTTP over mTLS that tells the application who is at the other end: scope["extensions"]["seawall"]["peer"]."""

    def connection_made(self, transport: Any) -> None:
        """Note the certificate's common name; TLS has verified the certificate by now."""
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        self.peer = common_name(session.getpeercert() if session is not None else None)

    def on_message_begin(self) -> None:
        """Put the name where the application finds it."""
        super().on_message_begin()
        self.scope["extensions"] = {"seawall": {"peer": self.peer}}


def common_name(certificate: Any) -> str:
    """The subject's common name in what `getpeercert` answers; "" when there is none."""
    for part in (certificate or {}).get("subject", ()):
        for key, value in part:
            if key == "commonName":
                return str(value)
    return ""


class Gateway:
    """The four calls of an agent, over the parts of the server."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._online = 0

    def app(self) -> Starlette:
        """The application of the gateway door."""
        return Starlette(
            routes=[
                Route("/v1/agent/batch", self.batch, methods=["POST"]),
                Route("/v1/agent/orders", self.orders, methods=["GET"]),
                Route("/v1/agent/config", self.config, methods=["GET"]),
                Route("/v1/agent/renew", self.renew, methods=["POST"]),
            ],
            exception_handlers={
                Refused: _refused,
                Hostile: _hostile,
                HTTPException: _http_error,
                ClientDisconnect: _gone,
                Exception: _failed,
            },
        )

    def noticed(self, online: int) -> None:
        """How many agents are online now: sets how often each may come."""
        self._online = online

    async def batch(self, request: Request) -> Response:
        """Store a batch; the answer comes when it is durable."""
        agent_id = _peer(request)
        # One batch of an agent at a time: no agent can take the room of the others.
        async with self._turns[agent_id], self._slots:
            body = await _body(request)
            if len(body) <= INLINE_BYTES:
                batch, malformed = ingest.decode(body)
            else:
                batch, malformed = await asyncio.to_thread(ingest.decode, body)
            address = request.client.host if request.client else ""

            def step(connection: Connection) -> tuple[Taken, list[Change]]:
                return ingest.take(
                    connection, agent_id, batch, malformed=malformed, address=address, seconds=time.time()
                )

            taken = await asyncio.wrap_future(self._parts.database.submit(step))
        if taken.ordered:
            self._parts.bell.ring(agent_id)
        shed, interval = self._load()
        version = await asyncio.to_thread(self._parts.plans.version)
        return JSONResponse(
            {
                "ack": taken.ack,
                "interval": interval,
                "max_items": 500,
                "shed": shed,
                "config_version": version,
                "resync": taken.resync,
                "orders": [],
                "rejected": taken.rejected,
            }
        )

    async def orders(self, request: Request) -> Response:
        """Hold until there is an order for this agent or another configuration than it has, or the time is over."""
        agent_id = _peer(request)
        until = time.monotonic() + _wait_seconds(request)
        has, told = request.query_params.get("config", ""), False
        while True:
            waiting, version = await asyncio.to_thread(self._waiting, agent_id)
            found = self._parts.bell.fresh(waiting)
            now = time.monotonic()
            if has and version != has and not told:
                # Not all agents at one moment: each will fetch the whole of it.
                until, told = min(until, now + random.random() * self._online / AGENTS_PER_SECOND), True  # noqa: S311
            if found or until <= now or self._parts.bell.closed or await request.is_disconnected():
                return JSONResponse({"orders": found, "config_version": version})
            await self._parts.bell.wait(agent_id, min(until - now, jobs.REDELIVER_SECONDS))

    async def config(self, request: Request) -> Response:
        """The plan, the intervals, whether to enforce."""
        agent_id = _peer(request)

        def read() -> bytes:
            with self._parts.database.reading() as connection:
                agents.welcome(connection, agent_id)
            return self._parts.plans.body()

        return Response(await asyncio.to_thread(read), media_type="application/json")

    async def renew(self, request: Request) -> Response:
        """A new certificate for an agent that still has a good one."""
        agent_id = _peer(request)
        try:
            csr = json.loads(await _body(request, 16 << 10))["csr"]
        except (ValueError, KeyError, TypeError):
            raise Hostile('a renewal is {"csr": PEM}') from None
        url = f"https://{request.url.netloc}"

        def step(connection: Connection) -> tuple[Certificate, list[Change]]:
            agents.welcome(connection, agent_id)
            answer = enrolment.certificate(
                connection, self._parts.authority, csr=str(csr), agent_id=agent_id, gateway=url
            )
            return answer, []

        answer = await asyncio.wrap_future(self._parts.database.submit(step))
        return JSONResponse(answer.model_dump())

    def _waiting(self, agent_id: str) -> tuple[list[dict[str, Any]], str]:
        """Its orders, and the version of the configuration that it should have."""
        with self._parts.database.reading() as connection:
            agents.welcome(connection, agent_id)
            return jobs.waiting(connection, agent_id, clock.now()), self._parts.plans.version()

    def _load(self) -> tuple[int, float]:
        """Shed level and interval that agents should keep now."""
        lag = self._parts.database.lag()
        usual = max(INTERVAL, self._online / AGENTS_PER_SECOND)
        for seconds, level, least in SHED_LAG:
            if lag > seconds:
                return level, max(least, usual)
        return 0, usual


def _peer(request: Request) -> str:
    peer = cast(str, request.scope.get("extensions", {}).get("seawall", {}).get("peer", ""))
    if not peer:
        raise Refused("this door is for enrolled agents", "show the certificate that enrolment gave", 403)
    return peer


async def _body(request: Request, limit: int = MAX_COMPRESSED) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise HTTPException(413, f"the body is over {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def _wait_seconds(request: Request) -> float:
    text = request.query_params.get("wait", "55")
    try:
        return min(max(float(text), 0.0), MAX_WAIT)
    except ValueError:
        raise Refused(f"wait is a number of seconds, not {text!r}") from None


async def _refused(_request: Request, error: Exception) -> Response:
    refused = cast(Refused, error)
    return JSONResponse({"error": str(refused), "hint": refused.hint}, refused.status)


async def _hostile(request: Request, error: Exception) -> Response:
    LOG.warning("batch refused", peer=request.scope.get("extensions", {}).get("seawall"), error=str(error))
    return JSONResponse({"error": str(error)}, 422)


async def _http_error(_request: Request, error: Exception) -> Response:
    known = cast(HTTPException, error)
    return JSONResponse({"error": known.detail}, known.status_code)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)


async def _failed(_request: Request, error: Exception) -> Response:
    LOG.error("batch not stored", error=repr(error))
    return JSONResponse({"error": "not stored, try again later"}, 503)
