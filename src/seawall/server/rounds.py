"""What the server does by the clock: silent agents, overdue jobs, waivers that end, its own certificate."""

import asyncio
import ssl
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, func, select

from seawall.baseline import store as baseline
from seawall.core import clock
from seawall.images import ignores, policies, scans
from seawall.images import store as images
from seawall.lists import Change
from seawall.runtime import store as runtime
from seawall.server import agents, jobs, outcomes
from seawall.server.ca import own_names
from seawall.server.db import alone
from seawall.server.parts import Parts
from seawall.server.tables import AGENTS

LOG = structlog.get_logger("seawall.rounds")

ROUND_SECONDS = 5.0
CERTIFICATE_SECONDS = 6 * 3600.0
SWEEP_SECONDS = 3600.0
JOB_DAYS = 30
"""How long a job that ended is shown."""
PART_HOURS = 24
"""How long a scan that broke off may wait for its other parts."""


async def watch(parts: Parts, noticed: Callable[[int], None]) -> None:
    """Until cancelled: look after agents and jobs. `noticed` hears how many agents are online."""
    while True:
        try:
            noticed(await asyncio.to_thread(look, parts, time.time()))
        except Exception as error:
            LOG.exception("round failed", error=repr(error))
        await asyncio.sleep(ROUND_SECONDS)


def look(parts: Parts, seconds: float) -> int:
    """One round; the number of agents online. Writes only when there is something to write."""
    late, offline = parts.config.agent_late, parts.config.agent_offline
    now = clock.format_time(seconds)
    with parts.database.reading() as connection:
        silent = agents.overdue(connection, seconds, late, offline)
        overdue = jobs.due(connection, now)
        ended = baseline.ended(connection, now)
        online = connection.execute(
            select(func.count()).select_from(AGENTS).where(AGENTS.c.state == "online", AGENTS.c.deleted_at.is_(None))
        ).scalar_one()
    if silent or overdue or ended:

        def step(connection: Connection) -> tuple[None, list[Change]]:
            ended_jobs = jobs.expire(connection, now)
            changes = []
            for agent_id, state in agents.overdue(connection, seconds, late, offline):
                changes += agents.set_state(connection, agent_id, state)
                if state == "offline":
                    ended_jobs += jobs.abandon(connection, agent_id, "the agent went away", now)
            changes += outcomes.followed(connection, ended_jobs, now)
            for check in baseline.ended(connection, now):
                changes += baseline.judge_again(connection, check, now)
            return None, changes

        parts.database.write(step)
    return int(online)


async def sweep(parts: Parts) -> None:
    """Until cancelled: remove what nobody will ask for again."""
    while True:
        try:
            await asyncio.to_thread(tidy, parts, time.time())
        except Exception as error:
            LOG.exception("sweep failed", error=repr(error))
        await asyncio.sleep(SWEEP_SECONDS)


def tidy(parts: Parts, seconds: float) -> None:
    """One sweep."""

    def step(connection: Connection) -> None:
        jobs.forget(connection, clock.format_time(seconds - JOB_DAYS * 86400))
        scans.tidy(connection, seconds)
        ignores.age(connection, clock.format_time(seconds)[:10])
        policies.age(connection, clock.format_time(seconds - 86400))
        images.forget_broken(connection, clock.format_time(seconds - PART_HOURS * 3600))
        runtime.tidy(connection, seconds)

    parts.database.write(alone(step))


async def renew(parts: Parts, contexts: list[ssl.SSLContext]) -> None:
    """Until cancelled: renew the server's certificate in time; connections made from then on show the new one."""
    while True:
        await asyncio.sleep(CERTIFICATE_SECONDS)
        try:
            files = await asyncio.to_thread(parts.authority.server_files, own_names(parts.config.names))
            for context in contexts:
                context.load_cert_chain(*files)
        except Exception as error:
            LOG.exception("certificate not renewed", error=repr(error))
