"""Packages of conda: conda-meta/NAME.json of each environment. Source: conda, package specification"""

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, parsed
from seawall.images.model import Package


def read(_path: str, data: Buffer) -> Read:
    """The one package. What it brought is not read: thousands of paths, and none of a distribution."""
    found = parsed(data, "the record of conda")
    name, version, licence, arch = (found.get(key) for key in ("name", "version", "license", "subdir"))
    if not isinstance(name, str) or not isinstance(version, str) or not name or not version:
        raise ValueError("a record of conda without name or version")
    return Read(
        [
            Package(
                clean(name),
                clean(version),
                "conda",
                "",
                arch=clean(arch) if isinstance(arch, str) else "",
                license=clean(licence) if isinstance(licence, str) else "",
                evidence="conda-meta",
            )
        ]
    )


FORMAT = Format(
    files=("**/conda-meta/*.json",),
    read=read,
    kinds=("conda",),
    limit=64 << 20,
    fields=("name", "version", "arch", "license"),
)
