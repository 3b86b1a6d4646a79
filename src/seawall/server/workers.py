"""What the server does itself for registries: looks into them and scans their images, in short-lived children.

The work lies in the jobs of the agent SELF, so that it is seen and followed like all other work. A child gets what it
needs on its standard input; a registry's password is in no job, no argument and no log.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from typing import IO, Any

import structlog
from sqlalchemy import Connection, select, update

from seawall.core import clock
from seawall.core.envelope import Item
from seawall.core.errors import Hostile, SeawallError
from seawall.images import registries
from seawall.images import store as images
from seawall.lists import Change, Source
from seawall.server import details, jobs, scanning
from seawall.server.db import alone
from seawall.server.parts import Parts
from seawall.server.scanning import SELF, SYNC
from seawall.server.tables import JOBS

LOG = structlog.get_logger("seawall.workers")

LOOK_SECONDS = 0.5
MEMORY = 8 << 30
"""Bytes of address space of a child: scanners map far more than they use."""
PROCESSOR_SECONDS = 3600
MAX_LINE = 16 << 20
PORTION = 200
"""Images of a look that are written at once."""
MAX_FAILED = 20
"""Places that could not be asked and are named."""


async def watch(parts: Parts) -> None:
    """Until cancelled: carry out what waits, as many at a time as the configuration says."""
    await asyncio.to_thread(_begin, parts)
    stopping = threading.Event()
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                room = parts.config.scan_workers - len(running)
                for job in await asyncio.to_thread(_take, parts, room) if room > 0 else ():
                    task = asyncio.create_task(asyncio.to_thread(carry_out, parts, job, stopping))
                    running.add(task)
                    task.add_done_callback(running.discard)
            except Exception as error:
                LOG.exception("work was not begun", error=repr(error))
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        stopping.set()
        await asyncio.gather(*running, return_exceptions=True)


def _begin(parts: Parts) -> None:
    """What another server had begun is begun again; a look whose time is over meanwhile is asked for anew."""
    mine = (JOBS.c.agent_id == SELF, JOBS.c.state == "running")
    again = update(JOBS).where(*mine).values(state="waiting", accepted=False)

    def step(connection: Connection) -> None:
        connection.execute(again)
        now = clock.now()
        jobs.expire(connection, now)
        looks = select(JOBS.c.subject).where(JOBS.c.kind == SYNC, JOBS.c.state.in_(jobs.OPEN))
        registries.cut_off(connection, set(connection.execute(looks).scalars()), now)

    parts.database.write(alone(step))


def _take(parts: Parts, most: int) -> list[dict[str, Any]]:
    now = clock.now()
    with parts.database.reading() as connection:
        wanted = select(JOBS).where(JOBS.c.agent_id == SELF, JOBS.c.state == "waiting", JOBS.c.deadline >= now)
        found = [dict(row) for row in connection.execute(wanted.order_by(JOBS.c.id).limit(most)).mappings()]
    for job in found:
        _report(parts, job["id"], "running")
    return found


def carry_out(parts: Parts, job: Mapping[str, Any], stopping: threading.Event) -> None:
    """One job, to its end; never raises."""
    began = time.monotonic()
    try:
        message = (_sync if job["kind"] == SYNC else _scan)(parts, job, stopping)
        _report(parts, job["id"], "done", message=message)
    except Exception as error:
        if stopping.is_set():
            return  # the next server begins it again
        why = f"{error} ({error.hint})" if isinstance(error, SeawallError) and error.hint else str(error) or repr(error)
        if not isinstance(error, SeawallError):
            LOG.exception("job failed", job=job["id"], error=repr(error))
        if job["kind"] == SYNC:
            _ended(parts, job["args"]["registry"], "failed", why)
        with contextlib.suppress(ValueError):  # its deadline has passed meanwhile
            _report(parts, job["id"], "failed", error=why)
    LOG.info("job ended", kind=job["kind"], target=job["target"], seconds=round(time.monotonic() - began, 1))


def _sync(parts: Parts, job: Mapping[str, Any], stopping: threading.Event) -> str:
    """Look into a registry; what came of it in words."""
    registry, started = job["args"]["registry"], clock.now()
    order, row = _order(parts, registry)
    with parts.database.reading() as connection:
        order |= {"work": "sync", "known": {} if job["args"].get("full") else registries.digests(connection, registry)}
    found: list[dict[str, Any]] = []
    failed: list[str] = []
    counts = {"new": 0, "same": 0}
    for said in _child(job, order, stopping):
        if "image" in said:
            found.append(said["image"])
        elif "same" in said:
            counts["same"] += 1
            found.append({"same": said["same"]})
        elif "failed" in said:
            failed.append(f"{said['failed'].get('where')}: {said['failed'].get('why')}")
        else:
            _progress(parts, job["id"], registry, said)
        if len(found) >= PORTION:
            counts["new"] += _seen(parts, registry, found)
            found = []
    counts["new"] += _seen(parts, registry, found)
    _settle(parts, registry, started, failed)
    if counts["new"] and registries.settings(row["settings"]).scan_new:
        scanning.scan_new(parts, row, time.time())
    told = f"{counts['new']} new, {counts['same']} unchanged"
    if failed:
        told += f"; {len(failed)} places could not be asked: {'; '.join(failed[:3])}"
    return told


def _seen(parts: Parts, id: str, found: list[dict[str, Any]]) -> int:
    now = clock.now()

    def step(connection: Connection) -> tuple[int, list[Change]]:
        same = {one["same"] for one in found if "same" in one}
        registries.still(connection, id, same, now)
        return registries.seen(connection, id, (one for one in found if "same" not in one), now), []

    return parts.database.write(step) if found else 0


def _settle(parts: Parts, id: str, started: str, failed: list[str]) -> None:
    """Places that could not be asked keep what was known of them, so nothing is taken away after such a look."""
    seconds = time.time()

    def step(connection: Connection) -> tuple[None, list[Change]]:
        row = registries.find(connection, id)
        number = registries.settle(connection, id, "" if failed else started)
        words = f"{len(failed)} places could not be asked: " + "; ".join(failed[:MAX_FAILED]) if failed else ""
        return None, registries.state(
            connection,
            id,
            state="partly" if failed else "ok",
            error=words[:4000],
            progress=1.0,
            message=f"{number} images",
            synced_at=clock.format_time(seconds),
            next_at=row["next_at"] or registries.next_look(row, seconds),  # somebody may have asked meanwhile
        )

    parts.database.write(step)


def _ended(parts: Parts, id: str, state: str, why: str) -> None:
    seconds = time.time()

    def step(connection: Connection) -> tuple[None, list[Change]]:
        row = registries.find(connection, id)
        later = row["next_at"] or registries.next_look(row, seconds)
        return None, registries.state(connection, id, state=state, error=why[:4000], next_at=later)

    with contextlib.suppress(SeawallError):  # it was deleted meanwhile
        parts.database.write(step)


def _scan(parts: Parts, job: Mapping[str, Any], stopping: threading.Event) -> str:
    """Read one image; its inventory goes the way of those that nodes send."""
    order, row = _order(parts, job["args"]["registry"])
    order |= {
        "work": "scan",
        "order": job["id"],
        **{name: job["args"][name] for name in ("target", "image_id", "scanners")},
    }
    source = Source(SELF, "", row["name"])
    items = 0
    for said in _child(job, order, stopping):
        if "item" in said:
            items += 1
            _store(parts, source, said["item"])
        else:
            _progress(parts, job["id"], "", said)
    if not items:
        raise Hostile("the scanner told nothing of the image")
    return f"{items} items"


def _store(parts: Parts, source: Source, data: dict[str, Any]) -> None:
    def step(connection: Connection) -> tuple[None, list[Change]]:
        changes = images.apply(connection, source, Item("inventory", data), clock.now())
        return None, details.completed(connection, changes)

    parts.database.write(step)


def _order(parts: Parts, id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What every child is told: where the registry is and how it is entered."""
    with parts.database.reading() as connection:
        row = registries.find(connection, id)
    order = {
        "host": registries.host_of(row["url"]),
        "username": row["username"],
        "password": parts.vault.unseal(row["secret"]),
        "settings": row["settings"],
    }
    return order, row


def _progress(parts: Parts, job: str, registry: str, said: Mapping[str, Any]) -> None:
    share, message = said.get("progress"), str(said.get("message") or "")[:300]
    if not isinstance(share, int | float):
        return
    _report(parts, job, "running", progress=float(share), message=message)
    if registry:
        told = {"state": "syncing", "progress": float(share), "message": message}
        parts.database.write(lambda connection: (None, registries.state(connection, registry, **told)))


def _report(parts: Parts, job: str, state: str, **more: Any) -> None:
    def step(connection: Connection) -> tuple[None, list[Change]]:
        return None, jobs.report(connection, SELF, {"id": job, "state": state, **more}, clock.now())

    parts.database.write(step)


def _child(job: Mapping[str, Any], order: Mapping[str, Any], stopping: threading.Event) -> Iterator[dict[str, Any]]:
    """What the child says, line by line. It is killed at the job's deadline, or when the server stops."""
    limits = [str(MEMORY), str(PROCESSOR_SECONDS)]
    command = [sys.executable, "-s", "-P", "-m", "seawall.agent.child", *limits, "seawall.images.collect.look"]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(json.dumps(order).encode())
        given.seek(0)
        child = subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        watcher = threading.Thread(target=_end, args=(child, clock.parse_time(job["deadline"]), stopping), daemon=True)
        watcher.start()
        out = child.stdout
        assert out is not None  # noqa: S101 - it is a pipe
        try:
            yield from _lines(out)
            code = child.wait()
        finally:
            out.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            watcher.join()
        if code:
            errors.seek(0)
            raise SeawallError(_last_words(errors.read(1 << 16), code))


def _lines(out: IO[bytes]) -> Iterator[dict[str, Any]]:
    while line := out.readline(MAX_LINE):
        if not line.endswith(b"\n"):
            raise Hostile("the scanner was cut off, or wrote a line that is too long")
        value = json.loads(line)
        if isinstance(value, dict):
            yield value


def _end(child: "subprocess.Popen[bytes]", deadline: float, stopping: threading.Event) -> None:
    while child.poll() is None:
        if stopping.wait(0.2) or time.time() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            return


def _last_words(said: bytes, code: int) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    if lines:
        return lines[-1][:1000]
    return f"the scanner was killed by signal {-code}" if code < 0 else f"the scanner ended with code {code}"
