"""Installed gems: specifications/NAME.gemspec, which RubyGems writes. Source: RubyGems, Specification Reference"""

import re

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, text
from seawall.images.model import Package

_QUOTED = r"""(?:"([^"\n]*)"|'([^'\n]*)'|%q\{([^}\n]*)\})"""
_NAME = re.compile(rf"^\s*\w+\.name\s*=\s*{_QUOTED}", re.MULTILINE)
_VERSION = re.compile(rf"^\s*\w+\.version\s*=\s*(?:Gem::Version\.new\s*\(?\s*)?{_QUOTED}", re.MULTILINE)
_LICENSE = re.compile(rf"^\s*\w+\.licenses?\s*=\s*\[?\s*{_QUOTED}", re.MULTILINE)


def read(_path: str, data: Buffer) -> Read:
    """The one gem. Raises ValueError when a program would have to be run to know it."""
    spec = text(data)
    name, version, licence = (_value(pattern, spec) for pattern in (_NAME, _VERSION, _LICENSE))
    if not name or not version:
        raise ValueError("the specification does not say name and version in plain words")
    return Read([Package(name, version, "gem", "", license=licence, evidence="gemspec")])


def _value(pattern: re.Pattern[str], spec: str) -> str:
    match = pattern.search(spec)
    return clean(next(filter(None, match.groups()), "")) if match else ""


FORMAT = Format(
    files=("**/specifications/*.gemspec", "**/specifications/default/*.gemspec"),
    read=read,
    kinds=("gem",),
    fields=("name", "version", "license"),
)
