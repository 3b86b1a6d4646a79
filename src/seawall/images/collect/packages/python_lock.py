"""Lock files of Python projects: requirements.txt, Pipfile.lock, poetry.lock, uv.lock, pdm.lock.

Sources: pip "Requirements File Format", pipenv, Poetry, uv and PDM documentation.
"""

import re
from collections.abc import Iterator
from typing import Any

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, parsed, text
from seawall.images.collect.tables import locked

_PINNED = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]\n]*\])?\s*===?\s*([\w.!+-]+)\s*(?:[;#\\ ].*)?", re.DOTALL)


def read(path: str, data: Buffer) -> Read:
    """Packages of one version; a range ("requests>2") names none."""
    if path.endswith(".txt"):
        lines = text(data).split("\n")
        return named("pypi", (match.groups() for line in lines if (match := _PINNED.fullmatch(line[:1024].rstrip()))))
    if path.endswith("Pipfile.lock"):
        return named("pypi", _pipfile(parsed(data, "Pipfile.lock")))
    return named("pypi", locked(text(data)))


def _pipfile(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for section in ("default", "develop"):
        packages = found.get(section)
        for name, about in packages.items() if isinstance(packages, dict) else ():
            version = about.get("version") if isinstance(about, dict) else None
            if isinstance(version, str):
                yield name, version.lstrip("=")


FORMAT = Format(
    files=(
        *(f"**/{name}" for name in ("requirements.txt", "Pipfile.lock", "poetry.lock", "uv.lock", "pdm.lock")),
        "**/requirements*.txt",
    ),
    read=read,
    kinds=("pypi",),
    limit=32 << 20,
    declared=True,
)
