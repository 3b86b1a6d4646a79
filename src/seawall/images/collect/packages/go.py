"""Go programs: the modules and the tool chain that the linker wrote into them. Source: Go's debug/buildinfo."""

import re
import struct

from seawall.images.collect import programs
from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, listed
from seawall.images.collect.products import MODULES, cpes
from seawall.images.collect.programs import Program
from seawall.images.model import Package

_MAGIC = b"\xff Go buildinf:"
_SECTIONS = (".go.buildinfo", "__go_buildinfo")
_LOOKED = 1 << 20
"""Bytes of the data segment in which the mark is looked for where there are no sections."""
_MAX_TEXT = 4 << 20
"""Bytes of the list of modules; Kubernetes has 40 KB."""
_MAJOR = re.compile(r"/v\d+$")
_RELEASE = re.compile(r"go(\d+(?:\.\d+)*(?:(?:rc|beta|alpha)\d+)?)")
_COMMIT = re.compile(r"[-.]\d{14}-[0-9a-f]{12}(?:\+\w+)?$")
_STAMP = re.compile(
    r"""-X[ =]['"]?[^\s'"=]*?[./](?:version|gitVersion|buildVersion|releaseVersion|tag)"""
    r"""(?:\.\w+)?=v?(\d+\.\d+(?:\.\d+)?[\w.+-]*)""",
    re.IGNORECASE,
)
"""What release scripts hand to the linker: the version of a program that was not built as a module's release."""


def read(path: str, data: Buffer) -> Read:
    """As `inspect`; nothing of what is no program."""
    program = programs.read(data)
    return inspect(path, program) if program else Read()


def inspect(_path: str, program: Program) -> Read:
    """Modules, the main one among them, and the standard library."""
    place = _place(program)
    if place is None:
        return Read()
    release, modules = _texts(program, place)
    found = _modules(modules)
    if match := _RELEASE.match(release):
        found.append(("stdlib", match[1]))
    return Read(
        listed(
            Package(clean(name), clean(version), "golang", "", cpes=_cpes(name, version), evidence="build info")
            for name, version in dict.fromkeys(found)
            if name
        )
    )


def _cpes(name: str, version: str) -> tuple[str, ...]:
    """Of programs that NVD knows; a library of theirs in another program has them too."""
    return cpes(MODULES.get(_MAJOR.sub("", name), ""), version.removeprefix("v"))


def _place(program: Program) -> int | None:
    """Offset of the mark."""
    section = program.named(*_SECTIONS)
    if section is None and (not program.sections or program.sections is program.segments):  # stripped, or Windows
        section = next((one for one in program.segments if one.writable), None)
    if section is None:
        return None
    end = section.offset + min(section.size, _LOOKED)
    at = program.data.find(_MAGIC, section.offset, end)
    while at >= 0 and (at - section.offset) % 16:
        at = program.data.find(_MAGIC, at + 1, end)
    return at if at >= 0 else None


def _texts(program: Program, at: int) -> tuple[str, str]:
    """Go's version, and the text about modules."""
    data = program.data
    head = bytes(data[at : at + 32])
    if len(head) < 32:
        raise ValueError("the build information is cut off")
    size, flags = head[14], head[15]
    if flags & 2:
        release, behind = _counted(data, at + 32)
        modules, _ = _counted(data, behind)
    else:
        if size not in (4, 8):
            raise ValueError("the build information has pointers of an odd size")
        form = (">" if flags & 1 else "<") + ("Q" if size == 8 else "I")
        first, second = (struct.unpack_from(form, head, 16 + number * size)[0] for number in (0, 1))
        release, modules = (_pointed(program, address, form) for address in (first, second))
    if len(modules) >= 33 and modules[-17:-16] == b"\n":
        modules = modules[16:-16]
    return release.decode("utf-8", "replace"), modules.decode("utf-8", "replace")


def _counted(data: Buffer, at: int) -> tuple[bytes, int]:
    """A text behind its length as a varint, and where it ends."""
    size = shift = 0
    for byte in bytes(data[at : at + 10]):
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if size > min(_MAX_TEXT, len(data) - at):
        raise ValueError("the build information is longer than the file, or than it may be")
    return bytes(data[at : at + size]), at + size


def _pointed(program: Program, address: int, form: str) -> bytes:
    """The text of a Go string: a pointer and a length."""
    if not address:
        return b""
    width = struct.calcsize(form)
    head = program.at(address, 2 * width)
    start, size = (struct.unpack_from(form, head, number * width)[0] for number in (0, 1))
    if size > _MAX_TEXT:
        raise ValueError("the build information is longer than it may be")
    return program.at(start, size) if size else b""


def _modules(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    main, stamped = "", ""
    for line in text.split("\n"):
        kind, _, rest = line.partition("\t")
        parts = rest.split("\t")
        if kind in ("mod", "dep"):
            version = parts[1] if len(parts) > 1 else ""
            main = parts[0] if kind == "mod" else main
            found.append((parts[0], version))
        elif kind == "=>" and found:
            found[-1] = (parts[0], parts[1] if len(parts) > 1 else "")
        elif kind == "build" and rest.startswith("-ldflags="):
            stamped = match[1] if (match := _STAMP.search(rest)) else ""
    return [
        (name, f"v{stamped}" if stamped and name == main and not _released(version) else _version(version))
        for name, version in found
        if not name.startswith(("./", "../", "/"))
    ]


def _version(version: str) -> str:
    """What was built from a work tree has none."""
    return "" if version == "(devel)" else version


def _released(version: str) -> bool:
    """Neither a work tree nor one commit between releases."""
    return bool(_version(version)) and not _COMMIT.search(version)


FORMAT = Format(
    files=("**/*",),
    read=read,
    inspect=inspect,
    kinds=("golang",),
    limit=1 << 30,
    begins=programs.MAGICS,
)
