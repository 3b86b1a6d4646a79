"""Judging what lies in the store with what the world knows: new inventories at once, all others after an import.

An inventory is read and judged outside the writer; only the verdict is written, in one step. No image is read again.
"""

import asyncio
import functools
import time

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from seawall.assets import store as assets
from seawall.core import clock
from seawall.core.errors import Unreachable
from seawall.images import found, ignores, policies, verdicts
from seawall.images import store as images
from seawall.images.detect.decisions import settle
from seawall.images.detect.findings import Judge, Knowledge
from seawall.images.detect.policy import decide
from seawall.images.model import Inventory, Judgement, Scan
from seawall.lists import Change
from seawall.server import denied, details
from seawall.server.db import alone
from seawall.server.parts import Parts

LOG = structlog.get_logger("seawall.judging")

LOOK_SECONDS = 1.0
AT_ONCE = 20
"""Inventories of one turn …"""
TURN_SECONDS = 0.5
"""… which ends after this: a server that is told to stop must not wait for an import to be worked off."""


class Bench:
    """The judge of the newest knowledge: while it stays the same, a question that many images ask is answered once."""

    def __init__(self) -> None:
        self._of = ("", "")
        self._judge: Judge | None = None

    def judge(self, known: Knowledge, version: str) -> Judge:
        """A day's end makes it forget, because releases may have ended."""
        of = (version, clock.now()[:10])
        if self._judge is None or self._of != of:
            self._of, self._judge = of, Judge(known, today=of[1])
        return self._judge


async def watch(parts: Parts) -> None:
    """Until cancelled: judge what newer knowledge has not seen."""
    bench = Bench()
    while True:
        try:
            found = await asyncio.to_thread(turn, parts, bench)
        except Exception as error:
            LOG.exception("judging failed", error=repr(error))
            found = 0
        await asyncio.sleep(0 if found else LOOK_SECONDS)


def turn(parts: Parts, bench: Bench | None = None) -> int:
    """Judge a few inventories of images that hosts hold, put aside the verdicts of others; how many there were."""
    until = time.monotonic() + TURN_SECONDS
    known = parts.knowledge.current()
    present = select(assets.IMAGES.c.id)
    with parts.database.reading() as connection:
        gone = verdicts.absent(connection, present, AT_ONCE)
        waiting = verdicts.unjudged(connection, present, known.version, AT_ONCE) if known is not None else []
        ripe = policies.ripe(connection, clock.now())
    for image_id in gone:
        parts.database.write(alone(functools.partial(verdicts.put_aside, image_id=image_id)))
    if ripe:
        parts.database.write(alone(functools.partial(policies.ripen, now=clock.now())))
    done = len(gone) + int(ripe)
    if known is not None:
        judge = (bench or Bench()).judge(known, known.version)
        for image_id, scan in waiting:
            _one(parts, judge, known.version, (image_id, scan))
            done += 1
            if time.monotonic() > until:
                break
    return done


def _scan(inventory: Inventory, verdict: Judgement, scanned_at: str) -> Scan:
    looked = tuple(name for name in inventory.checked if name != "package")
    return Scan(inventory, scanned_at, ("vuln", "package", *looked), verdict)


def _one(parts: Parts, judge: Judge, version: str, which: tuple[str, str]) -> None:
    image_id, scan = which
    began = time.monotonic()
    try:
        with parts.database.reading() as connection:
            inventory = images.load(connection, image_id, scan)
            rules = policies.in_force(connection)
            scanned_at = images.scanned_at(connection, scan)
            statements = ignores.statements(connection)
        if inventory is None:
            return
        now = clock.now()
        left, settled, _ = settle(inventory, judge.judge(inventory), statements, now[:10])
        verdict = settled or Judgement(())
        decision = decide(rules, _scan(left, verdict, scanned_at), now)
    except (SQLAlchemyError, Unreachable):
        raise  # not the image's fault: later
    except Exception as error:  # whatever an image holds, the others are judged
        LOG.exception("not judged", image=image_id, error=repr(error))
        why = f"{type(error).__name__}: {error}"

        def failed(connection: Connection) -> tuple[None, list[Change]]:
            noted = verdicts.not_judged(connection, image_id, scan, why, version=version, now=clock.now())
            return None, details.completed(connection, noted)

        parts.database.write(failed)
        return

    def step(connection: Connection) -> tuple[None, list[Change]]:
        written = verdicts.judged(connection, image_id, scan, verdict, version=version, now=now)
        found.suppress(connection, scan, inventory, left)
        before = policies.decided(connection, image_id, scan, decision)
        denied.noted(connection, before, decision.verdict if written else before, now)
        return None, details.completed(connection, written)

    parts.database.write(step)
    LOG.info(
        "judged",
        image=image_id,
        packages=len(inventory.packages),
        vulnerabilities=len(verdict.vulnerabilities),
        seconds=round(time.monotonic() - began, 3),
    )
