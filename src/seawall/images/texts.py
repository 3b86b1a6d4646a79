"""What rules and checks say of themselves in each language, for those who show findings."""

import functools
from typing import Any

from seawall.core.errors import SeawallError
from seawall.images.collect.secrets import load
from seawall.images.detect.checks import CHECKS
from seawall.images.detect.sensitive import KINDS


def of(kind: str, rule: str) -> dict[str, Any]:
    """`title`, and where there is one `why` and `fix`, each {en, zh}; nothing for a rule of a user's own."""
    if kind == "secret":
        return _secrets().get(rule, {})
    return _checks().get(rule, {}) if kind == "config" else {}


@functools.cache
def _checks() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {one.id: {"title": {"en": one.en, "zh": one.zh}} for one in KINDS}
    for check in CHECKS.values():
        parts = zip(("title", "why", "fix"), check.en, check.zh, strict=True)
        found[check.id] = {name: {"en": en, "zh": zh} for name, en, zh in parts}
    return found


@functools.cache
def _secrets() -> dict[str, dict[str, Any]]:
    try:
        return {one.id: {"title": dict(one.title), "fix": dict(one.advice)} for one in load()}
    except SeawallError:
        return {}  # the rules were not built here; findings have their own titles
