"""What should be: checks as data, facts as read, results as judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from seawall.core.severity import Severity

SCHEMA = "seawall.baseline/1"


class Outcome(StrEnum):
    """A verdict. Only PASS is a pass; the last four are shown apart and never counted as one."""

    PASS = "pass"
    FAIL = "fail"
    MANUAL = "manual"
    """Evidence was collected; a person has to judge it."""
    NOT_APPLICABLE = "not_applicable"
    NOT_CHECKED = "not_checked"
    """The facts could not be read; `reason` says why."""
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Asset:
    """What a check is about."""

    kind: str
    """docker_host or container (later: image, host, cluster …)."""
    id: str
    name: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a benchmark, from its YAML file. No code, no shell: `probe` names facts, `expect` a comparison."""

    id: str
    """Never reused: "docker-5.4"."""
    title: Mapping[str, str]
    """en, zh."""
    asset: str
    severity: Severity
    level: int
    probe: Mapping[str, Any]
    expect: Mapping[str, Any]
    applies_if: Mapping[str, Any] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    fix: Mapping[str, str] = field(default_factory=dict)
    mappings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Framework to its ids: {"cis-docker-1.6.0": ["5.4"]}."""
    manual: bool = False


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A named, ordered set of checks."""

    id: str
    """docker"""
    title: Mapping[str, str]
    version: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was read, and where. `error` instead of a value when it could not be."""

    value: Any
    where: str
    """For people: "GET /info .LiveRestoreEnabled", "/proc/4711/status CapBnd"."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of one asset, collected once; every benchmark is judged from them."""

    asset: Asset
    facts: Mapping[str, Fact]
    collected_at: str


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict of one check on one asset."""

    check: str
    asset: Asset
    outcome: Outcome
    evidence: tuple[Mapping[str, Any], ...] = ()
    """What was seen and where: {"where": …, "value": …, "expected": …}."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted deviation: a check on assets that match, by someone, for a reason, until a day."""

    id: str
    check: str
    selector: Mapping[str, str]
    """{"id": …}, {"name": glob}, {"host": …}; empty means all assets."""
    owner: str
    reason: str
    expires_at: str
