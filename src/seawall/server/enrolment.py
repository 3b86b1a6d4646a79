"""How an agent gets in: an expiring, use-limited token buys one certificate. Also what an install command downloads."""

import hashlib
import secrets
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection, delete, insert, select, update

from seawall.core import clock, ids
from seawall.core.errors import Hostile
from seawall.lists import Change, Refused, User
from seawall.server import accounts, agents
from seawall.server.agents import Newcomer
from seawall.server.ca import Authority
from seawall.server.config import Config
from seawall.server.parts import Installer, Parts
from seawall.server.tables import ENROLMENT_TOKENS

MAX_HOURS = 24 * 365
MAX_USES = 10_000
PREFIX = "sw-enrol-"
"""What every enrolment token begins with."""


class EnrolmentWish(BaseModel):
    """For how long, and for how many nodes, a token is good."""

    ttl_hours: float = Field(24, gt=0, le=MAX_HOURS)
    uses: int = Field(1, ge=1, le=MAX_USES)


class EnrolmentToken(BaseModel):
    """A new enrolment token, shown this once, and the command that uses it."""

    token: str
    expires_at: str
    command: str


class Enrol(BaseModel):
    """What a new agent says."""

    token: str = Field(max_length=200)
    csr: str = Field(max_length=8192)
    hostname: str = Field(min_length=1, max_length=256)
    host_id: str = Field(min_length=1, max_length=128)
    version: str = Field("", max_length=64)


class Certificate(BaseModel):
    """What an agent needs to come in by the gateway."""

    agent_id: str
    certificate: str
    ca: str
    gateway: str
    expires_at: str


def create_token(connection: Connection, ttl_hours: float, uses: int, by: str, *, seconds: float) -> tuple[str, str]:
    """A new enrolment token: its secret and when it expires."""
    # A secret may begin with "-", which a command line would take for an option; and scanners know what it is.
    secret, expires = PREFIX + secrets.token_urlsafe(24), clock.format_time(seconds + ttl_hours * 3600)
    connection.execute(delete(ENROLMENT_TOKENS).where(ENROLMENT_TOKENS.c.expires_at < clock.format_time(seconds)))
    row = {
        "id": ids.new_id("enrol"),
        "hash": accounts.digest(secret),
        "uses_left": uses,
        "created_at": clock.format_time(seconds),
        "created_by": by,
        "expires_at": expires,
    }
    connection.execute(insert(ENROLMENT_TOKENS).values(row))
    return secret, expires


def use_token(connection: Connection, secret: str, now: str) -> None:
    """Take one use of a token; Refused (403) when it is unknown, expired or used up."""
    mine = ENROLMENT_TOKENS.c.hash == accounts.digest(secret)
    row = connection.execute(select(ENROLMENT_TOKENS).where(mine)).first()
    if row is None or row.expires_at < now or row.uses_left < 1:
        why = "unknown" if row is None else "expired" if row.expires_at < now else "used up"
        raise Refused(f"the enrolment token is {why}", "make a new one: Agents, Add a node", 403)
    connection.execute(update(ENROLMENT_TOKENS).where(mine).values(uses_left=row.uses_left - 1))


def certificate(connection: Connection, authority: Authority, *, csr: str, agent_id: str, gateway: str) -> Certificate:
    """Sign an agent's request and note how long that is good."""
    pem, until = authority.sign_agent(csr, agent_id)
    agents.certified(connection, agent_id, until)
    return Certificate(
        agent_id=agent_id,
        certificate=pem,
        ca=authority.pem,
        gateway=gateway,
        expires_at=clock.format_time(until.timestamp()),
    )


def router(parts: Parts) -> tuple[APIRouter, APIRouter]:
    """Two routers: what administrators do (under /api/v1), and what new nodes do (at the root)."""
    people, nodes = APIRouter(tags=["agents"]), APIRouter(tags=["enrolment"])
    config, guard, installer = parts.config, parts.guard, parts.installer

    @people.post("/agents/enrolment-tokens", operation_id="create_enrolment_token", status_code=201)
    def create(
        body: EnrolmentWish, request: Request, user: Annotated[User, Depends(parts.door.admin)]
    ) -> EnrolmentToken:
        """How to install one more agent: a token and the command that carries it."""

        def step(connection: Connection) -> tuple[tuple[str, str], tuple[Change, ...]]:
            return create_token(connection, body.ttl_hours, body.uses, user.name, seconds=time.time()), ()

        secret, expires = parts.door.write(step)
        address = f"https://{_host(request, config)}:{_port(request, config)}"
        line = command(address, secret, parts.authority.fingerprint, installer())
        return EnrolmentToken(token=secret, expires_at=expires, command=line)

    @nodes.post("/v1/agent/enroll", operation_id="enroll")
    def enroll(body: Enrol, request: Request) -> Certificate:
        """A token and a certificate request become an agent's identity."""
        address = request.client.host if request.client else ""
        guard.enrolments.check(address)
        gateway = f"https://{_host(request, config)}:{config.gateway_port}"

        def step(connection: Connection) -> tuple[Certificate, list[Change]]:
            now = clock.now()
            use_token(connection, body.token, now)
            newcomer = Newcomer(body.hostname, body.host_id, body.version, address)
            agent_id, changes = agents.enrol(connection, newcomer, now)
            answer = certificate(connection, parts.authority, csr=body.csr, agent_id=agent_id, gateway=gateway)
            return answer, changes

        try:
            return parts.database.write(step)
        except (Refused, Hostile):
            guard.enrolments.failed(address)
            raise

    @nodes.get("/v1/agent/ca", operation_id="get_ca", response_class=PlainTextResponse)
    def ca() -> str:
        """The CA's certificate; compare its fingerprint with the one of the install command."""
        return parts.authority.pem

    @nodes.get("/install/agent.sh", operation_id="get_install_script", response_class=PlainTextResponse)
    def script() -> Response:
        """The install script of an agent; the install command checks its hash."""
        return Response(installer().script, media_type="text/x-shellscript; charset=utf-8")

    @nodes.get("/install/seawall-agent.tar.gz", operation_id="get_agent_archive", response_class=Response)
    def archive() -> Response:
        """The agent itself; the install script checks its hash."""
        return Response(installer().archive, media_type="application/gzip")

    @nodes.get("/install/seawall-scanner.tar.gz", operation_id="get_scanner_archive", response_class=Response)
    def scanner() -> Response:
        """The engine of the malware scanner, for `--scanner`; the install script checks its hash."""
        if not installer().scanner:
            raise Refused("this server has no scanner to give", status=404)
        return Response(installer().scanner, media_type="application/gzip")

    return people, nodes


def command(address: str, token: str, fingerprint: str, installer: Installer) -> str:
    """One line for a root shell. The hash of the script makes the unverified first download safe."""
    digest = hashlib.sha256(installer.script).hexdigest()
    return (
        f"curl -fsSk {address}/install/agent.sh -o seawall-agent.sh"
        f" && echo '{digest}  seawall-agent.sh' | sha256sum -c -"
        f" && sudo sh seawall-agent.sh --server {address} --token {token} --ca-fingerprint {fingerprint}"
    )


def _host(request: Request, config: Config) -> str:
    """By what name this server is reached: the configured one, else the one that the caller used."""
    host = config.names[0] if config.names else request.url.hostname or "localhost"
    return f"[{host}]" if ":" in host else host


def _port(request: Request, config: Config) -> int:
    return config.port if config.names else request.url.port or config.port
