"""Judging what lies in the store with what the world knows: new inventories at once, all others after an import.

An inventory is read and judged outside the writer; only the verdict is written, in one step. No image is read again.
"""

import asyncio
import functools
import time
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from seawall.core import clock
from seawall.core.errors import Unreachable
from seawall.images import found, ignores, policies, verdicts
from seawall.images import store as images
from seawall.images.detect.decisions import settle
from seawall.images.detect.findings import Judge, Knowledge
from seawall.images.detect.policy import Policy, decide
from seawall.images.model import Decision, Inventory, Judgement, Scan, Statement
from seawall.lists import Change
from seawall.server import denied, details
from seawall.server.db import alone
from seawall.server.parts import Parts

LOG = structlog.get_logger("seawall.judging")

LOOK_SECONDS = 1.0
AT_ONCE = 40
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
    present = details.known()
    with parts.database.reading() as connection:
        gone = verdicts.absent(connection, present, AT_ONCE)
        waiting = verdicts.unjudged(connection, present, known.version, AT_ONCE) if known is not None else []
        ripe = policies.ripe(connection, clock.now())
    for image_id in gone:
        parts.database.write(alone(functools.partial(verdicts.put_aside, image_id=image_id)))
    if ripe:
        parts.database.write(alone(functools.partial(policies.ripen, now=clock.now())))
    done = len(gone) + int(ripe)
    if known is not None and waiting:
        judge = (bench or Bench()).judge(known, known.version)
        done += _several(parts, judge, known.version, waiting, until)
    return done


def _several(parts: Parts, judge: Judge, version: str, waiting: list[tuple[str, str]], until: float) -> int:
    """Judge some of these, outside the writer, and write all verdicts in one step; how many they were."""
    began = time.monotonic()
    with parts.database.reading() as connection:
        rules = _Rules(policies.in_force(connection), tuple(ignores.statements(connection)))
    judged: list[_Verdict] = []
    done = 0
    for which in waiting:
        done += 1
        if (verdict := _one(parts, judge, rules, version, which)) is not None:
            judged.append(verdict)
        if time.monotonic() > until:
            break

    def step(connection: Connection) -> tuple[None, list[Change]]:
        sums = verdicts.Sums()
        changes = [change for one in judged for change in one.write(connection, sums, version)]
        sums.write(connection)
        return None, details.completed(connection, changes)

    parts.database.write(step)
    LOG.info("judged", images=len(judged), seconds=round(time.monotonic() - began, 3))
    return done


@dataclass(frozen=True, slots=True)
class _Rules:
    """What people have said of images."""

    policies: list[Policy]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is known of an inventory, and what policies make of it."""

    which: tuple[str, str]
    judgement: Judgement
    decision: Decision
    contents: tuple[Inventory, Inventory]
    """As it was read, and without what does not count."""
    now: str

    def write(self, connection: Connection, sums: verdicts.Sums, version: str) -> list[Change]:
        """Changes that consoles hear of; none for a scan that is no longer the image's newest."""
        if not verdicts.newest(connection, *self.which):
            return []
        written = verdicts.judged(connection, *self.which, self.judgement, version=version, now=self.now, sums=sums)
        whole, left = self.contents
        if whole.secrets or whole.malware or whole.risks:
            found.suppress(connection, self.which[1], whole, left)
        before = policies.decided(connection, *self.which, self.decision)
        denied.noted(connection, before, self.decision.verdict, self.now)
        other = before != self.decision.verdict or left is not whole
        return written or ([Change("images/change", {"id": self.which[0]})] if other else [])


def _scan(inventory: Inventory, verdict: Judgement, scanned_at: str) -> Scan:
    looked = tuple(name for name in inventory.checked if name != "package")
    return Scan(inventory, scanned_at, ("vuln", "package", *looked), verdict)


def _one(parts: Parts, judge: Judge, rules: _Rules, version: str, which: tuple[str, str]) -> _Verdict | None:
    """None for one that is no more, or that cannot be judged: that is written at once."""
    image_id, scan = which
    try:
        with parts.database.reading() as connection:
            inventory = images.load(connection, image_id, scan)
            scanned_at = images.scanned_at(connection, scan)
        if inventory is None:
            return None
        now = clock.now()
        left, settled, _ = settle(inventory, judge.judge(inventory), rules.statements, now[:10])
        judgement = settled or Judgement(())
        decision = decide(rules.policies, _scan(left, judgement, scanned_at), now)
        return _Verdict(which, judgement, decision, (inventory, left), now)
    except (SQLAlchemyError, Unreachable):
        raise  # not the image's fault: later
    except Exception as error:  # whatever an image holds, the others are judged
        LOG.exception("not judged", image=image_id, error=repr(error))
        why = f"{type(error).__name__}: {error}"

        def failed(connection: Connection) -> tuple[None, list[Change]]:
            noted = verdicts.not_judged(connection, image_id, scan, why, version=version, now=clock.now())
            return None, details.completed(connection, noted)

        parts.database.write(failed)
        return None
