"""The configuration that agents should have: the runtime plan of the policy, the intervals, whether to enforce.

The plan is made again when the policy has changed, beside the requests: what does not compile leaves the last good one
in force and is said. Its version is the hash of what it holds.
"""

import asyncio
import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection

from seawall.core import clock, ids
from seawall.core.errors import SeawallError
from seawall.intel.listed import Listed
from seawall.lists import Change
from seawall.runtime import compose, plan
from seawall.runtime.api.board import SETTINGS
from seawall.runtime.api.rules import told
from seawall.runtime.compose import Composed, Policy
from seawall.runtime.detect.engine import Engine
from seawall.runtime.store import policy, waivers
from seawall.server import denied
from seawall.server.config import Config
from seawall.server.db import Database, alone
from seawall.server.indicators import Indicators

LOG = structlog.get_logger("seawall.plans")

LOOK_SECONDS = 0.5
"""How often the policy's number is looked at: changes within this are one."""
AGAIN_SECONDS = 30.0
"""After a policy could not be composed for want of something else than a better policy."""
MAX_PROBLEMS = 200


class Plans:
    """One server's plan. Implements runtime.api.Board."""

    def __init__(
        self,
        config: Config,
        database: Database,
        publish: Callable[[Sequence[Change]], None],
        listed: Listed,
    ) -> None:
        self._config = config
        self._indicators = Indicators(listed)
        self._database = database
        self._publish = publish
        self._lock = threading.Lock()
        self._composed: Composed | None = None
        self._value: dict[str, Any] | None = None
        self._body = b"{}"
        self._revision = -1
        self._until: str | None = None
        self._tried_at = 0.0
        self._compiled_at: str | None = None
        self._error = ""

    def current(self) -> dict[str, Any]:
        """The answer of `GET /v1/agent/config`."""
        if self._value is None:
            self.refresh()
        return self._value or {}

    def body(self) -> bytes:
        """`current` as JSON, written once for all agents."""
        self.current()
        return self._body

    def version(self) -> str:
        """Content hash of `current`."""
        return str(self.current()["version"])

    def composed(self) -> Composed:
        """The newest good plan, with what the rules page says of it."""
        if self._composed is None:
            self.refresh()
        return self._composed or Composed(plan.decode(packaged_plan()), (), {}, ())

    def state(self) -> dict[str, Any]:
        """What is in force since when, and what of the policy is not."""
        known = self._revision
        with self._database.reading() as connection:
            # Asked before the rest is read: what is said to be in force is at least as new as this.
            pending = policy.revision(connection) != known
        value = self.current()
        return {
            "version": value["plan"]["version"],
            "config_version": value["version"],
            "compiled_at": self._compiled_at,
            "error": self._error,
            "pending": pending,
            "indicators": self._indicators.summary(),
            "problems": [told(problem) for problem in self.composed().problems[:MAX_PROBLEMS]],
        }

    def defaults(self) -> Mapping[str, Any]:
        """Settings that no administrator has set."""
        return {**SETTINGS, "enforce": self._config.enforce}

    def due(self) -> bool:
        """Whether the policy is another than the one in force."""
        with self._database.reading() as connection:
            revision = policy.revision(connection)
        if revision != self._revision or (self._until is not None and self._until <= clock.now()):
            return True
        if self._indicators.due():
            return True
        return bool(self._error) and time.monotonic() - self._tried_at > AGAIN_SECONDS

    def refresh(self) -> None:
        """Make the plan of the policy as it is now. Never raises: the last good one stays when it cannot be made."""
        with self._lock:
            self._tried_at = time.monotonic()
            now = clock.now()
            with self._database.reading() as connection:
                # The number first: a change that comes while the rest is read is seen as a change again.
                revision = policy.revision(connection)
                settings = {**self.defaults(), **policy.settings(connection)}
                until = waivers.expiry(connection, now)
            error = self._made(settings, now)
            self._revision, self._until = revision, until
            if error or self._error:
                LOG.warning("the plan of the policy", error=error) if error else LOG.info("the plan is well again")
            self._error = error
            version = str((self._value or {}).get("version"))
        self._publish([Change("rules/state", {"version": version, "compiled_at": self._compiled_at, "error": error})])

    def _made(self, settings: Mapping[str, Any], now: str) -> str:
        """Compose and put in force; what hinders it in words, or ""."""
        error = ""
        try:
            with self._database.reading() as connection:
                wanted = policy.policy(connection, now, bool(settings["samples"]))
                images = denied.rule_file(connection)
            if images is not None:
                wanted = dataclasses.replace(wanted, files=(*wanted.files, images))
            composed = compose.compose(dataclasses.replace(wanted, indicators=self._indicators.packed()))
            body = _proven(plan.encode(composed.plan))
        except Exception as failure:  # whatever people wrote: agents keep what they have
            error = _words(failure)
            if self._value is not None and self._composed is not None:
                self._serve(self._value["plan"], settings)
                return error
            composed, body = self._fallen_back(error)
        else:
            self._compiled_at = now
        known = (self._value or {}).get("plan", {}).get("version")
        self._composed = composed
        self._serve(body, settings)
        if not error and body["version"] != known:
            self._keep(body, now)
        return error

    def _serve(self, body: dict[str, Any], settings: Mapping[str, Any]) -> None:
        value = {
            "plan": body,
            "intervals": dataclasses.asdict(self._config.intervals),
            "enforce": bool(settings["enforce"]),
        }
        whole = {"version": ids.content_hash(value), **value}
        self._body = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
        self._value = whole

    def _keep(self, body: dict[str, Any], now: str) -> None:
        """For a start with a policy that does not compile. A disk that is full hinders no plan from being in force."""

        def work(connection: Connection) -> None:
            policy.keep_plan(connection, body["version"], body, now)

        try:
            self._database.write(alone(work))
        except Exception as error:
            LOG.warning("the plan is in force but not kept", error=repr(error))

    def _fallen_back(self, error: str) -> tuple[Composed, dict[str, Any]]:
        """At the start of a server whose policy cannot be composed: what was in force before, else what is packaged."""
        with self._database.reading() as connection:
            kept = policy.last_good(connection)
        if kept is not None:
            try:
                decoded = plan.decode(kept["body"])
            except SeawallError as failure:
                LOG.warning("the kept plan cannot be used", error=str(failure))
            else:
                self._compiled_at = kept["compiled_at"]
                return Composed(decoded, decoded.rules, {}, ()), dict(kept["body"])
        LOG.warning("the policy cannot be composed; the packaged rules are used", error=error)
        packaged = packaged_plan()
        decoded = plan.decode(packaged)
        return Composed(decoded, decoded.rules, {}, ()), packaged


async def watch(plans: Plans, ring: Callable[[], None]) -> None:
    """Until cancelled: make the plan again when the policy has changed or a waiver has ended; `ring` wakes agents."""
    while True:
        try:
            if await asyncio.to_thread(plans.due):
                await asyncio.to_thread(plans.refresh)
                ring()
        except Exception as error:
            LOG.exception("the plan could not be looked after", error=repr(error))
        await asyncio.sleep(LOOK_SECONDS)


def packaged_plan() -> dict[str, Any]:
    """The packaged rules as a plan: compiled now, or as the build compiled them when that fails."""
    from seawall import runtime

    try:
        return plan.encode(compose.compose(Policy()).plan)
    except Exception as error:
        built = Path(runtime.__path__[0]) / "rules" / "plan.json"
        LOG.warning("the packaged rules do not compile; the built plan is used", error=repr(error))
        found: dict[str, Any] = json.loads(built.read_text())
        return found


def _proven(body: dict[str, Any]) -> dict[str, Any]:
    """A plan that agents will take. Raises what they would: one that they refuse would leave them with an old one."""
    size = len(json.dumps(body, separators=(",", ":")))
    if size > plan.MAX_BYTES:
        raise SeawallError(f"the plan has {size} bytes, an agent takes {plan.MAX_BYTES}", "switch something off")
    Engine(plan.decode(body), boot=0.0)
    return body


def _words(failure: Exception) -> str:
    if isinstance(failure, SeawallError):
        return f"{failure} — {failure.hint}" if failure.hint else str(failure)
    return repr(failure)[:500]
