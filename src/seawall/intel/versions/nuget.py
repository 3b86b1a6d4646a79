"""NuGet's order: four numbers, then SemVer's pre-release without regard to case. Source: NuGet.Versioning's rules."""

from typing import Any

from seawall.intel.versions import semver


def key(version: str) -> tuple[Any, ...]:
    """Sort key; missing numbers are zeros."""
    return semver.compared(version.lower(), numbers=4)
