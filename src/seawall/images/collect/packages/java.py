"""Java archives and what lies in them, archives in archives too: pom.properties, the manifest, else the file's name.

Sources: Maven's "Apache Maven Archiver" (pom.properties), the JAR file specification (manifest), OSGi core (bundles).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, listed
from seawall.images.collect.products import JARS, cpes
from seawall.images.collect.zips import Member, Zip
from seawall.images.model import Location, Package

ENDINGS = (".jar", ".war", ".ear", ".par", ".sar", ".jpi", ".hpi", ".lpkg", ".nar", ".kar", ".rar")
MAX_DEPTH = 5
"""Archives in archives."""
MAX_INNER = 256 << 20
"""Bytes of an archive in an archive; they are kept in memory while it is read."""
MAX_ALL = 1 << 30
"""Bytes that come out of one file, all its archives together."""
_MAX_TEXT = 1 << 20
_WANTED = re.compile(
    rb"META-INF/MANIFEST\.MF|META-INF/maven/[^/]+/[^/]+/pom\.properties|.*\.(?:jar|war|ear|par|sar|nar)", re.IGNORECASE
)
_NAME = re.compile(r"(.+?)[-_]v?(\d[\w.+-]*?)(?:[-.](?:sources|javadoc|tests?|shaded|all|jar-with-dependencies))?")
_VERSION = re.compile(r"\d[\w.+-]*")
_GROUP = re.compile(r"[A-Za-z][\w-]*(?:\.[\w-]+)+")


@dataclass(slots=True)
class _Reading:
    """What is left to be taken, and what went wrong inside."""

    left: int
    broken: str = ""


def read(path: str, data: Buffer) -> Read:
    """The archive's own package and those in it. Raises ValueError when the outer archive is broken."""
    reading = _Reading(MAX_ALL)
    found = listed(_archive(Zip(data), path.rpartition("/")[2], "", reading, MAX_DEPTH))
    if reading.broken and not found:
        raise ValueError(reading.broken)
    return Read(found)


def _archive(archive: Zip, name: str, inside: str, reading: _Reading, depth: int) -> Iterator[Package]:
    manifest: dict[str, str] = {}
    poms: list[dict[str, str]] = []
    inner: list[Member] = []
    for member in archive.members(lambda raw: _WANTED.fullmatch(raw) is not None):
        lower = member.name.lower()
        if lower.endswith((".properties", ".mf")):
            try:
                text = archive.read(member, _MAX_TEXT).decode("utf-8", "replace")
            except ValueError as error:
                reading.broken = reading.broken or str(error)
                continue
            if lower.endswith(".mf"):
                manifest = _manifest(text)
            else:
                poms.append(_properties(text))
        else:
            inner.append(member)
    places = (Location(inside, 0),) if inside else ()
    yield from _own(name, manifest, poms, places)
    for member in inner:
        yield from _inner(archive, member, f"{inside}!/{member.name}" if inside else member.name, reading, depth)


def _inner(archive: Zip, member: Member, inside: str, reading: _Reading, depth: int) -> Iterator[Package]:
    """What one broken archive costs is itself."""
    if not depth:
        reading.broken = reading.broken or f"archives in archives deeper than {MAX_DEPTH}"
        return
    if member.size > reading.left:
        reading.broken = reading.broken or f"more than {MAX_ALL} bytes in its archives"
        return
    try:
        data = archive.read(member, MAX_INNER)
        reading.left -= len(data)
        yield from _archive(Zip(data), member.name.rpartition("/")[2], inside, reading, depth - 1)
    except ValueError as error:
        reading.broken = reading.broken or str(error)


def _own(
    name: str, manifest: dict[str, str], poms: list[dict[str, str]], places: tuple[Location, ...]
) -> Iterator[Package]:
    """By Maven's own words, for all that was shaded into the archive too; else by the manifest, else by the name."""
    told = set()
    for pom in poms:
        group, artifact, version = (clean(pom.get(key, "")) for key in ("groupId", "artifactId", "version"))
        if artifact and version and "${" not in version:
            told.add(artifact)
            full = f"{group}:{artifact}" if group else artifact
            yield _artifact(full, version, places, "pom.properties")
    stem = name.rpartition(".")[0] or name
    match = _NAME.fullmatch(stem)
    artifact = match[1] if match else stem
    if told and (artifact in told or stem in told or len(told) == 1 or not match):
        return
    by_manifest = _by_manifest(manifest, artifact)
    version = (match[2] if match else "") or by_manifest[1]
    if artifact and version:
        full = f"{by_manifest[0]}:{artifact}" if by_manifest[0] else artifact
        evidence = "manifest" if by_manifest[1] else "file name"
        yield _artifact(clean(full), clean(version), places, evidence)


def _artifact(name: str, version: str, places: tuple[Location, ...], evidence: str) -> Package:
    known = cpes(JARS.get(name.rpartition(":")[2], ""), version)
    return Package(name, version, "maven", "", locations=places, cpes=known, evidence=evidence)


def _by_manifest(manifest: dict[str, str], artifact: str) -> tuple[str, str]:
    """Group ("" when nothing tells it with some confidence) and version."""
    symbolic = manifest.get("bundle-symbolicname", "").partition(";")[0].strip()
    vendor = manifest.get("implementation-vendor-id", "").strip()
    group = vendor if _GROUP.fullmatch(vendor) else ""
    if not group and _GROUP.fullmatch(symbolic):
        head, _, last = symbolic.rpartition(".")
        group = head if last == artifact else symbolic
    for key in ("implementation-version", "bundle-version", "specification-version"):
        if match := _VERSION.match(manifest.get(key, "").strip()):
            return group, match[0]
    return group, ""


def _manifest(text: str) -> dict[str, str]:
    """The main section; lines go on behind a space."""
    found: dict[str, str] = {}
    for line in text.replace("\r\n", "\n").replace("\r", "\n").replace("\n ", "").split("\n"):
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        if colon:
            found[key.strip().lower()] = value.strip()
    return found


def _properties(text: str) -> dict[str, str]:
    pairs = (re.split(r"\s*[=:]\s*", line.strip(), maxsplit=1) for line in text.splitlines() if line[:1] not in "#!")
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


FORMAT = Format(
    files=tuple(f"**/*{ending}" for ending in ENDINGS),
    read=read,
    kinds=("maven",),
    limit=1 << 30,
    begins=(b"PK", b"#!"),
)
