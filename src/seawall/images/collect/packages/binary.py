"""Well-known programs and libraries that came without a package, by a version string in them; see products.PROGRAMS.

Of a program that a package of the system brought nothing is told: the distribution answers for it.
"""

import re
from functools import lru_cache

from seawall.images.collect import programs
from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read
from seawall.images.collect.products import PROGRAMS, Product, cpes
from seawall.images.collect.programs import Program
from seawall.images.model import Package

_KNOWN = re.compile("|".join(f"(?:{one.files})" for one in PROGRAMS))
_SECTIONS = (".rodata", ".data", "__cstring", ".rdata")


def read(path: str, data: Buffer) -> Read:
    """As `inspect`; nothing of what is no program."""
    program = programs.read(data)
    return inspect(path, program) if program else Read()


def inspect(path: str, program: Program) -> Read:
    """The program, and what is built into it of the same name (openresty and its nginx)."""
    name = path.rpartition("/")[2]
    if not _KNOWN.fullmatch(name):
        return Read()
    data = program.data
    ranges = [(one.offset, one.offset + one.size) for one in program.sections if one.name in _SECTIONS]
    found = []
    for product in PROGRAMS:
        match = re.fullmatch(product.files, name)
        if match and (version := _version(data, ranges, _pattern(product, match[1] if match.groups() else ""))):
            package = Package(
                product.name, version, "generic", "", cpes=cpes(product.cpe, version), evidence="version string"
            )
            found.append(package)
    return Read(found)


@lru_cache(256)
def _pattern(product: Product, minor: str) -> re.Pattern[bytes]:
    return re.compile(product.version.replace(b"{minor}", re.escape(minor).encode()))


def _version(data: Buffer, ranges: list[tuple[int, int]], pattern: re.Pattern[bytes]) -> str:
    for start, end in (*ranges, (0, len(data))):
        if match := pattern.search(data, start, end):
            return next(filter(None, match.groups()), b"").decode("latin-1")
    return ""


FORMAT = Format(
    files=("**/*",),
    read=read,
    inspect=inspect,
    kinds=("generic",),
    limit=1 << 30,
    begins=programs.MAGICS,
    fields=("name", "version", "cpes"),
)
