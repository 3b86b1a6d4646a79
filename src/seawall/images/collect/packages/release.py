"""Well-known products that came without a package, by a file that says their version; see products.RELEASES."""

import re
from functools import lru_cache

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, glob
from seawall.images.collect.products import RELEASES, cpes
from seawall.images.model import Package

_LOOKED = 64 << 10


def read(path: str, data: Buffer) -> Read:
    """The product, if the file is the one of it that says its version."""
    head = bytes(data[:_LOOKED])
    found = []
    for one in RELEASES:
        if glob(one.files).fullmatch(path) and (match := _pattern(one.version).search(head)):
            version = clean(match[1].decode("utf-8", "replace"))
            found.append(
                Package(one.name, version, "generic", "", cpes=cpes(one.cpe, version), evidence="release file")
            )
    return Read(found)


@lru_cache(64)
def _pattern(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


FORMAT = Format(
    files=tuple(dict.fromkeys(one.files for one in RELEASES)),
    read=read,
    kinds=("generic",),
    fields=("name", "version", "cpes"),
)
