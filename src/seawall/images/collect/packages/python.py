"""Installed Python distributions: *.dist-info/METADATA, *.egg-info. Source: PyPA core metadata specification."""

import re

from seawall.images.collect.packages.format import Format, Read, clean
from seawall.images.model import Package

_PATH = re.compile(r"(?:.*/)?[^/]+(?:\.dist-info/METADATA|\.egg-info/PKG-INFO|\.egg-info)")


def wanted(path: str) -> bool:
    """The metadata file of a distribution; of an old one the whole egg-info is that file."""
    return ("-info" in path) and bool(_PATH.fullmatch(path))


def read(_path: str, data: bytes) -> Read:
    """The one distribution. The description behind the first empty line is not read."""
    head = data.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")[0]
    fields: dict[str, str] = {}
    for line in head.split("\n"):
        key, colon, value = line.partition(":")
        if colon and not line.startswith((" ", "\t")):
            fields.setdefault(key.lower(), value.strip())
    name, version = clean(fields.get("name", "")), clean(fields.get("version", ""))
    if not name or not version:
        raise ValueError("the metadata names no distribution and version")
    licence = clean(fields.get("license-expression") or fields.get("license", ""))
    return Read([Package(name=name, version=version, kind="pypi", purl="", license=licence)])


FORMAT = Format(wanted, read)
