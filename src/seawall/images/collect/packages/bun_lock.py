"""bun.lock, which is JSON with commas too many: only the list of packages is read. Source: Bun, lockfile page"""

import re

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text

_ENTRY = re.compile(r'^\s*"[^"\n]+"\s*:\s*\[\s*"((?:@[^/"@\n]+/)?[^"@\n]+)@(\d[^"\n]*)"', re.MULTILINE)


def read(_path: str, data: Buffer) -> Read:
    """All packages of a registry; workspaces and git folders have no version there."""
    _, found, packages = text(data).partition('"packages"')
    if not found:
        raise ValueError("bun.lock lists no packages")
    return named("npm", (match.groups() for match in _ENTRY.finditer(packages)))


FORMAT = Format(files=("**/bun.lock",), read=read, kinds=("npm",), limit=32 << 20, declared=True)
