"""Dart's order. Source: pub_semver: SemVer, but what follows a plus orders too, and is after the bare version."""

from typing import Any

from seawall.intel.versions import semver


def key(version: str) -> tuple[Any, ...]:
    """Sort key."""
    build = version.partition("+")[2]
    return (semver.key(version), semver.identifiers(build) if build else ())
