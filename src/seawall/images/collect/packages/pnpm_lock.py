"""pnpm-lock.yaml of the versions 5 to 9: only the keys of `packages` are read. Source: pnpm/spec, lockfile"""

import re
from collections.abc import Iterator

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text

_AT = re.compile(r"/?((?:@[^/@]+/)?[^/@]+)@(\d[^(_]*)(?:[(_].*)?")
_SLASH = re.compile(r"/((?:@[^/]+/)?[^/@]+)/(\d[^_(]*)(?:[_(].*)?")


def read(_path: str, data: Buffer) -> Read:
    """All packages of a registry."""
    return named("npm", _keys(text(data)))


def _keys(lock: str) -> Iterator[tuple[str, str]]:
    inside = False
    for line in lock.split("\n"):
        if line[:1] not in (" ", "#", "", "\r"):
            inside = line.rstrip() == "packages:"
        elif inside and line.startswith("  ") and line[2:3] not in (" ", "#") and line.rstrip().endswith(":"):
            key = line.strip()[:-1].strip("'\"")[:1024]
            if match := _AT.fullmatch(key) or _SLASH.fullmatch(key):
                yield match[1], match[2]


FORMAT = Format(files=("**/pnpm-lock.yaml",), read=read, kinds=("npm",), limit=32 << 20, declared=True)
