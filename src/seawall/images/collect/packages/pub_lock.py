"""pubspec.lock of Dart and Flutter. Source: Dart, Package dependencies"""

import re
from collections.abc import Iterator

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text

_NAME = re.compile(r"  ([A-Za-z0-9_]+):\s*")
_VERSION = re.compile(r"""    version:\s*["']?([^"'\s]+)["']?\s*""")


def read(_path: str, data: Buffer) -> Read:
    """All packages."""
    return named("pub", _entries(text(data)))


def _entries(lock: str) -> Iterator[tuple[str, str]]:
    inside, name = False, ""
    for line in lock.split("\n"):
        if line[:1] not in (" ", "#", ""):
            inside = line.rstrip() == "packages:"
        elif inside and (match := _NAME.fullmatch(line[:1024])):
            name = match[1]
        elif inside and name and (found := _VERSION.fullmatch(line[:1024])):
            yield name, found[1]


FORMAT = Format(files=("**/pubspec.lock",), read=read, kinds=("pub",), declared=True)
