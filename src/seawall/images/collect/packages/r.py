"""Installed packages of R: DESCRIPTION in a library. Source: R, "Writing R Extensions", §1.1.1"""

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, text
from seawall.images.model import Package


def read(_path: str, data: Buffer) -> Read:
    """The one package; a source that was only unpacked is none: R writes "Built" when it installs."""
    fields: dict[str, str] = {}
    for line in text(data).split("\n"):
        key, colon, value = line.partition(":")
        if colon and line[:1] not in (" ", "\t"):
            fields.setdefault(key, clean(value))
    name, version = fields.get("Package", ""), fields.get("Version", "")
    if not name or not version or "Built" not in fields:
        return Read()
    return Read([Package(name, version, "cran", "", license=fields.get("License", ""), evidence="DESCRIPTION")])


FORMAT = Format(
    files=("**/library/*/DESCRIPTION", "**/site-library/*/DESCRIPTION"),
    read=read,
    kinds=("cran",),
    fields=("name", "version", "license"),
)
