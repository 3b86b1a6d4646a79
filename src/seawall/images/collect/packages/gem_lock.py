"""Gemfile.lock of Bundler. Source: Bundler, lib/bundler/lockfile_parser.rb"""

import re

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text

_SPEC = re.compile(r"^    ([^\s(]+) \((\d[^)\n]*)\)\s*$", re.MULTILINE)
_PLATFORM = re.compile(r"-(?:x86|x64|arm|aarch64|java|mingw|universal|ppc|s390).*")


def read(_path: str, data: Buffer) -> Read:
    """All gems; a version is given without the platform that it is built for."""
    return named("gem", ((name, _PLATFORM.sub("", version)) for name, version in _SPEC.findall(text(data))))


FORMAT = Format(files=("**/Gemfile.lock", "**/gems.locked"), read=read, kinds=("gem",), declared=True)
