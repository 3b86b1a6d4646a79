"""gradle.lockfile. Source: Gradle, Locking dependency versions"""

import re

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text

_LINE = re.compile(r"([^:=#\s]+:[^:=#\s]+):([^:=#\s]+)=\S*")


def read(_path: str, data: Buffer) -> Read:
    """All modules of all configurations."""
    lines = text(data).split("\n")
    return named("maven", (match.groups() for line in lines if (match := _LINE.fullmatch(line[:4096].strip()))))


FORMAT = Format(files=("**/gradle.lockfile",), read=read, kinds=("maven",), declared=True)
