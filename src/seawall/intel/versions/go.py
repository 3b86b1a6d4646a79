"""Go's order. Source: Go Modules Reference: SemVer with a leading v; +incompatible and other builds do not order.

Pseudo-versions (v1.2.4-0.20240102030405-abcdef012345) are pre-releases and sort as such. The standard library's
versions are the toolchain's: go1.21rc2 is 1.21.0-rc.2.
"""

import re
from typing import Any

from seawall.intel.versions import semver

_TOOLCHAIN = re.compile(r"(?:go|v)?([0-9]+(?:\.[0-9]+)*)(rc|beta|alpha)([0-9]+)")


def key(version: str) -> tuple[Any, ...]:
    """Sort key; a devel toolchain is before all releases."""
    text = version.strip().partition(" ")[0]
    found = _TOOLCHAIN.fullmatch(text)
    return semver.key(f"{found[1]}-{found[2]}.{found[3]}" if found else text)
