"""The server as a process: open the state, open both doors, work, stop within seconds."""

import asyncio
import contextlib
import dataclasses
import fcntl
import json
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
import uvicorn
from sqlalchemy import Connection
from starlette.types import ASGIApp

from seawall import __version__
from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.intel.listed import NAME, open_listed
from seawall.lists import Change
from seawall.server import accounts, app, feeding, judging, logs, plans, rounds, scanning, schema, workers
from seawall.server.ca import Authority, door_context, own_names
from seawall.server.config import Config
from seawall.server.db import Database, open_writes
from seawall.server.door import ServerDoor
from seawall.server.gateway import Gateway, PeerProtocol
from seawall.server.guard import Guard
from seawall.server.jobs import Bell
from seawall.server.knowledge import Knowledge
from seawall.server.live import Hub
from seawall.server.parts import Installer, Parts
from seawall.server.plans import Plans
from seawall.server.vault import Vault

LOG = structlog.get_logger("seawall.server")
STOP_SECONDS = 2
"""How long open requests may take once the server was told to stop."""
BACKLOG = 2048


def run(config: Config, installer: Callable[[], Installer]) -> None:
    """Serve until SIGTERM or SIGINT. Raises SeawallError when the state or a port cannot be used."""
    logs.start(config.log_level)
    with _state(config.state), contextlib.ExitStack() as stack:
        doors = [stack.enter_context(_listener(config.listen, port)) for port in (config.port, config.gateway_port)]
        ports = [door.getsockname()[1] for door in doors]
        config = dataclasses.replace(config, port=ports[0], gateway_port=ports[1])
        hub = Hub()
        database = open_database(config, hub)
        stack.callback(database.close)
        parts = assemble(config, database, hub, installer)
        asyncio.run(_serve(parts, doors))
    LOG.info("stopped")


def open_database(config: Config, hub: Hub) -> Database:
    """Bring the database up to date and open it; the first time, make the first user."""
    engine = open_writes(config.database)
    try:
        schema.upgrade(engine)
    finally:
        engine.dispose()
    database = Database(config.database, hub.publish, config.writer_queue)

    def first(connection: Connection) -> tuple[str | None, tuple[Change, ...]]:
        return accounts.first_start(connection, config.first_password, clock.now()), ()

    if database.write(first):
        LOG.info("first start: the password of admin is in a file", path=str(config.first_password))
    return database


def assemble(config: Config, database: Database, hub: Hub, installer: Callable[[], Installer]) -> Parts:
    """The parts of one server over an open database."""
    guard, bell = Guard(database, config), Bell()
    listed = open_listed(config.intel.with_name(NAME))
    return Parts(
        config=config,
        database=database,
        authority=Authority(config.authority),
        hub=hub,
        bell=bell,
        guard=guard,
        door=ServerDoor(database, guard, bell),
        plans=Plans(config, database, hub.publish, listed),
        knowledge=Knowledge(config.intel),
        listed=listed,
        vault=Vault(config.state),
        installer=installer,
    )


async def _serve(parts: Parts, doors: list[socket.socket]) -> None:
    config, loop = parts.config, asyncio.get_running_loop()
    parts.hub.start(loop)
    parts.bell.start(loop)
    files = parts.authority.server_files(own_names(config.names))
    contexts = [door_context(*files), door_context(*files, client_ca=config.authority / "ca.crt")]
    gateway = Gateway(parts)
    servers = [
        _server(app.build(parts), contexts[0]),
        _server(gateway.app(), contexts[1], http=PeerProtocol, keep_alive=120),
    ]

    def stop() -> None:
        parts.bell.close()
        parts.hub.close()
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [
        asyncio.create_task(rounds.watch(parts, gateway.noticed)),
        asyncio.create_task(rounds.renew(parts, contexts)),
        asyncio.create_task(judging.watch(parts)),
        asyncio.create_task(scanning.watch(parts)),
        asyncio.create_task(workers.watch(parts)),
        asyncio.create_task(feeding.watch(parts)),
        asyncio.create_task(rounds.sweep(parts)),
        asyncio.create_task(plans.watch(parts.plans, parts.bell.ring_all)),
    ]
    _tell(parts)
    try:
        # Not `serve`: that would take the signals for each of the two.
        await asyncio.gather(*(server._serve([door]) for server, door in zip(servers, doors, strict=True)))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        (config.state / "server.json").unlink(missing_ok=True)


def _server(
    served: ASGIApp, context: ssl.SSLContext, http: type[asyncio.Protocol] | str = "httptools", keep_alive: int = 30
) -> uvicorn.Server:
    settings = uvicorn.Config(
        served,
        http=http,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    settings.load()
    settings.ssl = context
    return uvicorn.Server(settings)


def _tell(parts: Parts) -> None:
    """Say where the server is: in the log for people, in server.json for tools."""
    config = parts.config
    told = {
        "pid": os.getpid(),
        "version": __version__,
        "url": f"https://localhost:{config.port}",
        "gateway": f"https://localhost:{config.gateway_port}",
        "ca_fingerprint": parts.authority.fingerprint,
    }
    (config.state / "server.json").write_text(json.dumps(told) + "\n")
    LOG.info("listening", listen=config.listen, port=config.port, gateway_port=config.gateway_port, pid=os.getpid())


@contextlib.contextmanager
def _state(folder: Path) -> Iterator[None]:
    """Hold the state folder: two servers on one would each think the other's work its own."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "server.lock").open("w")
    except OSError as error:
        raise SeawallError(f"cannot use the state folder {folder}: {error}", "choose one with --state") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SeawallError(
                f"another server uses {folder}", "`seawall down` stops it; --state takes another folder"
            ) from error
        yield


def _listener(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=address == "::")
    except OSError as error:
        raise SeawallError(
            f"cannot listen on {address} port {port}: {error.strerror or error}",
            "is another program there? port and gateway_port can be set: docs/reference/configuration.md",
        ) from error
    listener.setblocking(False)
    return listener
