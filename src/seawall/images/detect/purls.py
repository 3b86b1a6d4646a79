"""Whether a package URL speaks of a package: its version and qualifiers only count where the pattern has them."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

MAX_PURL = 2048


@dataclass(frozen=True, slots=True)
class Purl:
    """The parts of a package URL. Source: https://github.com/package-url/purl-spec"""

    type: str
    path: str
    """Namespace and name."""
    version: str
    qualifiers: tuple[tuple[str, str], ...]


@lru_cache(1 << 14)
def parsed(text: str) -> Purl | None:
    """The parts, or None for what is no package URL."""
    if not text.startswith("pkg:") or len(text) > MAX_PURL:
        return None
    rest, _, _subpath = text[4:].partition("#")
    rest, _, query = rest.partition("?")
    kind, slash, rest = rest.lstrip("/").partition("/")
    path, at, version = rest.rpartition("@")
    if not at or "/" in version:
        path, version = rest, ""
    if not slash or not path:
        return None
    pairs = (part.partition("=") for part in query.split("&") if part)
    qualifiers = tuple(sorted((name.lower(), unquote(value)) for name, _, value in pairs))
    kind = kind.lower()
    path = unquote(path.strip("/"))
    return Purl(kind, path.lower() if kind in _LOWER else path, unquote(version), qualifiers)


_LOWER = ("pypi", "deb", "apk", "oci", "composer", "hex", "pub", "nuget", "golang", "github")


def speaks_of(pattern: str, purl: str) -> bool:
    """Whether a statement about `pattern` holds for the package `purl`."""
    said, there = parsed(pattern), parsed(purl)
    if said is None or there is None or (said.type, said.path) != (there.type, there.path):
        return False
    mine = dict(there.qualifiers)
    if said.version and said.version != there.version and said.version != f"{mine.get('epoch', '0')}:{there.version}":
        return False
    return all(
        mine.get(name, value) == value
        for name, value in said.qualifiers
        if name in ("arch", "distro") and value != "src"
    )
