"""Installed Python distributions: *.dist-info/METADATA, *.egg-info. Source: PyPA core metadata specification."""

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean
from seawall.images.model import Package


def read(_path: str, data: Buffer) -> Read:
    """The one distribution. The description behind the first empty line is not read."""
    head = bytes(data).decode("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")[0]
    fields: dict[str, str] = {}
    for line in head.split("\n"):
        key, colon, value = line.partition(":")
        if colon and not line.startswith((" ", "\t")):
            fields.setdefault(key.lower(), value.strip())
    name, version = clean(fields.get("name", "")), clean(fields.get("version", ""))
    if not name or not version:
        raise ValueError("the metadata names no distribution and version")
    licence = clean(fields.get("license-expression") or fields.get("license", ""))
    return Read([Package(name=name, version=version, kind="pypi", purl="", license=licence, evidence="metadata")])


FORMAT = Format(
    files=("**/*.dist-info/METADATA", "**/*.egg-info/PKG-INFO", "**/*.egg-info"),
    read=read,
    kinds=("pypi",),
    fields=("name", "version", "license"),
)
