"""Deeds are played in containers of their own, several at once; then what the sensor told of each is looked at."""

import shlex
import subprocess
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from scenes import images
from seawall.core.severity import Severity
from watching import Watcher

AT_ONCE = 6
HOST = "the host"
"""The outcome under which alerts of no container are."""
PATIENCE = 12.0
"""Seconds after the last deed until every alert must be there."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done in a container, and the least that must be told of it.

    `command` is given to `sh -c` after a second of quiet; `{X}` are the stage's words. `told`: categories, any of them.
    """

    name: str
    command: str
    told: str
    least: Severity = Severity.HIGH
    image: str = "debian"
    options: str = ""
    works: bool = True
    """Its exit code must be 0; False: an attempt that may be refused."""
    rule: str = ""
    """If given: this rule, whatever its category and severity."""
    alerts: int = 0
    """At most so many lines of alerts; 0: not counted."""


@dataclass
class Outcome:
    """What became of a deed."""

    container: str = ""
    code: int = -1
    said: str = ""
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def fits(self, deed: Deed) -> bool:
        if deed.rule:
            return any(alert["rule"] == deed.rule for alert in self.alerts)
        return any(
            alert["category"] in deed.told.split() and Severity(alert["severity"]).rank >= deed.least.rank
            for alert in self.alerts
        )

    def seen(self) -> list[tuple[str, str, str, str]]:
        return [(a["category"], a["rule"], str(a["severity"]), a["process"].get("exe", "")) for a in self.alerts]


def run(prefix: str, deed: Deed, words: Mapping[str, str]) -> Outcome:
    command, options = "sleep 1; " + deed.command, deed.options
    for word, value in words.items():
        command, options = command.replace(f"{{{word}}}", value), options.replace(f"{{{word}}}", value)
    name = f"{prefix}-{deed.name}"
    image = images.find(deed.image)
    found = Outcome(images.docker("run", "-d", "--name", name, *shlex.split(options), image, "sh", "-c", command))
    done = subprocess.run(["docker", "wait", name], capture_output=True, text=True, timeout=60, check=False)
    found.code = int(done.stdout.strip() or -1)
    logs = subprocess.run(["docker", "logs", name], capture_output=True, timeout=20, check=False)
    found.said = (logs.stdout + logs.stderr).decode(errors="replace")[-500:]
    return found


def play(watcher: Watcher, prefix: str, deeds: Iterable[Deed], words: Mapping[str, str]) -> dict[str, Outcome]:
    """All of them; returns when everything was told, or patience is at its end."""
    deeds = list(deeds)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda deed: run(prefix, deed, words), deeds))
    found = {deed.name: outcome for deed, outcome in zip(deeds, outcomes, strict=True)}
    found[HOST] = Outcome()
    outcomes.append(found[HOST])
    deadline = time.monotonic() + PATIENCE
    while True:
        alerts = watcher.alerts()
        for outcome in outcomes:
            outcome.alerts = [
                alert for alert in alerts if (alert["container"] or {}).get("id", "") == outcome.container
            ]
        if all(found[deed.name].fits(deed) for deed in deeds) or time.monotonic() > deadline:
            return found
        time.sleep(0.3)


def _place(alert: Mapping[str, Any]) -> str:
    return str((alert["container"] or {}).get("id", ""))


def clear(prefix: str) -> None:
    """Remove the containers of a play."""
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"name=^{prefix}-"], capture_output=True, text=True, timeout=30, check=False
    ).stdout.split()
    if listed:
        subprocess.run(["docker", "rm", "-f", *listed], capture_output=True, timeout=120, check=False)
