"""Packages of Arch Linux: var/lib/pacman/local/NAME/desc, and files of what they brought. Source: pacman, alpm-db(5)"""

from seawall.images.collect.evidence import evident
from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, text
from seawall.images.model import Package


def read(path: str, data: Buffer) -> Read:
    """The one package, or the evidence of other formats that it brought."""
    sections: dict[str, list[str]] = {}
    values: list[str] = []
    for line in text(data).split("\n"):
        if line.startswith("%") and line.endswith("%"):
            values = sections.setdefault(line, [])
        elif line:
            values.append(line)
    if path.endswith("/files"):
        return Read(owned=[one for one in sections.get("%FILES%", ()) if evident(one)])
    name, version, base, arch, licence, vendor = (
        clean(next(iter(sections.get(f"%{key}%", ())), ""))
        for key in ("NAME", "VERSION", "BASE", "ARCH", "LICENSE", "PACKAGER")
    )
    if not name or not version:
        raise ValueError("a package of pacman without name or version")
    package = Package(
        name, version, "alpm", "", base or name, version, arch, licence, vendor=vendor, evidence="pacman database"
    )
    return Read([package])


FORMAT = Format(
    files=("var/lib/pacman/local/*/desc", "var/lib/pacman/local/*/files"),
    read=read,
    kinds=("alpm",),
    limit=32 << 20,
    fields=("name", "version", "source_name", "source_version", "arch", "license", "vendor"),
)
