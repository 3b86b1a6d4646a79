"""Programs that say which package of a distribution they are of: copied into an image that has no database.

Source: systemd, "Package Metadata for Executable Files" (the section .note.package)
"""

import json
import struct

from seawall.images.collect import programs
from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean
from seawall.images.collect.programs import Program
from seawall.images.model import Package

_TYPE = 0xCAFE1A7E
_KINDS = {"deb": "deb", "rpm": "rpm", "apk": "apk", "alpm": "alpm"}
_LIMIT = 16 << 10
EVIDENCE = "package note"


def read(path: str, data: Buffer) -> Read:
    """As `inspect`; nothing of what is no program."""
    program = programs.read(data)
    return inspect(path, program) if program else Read()


def inspect(_path: str, program: Program) -> Read:
    """The source package. Of a file that an installed package brought nothing of this is told."""
    section = program.named(".note.package")
    if section is None:
        return Read()
    order = "<" if program.little else ">"
    note = program.content(section, _LIMIT)
    if len(note) < 16:
        raise ValueError("a note of a package is cut off")
    owner, size, kind = struct.unpack_from(f"{order}III", note)
    if kind != _TYPE or note[12 : 12 + owner] != b"FDO\0":
        return Read()
    try:
        found = json.loads(note[16 : 16 + size].rstrip(b"\0"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a note of a package is no JSON: {error}") from error
    if not isinstance(found, dict):
        return Read()
    kind_, name, version = (clean(str(found.get(key) or "")) for key in ("type", "name", "version"))
    arch = found.get("architecture")
    if kind_ not in _KINDS or not name or not version:
        return Read()
    return Read(
        [
            Package(
                name,
                version,
                _KINDS[kind_],
                "",
                name,
                version,
                clean(arch) if isinstance(arch, str) else "",
                evidence=EVIDENCE,
            )
        ]
    )


FORMAT = Format(
    files=("**/*",),
    read=read,
    inspect=inspect,
    kinds=tuple(_KINDS),
    limit=1 << 30,
    begins=programs.MAGICS[:1],
    fields=("name", "version", "source_name", "source_version", "arch"),
)
