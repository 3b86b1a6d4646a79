"""The server's settings: defaults, then `server.toml` in the state folder, then SEAWALL_… variables, then flags.

docs/reference/configuration.md lists them for people.
"""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError

FILE = "server.toml"


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds between two collections of an agent."""

    heartbeat: int = 30
    containers: int = 60
    images: int = 300
    processes: int = 30
    ports: int = 30
    facts: int = 86400


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. All times are seconds unless the name says otherwise."""

    state: Path
    """Folder with the database, the CA and the first password. Nothing is written elsewhere."""
    listen: str = "0.0.0.0"
    port: int = 8443
    """API and console."""
    gateway_port: int = 8444
    """Enrolled agents."""
    names: tuple[str, ...] = ()
    """Further host names and addresses by which clients reach this server; the first is put into install commands."""
    enforce: bool = False
    """Whether agents carry out a rule's `block`; else a block is only alerted."""
    agent_late: int = 75
    """Silence after which an agent is late …"""
    agent_offline: int = 180
    """… and after which it is offline and its orders fail."""
    session_idle_hours: int = 12
    session_days: int = 30
    """A session ends after this even when it is used, so a wallboard is logged in again once a month."""
    writer_queue: int = 2000
    """Transactions that may wait for the writer; beyond it requests are told to come again."""
    scan_workers: int = 1
    """Images of registries that this server scans at a time; each may take a core and 200 MB."""
    feed_updates: bool = False
    """Whether this server fetches advisories by itself; `seawall intel update` does it by hand."""
    log_level: str = "info"
    intervals: Intervals = field(default_factory=Intervals)

    @property
    def database(self) -> Path:
        """The SQLite file with everything but advisories."""
        return self.state / "seawall.db"

    @property
    def intel(self) -> Path:
        """The SQLite file with advisories and other intelligence."""
        return self.state / "intel.db"

    @property
    def authority(self) -> Path:
        """The folder of the certificate authority."""
        return self.state / "ca"

    @property
    def first_password(self) -> Path:
        """The file with the first password; gone once it is changed."""
        return self.state / "first-password"


def load(
    state: Path, environment: Mapping[str, str] | None = None, file: Path | None = None, **flags: object
) -> Config:
    """The settings in force. Raises SeawallError naming the file or variable and what is allowed there."""
    values: dict[str, Any] = {}
    path = file or state / FILE
    if file is not None or path.is_file():
        values |= _from_file(path)
    values |= _from_environment(os.environ if environment is None else environment)
    values |= {name: value for name, value in flags.items() if value is not None}
    config = Config(state=state.absolute(), **values)
    _check(config)
    return config


def _from_file(path: Path) -> dict[str, Any]:
    try:
        words = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SeawallError(
            f"cannot read {path}: {error}", "it is a TOML file; see docs/reference/configuration.md"
        ) from error
    found: dict[str, Any] = {}
    for name, value in words.items():
        if name == "intervals" and isinstance(value, dict):
            found[name] = _intervals(value, str(path))
        else:
            found[name] = _typed(Config, name, value, str(path))
    return found


def _intervals(words: Mapping[str, object], where: str) -> Intervals:
    values: dict[str, Any] = {key: _typed(Intervals, key, item, where) for key, item in words.items()}
    return Intervals(**values)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """SEAWALL_PORT=443, SEAWALL_NAMES=a,b. Variables that name no setting belong to other commands."""
    names = {item.name for item in dataclasses.fields(Config)} - {"state", "intervals"}
    found = {}
    for name in sorted(names):
        text = environment.get(f"SEAWALL_{name.upper()}")
        if text is not None:
            found[name] = _typed(Config, name, text, f"SEAWALL_{name.upper()}")
    return found


def _typed(owner: type, name: str, value: object, where: str) -> object:
    """The value in the type of the setting `name` of `owner`."""
    kinds = {item.name: item.type for item in dataclasses.fields(owner)}
    if name not in kinds or name in ("state", "intervals"):
        raise SeawallError(f"{where}: there is no setting {name!r}", f"settings are: {', '.join(sorted(kinds))}")
    kind = kinds[name]
    if kind is bool:
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        raise SeawallError(f"{where}: {name} is true or false, not {value!r}")
    if kind is int:
        if isinstance(value, bool) or not str(value).isdigit():
            raise SeawallError(f"{where}: {name} is a whole number, not {value!r}")
        return int(str(value))
    if kind is str:
        return str(value)
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise SeawallError(f"{where}: {name} is a list, not {value!r}")
    return tuple(str(part).strip() for part in parts if str(part).strip())


def _check(config: Config) -> None:
    if not (0 <= config.port < 65536 and 0 <= config.gateway_port < 65536):
        raise SeawallError("port and gateway_port are numbers from 0 to 65535 (0 takes a free one)")
    if config.port == config.gateway_port != 0:
        raise SeawallError(
            f"port and gateway_port are both {config.port}", "people and agents come in by two doors: choose two"
        )
    if not 0 < config.agent_late < config.agent_offline:
        raise SeawallError("agent_late must be more than 0 and less than agent_offline")
    if not 0 <= config.scan_workers <= 64:
        raise SeawallError("scan_workers is from 0 (this server scans nothing) to 64")
    if config.log_level not in ("debug", "info", "warning", "error"):
        raise SeawallError(f"log_level is debug, info, warning or error, not {config.log_level!r}")
    if any(value <= 0 for value in dataclasses.astuple(config.intervals)):
        raise SeawallError("every interval is at least 1 second")
