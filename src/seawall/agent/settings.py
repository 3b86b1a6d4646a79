"""The configuration the agent works by: the server's newest good one, kept on disk; before that the packaged plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seawall.agent.identity import write
from seawall.core import pieces
from seawall.core.errors import Hostile, SeawallError
from seawall.runtime import plan as plans
from seawall.runtime.detect.engine import Engine
from seawall.runtime.model import Plan

INTERVALS = {"heartbeat": 30, "hosts": 300, "containers": 60, "images": 300, "processes": 60, "ports": 60}
"""Seconds; what the server does not name. `hosts` follows `images` on the wire."""
LEAST, MOST = 5.0, 86400.0
"""Bounds of an interval, whatever the server says."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One configuration."""

    version: str
    plan: Plan
    enforce: bool = False
    intervals: Mapping[str, float] = field(default_factory=lambda: dict(INTERVALS))
    quarantine_malware: bool = False
    """Whether the node moves into quarantine, by itself, what its scanner finds malicious."""


def decode(value: Mapping[str, Any]) -> Settings:
    """The answer of `GET /v1/agent/config`. Raises Hostile naming what is wrong; nothing of it is taken then."""
    plan, wanted, enforce = value.get("plan"), value.get("intervals"), value.get("enforce", False)
    if not isinstance(plan, dict) or not isinstance(wanted, dict) or not isinstance(enforce, bool):
        raise Hostile("a configuration has `plan`, `intervals` and `enforce`; this one lacks some")
    intervals: dict[str, float] = dict(INTERVALS)
    for name, seconds in wanted.items():
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MOST:
            raise Hostile(f"the interval of {name} is {seconds!r}")
        intervals[name] = max(LEAST, float(seconds))
    decoded = plans.decode(plan)
    try:
        Engine(decoded, boot=0.0)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise Hostile(f"a rule of the plan cannot be worked out: {error!r}", "upgrade the agent") from error
    automatic = (value.get("responses") or {}).get("auto") or {}
    quarantine = automatic.get("quarantine_malware") is True
    return Settings(str(value.get("version", "")), decoded, enforce, intervals, quarantine)


def written(value: Mapping[str, Any]) -> str:
    """The JSON text of a configuration as it came."""
    return pieces.dumps(value, ("plan",), plans.LONG)


def read(text: str) -> Settings:
    """As `decode`, of a configuration's JSON text. Raises Hostile too, and ValueError when it is no JSON."""
    return decode(pieces.loads(text, ("plan",), plans.LONG))


def first(kept: Path) -> tuple[Settings | None, str]:
    """What to start with: the last good configuration, else the packaged plan; and what was wrong on the way."""
    complaint = ""
    try:
        return read(kept.read_bytes().decode()), ""
    except FileNotFoundError:
        pass
    except (OSError, ValueError, SeawallError, RecursionError, AttributeError) as error:
        complaint = f"the kept configuration cannot be used: {error}; "
    try:
        plan = plans.read()
    except SeawallError as error:
        return None, f"{complaint}{error}"
    return Settings("", plan), complaint.removesuffix("; ")


def keep(path: Path, text: str) -> None:
    """Store a configuration that was read without complaint."""
    write(path, text)
