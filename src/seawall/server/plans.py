"""The configuration that agents should have: the compiled runtime plan, the intervals, whether to enforce."""

import dataclasses
import json
import threading
from pathlib import Path
from typing import Any

import structlog

from seawall.core import ids
from seawall.server.config import Config

LOG = structlog.get_logger("seawall.plans")


class Plans:
    """Compiles once, at the first question; agents ask again when the version in a reply is not theirs."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._value: dict[str, Any] | None = None

    def current(self) -> dict[str, Any]:
        """The answer of `GET /v1/agent/config`."""
        with self._lock:
            if self._value is None:
                self._value = self._made()
            return self._value

    def version(self) -> str:
        """Content hash of `current`."""
        return str(self.current()["version"])

    def _made(self) -> dict[str, Any]:
        body = {
            "plan": compiled_plan(),
            "intervals": dataclasses.asdict(self._config.intervals),
            "enforce": self._config.enforce,
        }
        return {"version": ids.content_hash(body), **body}


def compiled_plan() -> dict[str, Any]:
    """The packaged rules as a plan: compiled now, or as the build compiled them when that fails."""
    from seawall import runtime
    from seawall.runtime import load, plan

    try:
        return plan.encode(load.system_plan())
    except Exception as error:
        built = Path(runtime.__path__[0]) / "rules" / "plan.json"
        LOG.warning("the packaged rules do not compile; the built plan is used", error=repr(error))
        found: dict[str, Any] = json.loads(built.read_text())
        return found
