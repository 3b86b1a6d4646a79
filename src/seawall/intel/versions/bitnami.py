"""Bitnami's order: SemVer, but a number alone after the dash is the build of the package: 1.2.3-1 is after 1.2.3."""

import re
from typing import Any

from seawall.intel.versions import semver

_BUILT = re.compile(r"(.*)-([0-9]+)", re.DOTALL)


def key(version: str) -> tuple[Any, ...]:
    """Sort key; no build is build 0."""
    found = _BUILT.fullmatch(version.strip().partition("+")[0])
    return (semver.key(found[1]), int(found[2])) if found else (semver.key(version), 0)
