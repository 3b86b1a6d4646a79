"""rpm packages, from each of its three databases: SQLite, ndb, Berkeley DB. Source: rpm, docs/manual"""

import re
from collections.abc import Callable, Iterator

from seawall.images.collect.evidence import evident
from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, listed
from seawall.images.collect.rpmdb import bdb, header, ndb, sqlite
from seawall.images.collect.rpmdb.header import Header
from seawall.images.model import Package

_FOLDERS = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
_SOURCE = re.compile(r"(.+)-([^-]+)-([^-]+)\.(?:no)?src\.rpm")


def read(_path: str, data: Buffer) -> Read:
    """Installed packages, and the evidence of other formats that they brought."""
    found = Read()
    found.packages = listed(_packages(_reader(data)(data), found.owned))
    return found


def _reader(data: Buffer) -> Callable[[Buffer], Iterator[bytes]]:
    if data[:16] == sqlite.MAGIC:
        return sqlite.headers
    if data[:4] == ndb.MAGIC:
        return ndb.headers
    if bdb.order(data):
        return bdb.headers
    raise ValueError("an rpm database of an unknown kind")


def _packages(blobs: Iterator[bytes], owned: list[str]) -> Iterator[Package]:
    for blob in blobs:
        tags = Header(blob)
        package = _package(tags)
        if package is not None:
            owned += tags.files(evident)
            yield package


def _package(tags: Header) -> Package | None:
    """None for the keys that rpm keeps among its packages."""
    name, version, release = (clean(tags.text(tag)) for tag in (header.NAME, header.VERSION, header.RELEASE))
    if not name or not version or name == "gpg-pubkey":
        return None
    epoch = next(iter(tags.numbers(header.EPOCH)), 0)
    before = f"{epoch}:" if epoch else ""
    source = _SOURCE.fullmatch(tags.text(header.SOURCE))
    return Package(
        name=name,
        version=f"{before}{version}-{release}",
        kind="rpm",
        purl="",
        source_name=clean(source[1]) if source else name,
        source_version=before + (clean(f"{source[2]}-{source[3]}") if source else f"{version}-{release}"),
        arch=clean(tags.text(header.ARCH)),
        license=clean(tags.text(header.LICENSE)),
        module=clean(tags.text(header.MODULE)),
        vendor=clean(tags.text(header.VENDOR)),
        evidence="rpm database",
    )


FORMAT = Format(
    files=tuple(f"{folder}/{name}" for folder in _FOLDERS for name in ("Packages", "Packages.db", "rpmdb.sqlite")),
    read=read,
    kinds=("rpm",),
    limit=1 << 30,
    fields=("name", "version", "source_name", "source_version", "arch", "license", "module", "vendor"),
)
