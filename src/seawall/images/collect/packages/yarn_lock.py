"""yarn.lock of Yarn 1 and of later ones ("berry"). Source: Yarn, packages/lockfile and packages/yarnpkg-core"""

import re
from collections.abc import Iterator

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text

_ENTRY = re.compile(r'"?((?:@[^/"\s]+/)?[^@"\s/]+)@(?:npm:((?:@[^/"\s]+/)?[^@"\s/]+)@)?[^\n]*:\s*')
_VERSION = re.compile(r'  version:? "?([^"\s]+)"?\s*')


def read(_path: str, data: Buffer) -> Read:
    """All packages; those of the project's own workspaces are none."""
    return named("npm", _entries(text(data)))


def _entries(lock: str) -> Iterator[tuple[str, str]]:
    name = ""
    for line in lock.split("\n"):
        if line[:1] not in (" ", "#", ""):
            match = _ENTRY.fullmatch(line[:4096])
            own = "@workspace:" in line or "@link:" in line or "@portal:" in line
            name = (match[2] or match[1]) if match and not own else ""
        elif name and line.startswith("  version") and (found := _VERSION.fullmatch(line[:4096])):
            yield name, found[1]
            name = ""


FORMAT = Format(files=("**/yarn.lock",), read=read, kinds=("npm",), limit=32 << 20, declared=True)
