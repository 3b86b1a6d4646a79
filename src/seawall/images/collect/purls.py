"""Packages from their URLs. Source: https://github.com/package-url/purl-spec; the way back is normalise.purl."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from seawall.images.collect.packages.format import clean
from seawall.images.model import Package

MAX_LENGTH = 4096
_OF_DISTRIBUTIONS = ("deb", "apk", "rpm", "alpm", "opkg")


@dataclass(frozen=True, slots=True)
class Purl:
    """The parts, decoded."""

    kind: str
    namespace: str
    name: str
    version: str
    qualifiers: dict[str, str]


def parse(text: str) -> Purl:
    """Raises ValueError when the text is none."""
    rest = text.removeprefix("pkg:").lstrip("/")
    if not text.startswith("pkg:") or len(text) > MAX_LENGTH:
        raise ValueError(f"{text[:100]!r} is no package URL")
    rest = rest.partition("#")[0]
    rest, _, query = rest.partition("?")
    kind, _, rest = rest.partition("/")
    at = rest.rfind("@")
    version = unquote(rest[at + 1 :]) if at > rest.rfind("/") else ""
    path = rest[:at] if version else rest
    parts = [unquote(part) for part in path.split("/") if part]
    if not kind or not parts:
        raise ValueError(f"{text[:100]!r} names no package")
    return Purl(kind.lower(), "/".join(parts[:-1]), parts[-1], version, dict(parse_qsl(query)[:20]))


def package(found: Purl, name: str = "", version: str = "") -> Package:
    """As a database of that kind would have told it. `name` and `version` are what the document says beside."""
    kind, qualifiers = found.kind, found.qualifiers
    called = found.name
    if kind == "maven":
        called = f"{found.namespace}:{found.name}" if found.namespace else found.name
    elif kind in ("npm", "golang", "composer", "swift", "hex", "cpan") and found.namespace:
        called = f"{found.namespace}/{found.name}"
    elif kind == "pypi" and name and name.lower().replace("_", "-") == found.name:
        called = name
    number = found.version or version
    if kind == "rpm" and (epoch := qualifiers.get("epoch", "")) not in ("", "0") and ":" not in number:
        number = f"{epoch}:{number}"
    source, source_version = _source(found, number)
    return Package(
        name=clean(called),
        version=clean(number),
        kind=clean(kind),
        purl="",
        source_name=clean(source),
        source_version=clean(source_version),
        arch=clean(qualifiers.get("arch", "")) if kind in _OF_DISTRIBUTIONS else "",
    )


def _source(found: Purl, version: str) -> tuple[str, str]:
    """What others write as `upstream`: a name, with a version where it differs; of an rpm the file's name."""
    upstream = found.qualifiers.get("upstream", "")
    if found.kind not in _OF_DISTRIBUTIONS:
        return "", ""
    if not upstream:
        return found.name, version  # as databases mean it when they name no source
    if found.kind == "rpm":
        parts = upstream.removesuffix(".src.rpm").rsplit("-", 2)
        if len(parts) == 3:
            epoch = f"{version.partition(':')[0]}:" if ":" in version else ""
            return parts[0], f"{epoch}{parts[1]}-{parts[2]}"
        return upstream, version
    name, at, number = upstream.partition("@")
    return name, number if at else version
