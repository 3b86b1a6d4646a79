"""package-lock.json and npm-shrinkwrap.json in versions 1 to 3. Source: package-lock-json(5) of npm"""

from collections.abc import Iterator
from typing import Any

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, parsed

MAX_DEPTH = 64
"""Dependencies in dependencies, in version 1."""


def read(_path: str, data: Buffer) -> Read:
    """Packages of other places than the registry, too; links and the project itself are none."""
    found = parsed(data, "package-lock.json")
    packages = found.get("packages")
    return named(
        "npm", _flat(packages) if isinstance(packages, dict) else _nested(found.get("dependencies"), MAX_DEPTH)
    )


def _flat(packages: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    for path, about in packages.items():
        name = path.rpartition("node_modules/")[2]
        if "node_modules/" in path and isinstance(about, dict) and not about.get("link"):
            yield about.get("name", name), about.get("version")


def _nested(packages: Any, depth: int) -> Iterator[tuple[Any, Any]]:
    if isinstance(packages, dict) and depth:
        for name, about in packages.items():
            if isinstance(about, dict):
                yield name, about.get("version")
                yield from _nested(about.get("dependencies"), depth - 1)


FORMAT = Format(
    files=("**/package-lock.json", "**/npm-shrinkwrap.json"), read=read, kinds=("npm",), limit=32 << 20, declared=True
)
