"""Executables and libraries: their sections, and what lies at an address. Nothing is trusted, every offset is checked.

Sources: System V ABI "Object Files" (ELF), Microsoft "PE Format", Apple `mach-o/loader.h`.
"""

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from seawall.images.collect.files import Buffer

ELF, PE, MACHO = b"\x7fELF", b"MZ", (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")
MAGICS = (ELF, PE, *MACHO)
MAX_SECTIONS = 4096
"""Programs have some thirty, objects of template libraries some thousand."""

MAX_NAMES = 1 << 20
"""Bytes of the sections' names."""


class Section(NamedTuple):
    """A piece of the file, and where it lies in memory."""

    name: str
    address: int
    offset: int
    size: int
    writable: bool = False


@dataclass(slots=True)
class Program:
    """What its headers say."""

    data: Buffer
    sections: list[Section] = field(default_factory=list)
    segments: list[Section] = field(default_factory=list)
    """What is loaded into memory; sections where the format knows no other."""
    little: bool = True
    wide: bool = True
    """64 bits."""

    def named(self, *names: str) -> Section | None:
        """The first section of one of these names."""
        return next((one for one in self.sections if one.name in names), None)

    def content(self, section: Section, limit: int) -> bytes:
        """Of a section, at most `limit` bytes."""
        return bytes(self.data[section.offset : section.offset + min(section.size, limit)])

    def at(self, address: int, size: int) -> bytes:
        """What is loaded at an address. Raises ValueError when that is not in the file."""
        for one in self.segments:
            inside = address - one.address
            if 0 <= inside < one.size and size <= one.size - inside:
                found = bytes(self.data[one.offset + inside : one.offset + inside + size])
                if len(found) == size:
                    return found
        raise ValueError("an address that is not in the file")


def read(data: Buffer) -> Program | None:
    """The program, or None for what is none. Raises ValueError when its headers are broken."""
    head = bytes(data[:4])
    try:
        if head == ELF:
            return _elf(data)
        if head[:2] == PE:
            return _pe(data)
        if head in MACHO:
            return _macho(data)
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"the program's headers are broken: {error}") from error
    return None


def _inside(data: Buffer, one: Section) -> Section:
    """As the headers say, but not beyond the file."""
    offset = min(one.offset, len(data))
    return one._replace(offset=offset, size=min(one.size, len(data) - offset))


def _elf(data: Buffer) -> Program:
    wide, little = data[4] == 2, data[5] != 2
    order = "<" if little else ">"
    found = Program(data, little=little, wide=wide)
    if wide:
        phoff, shoff = struct.unpack_from(f"{order}QQ", data, 32)
        phsize, phnum, shsize, shnum, shstr = struct.unpack_from(f"{order}HHHHH", data, 54)
    else:
        phoff, shoff = struct.unpack_from(f"{order}II", data, 28)
        phsize, phnum, shsize, shnum, shstr = struct.unpack_from(f"{order}HHHHH", data, 42)
    for number in range(min(phnum, MAX_SECTIONS)):
        at = phoff + number * phsize
        if wide:
            kind, flags, offset, address, _, size = struct.unpack_from(f"{order}IIQQQQ", data, at)
        else:
            kind, offset, address, _, size, _, flags = struct.unpack_from(f"{order}IIIIIII", data, at)
        if kind == 1:
            found.segments.append(_inside(data, Section("", address, offset, size, bool(flags & 2))))
    size = shsize * min(shnum, MAX_SECTIONS) if shoff and shsize == (64 if wide else 40) else 0
    table = bytes(data[shoff : shoff + size])
    form = f"{order}IIQQQQ24x" if wide else f"{order}IIIIII16x"
    rows = list(struct.iter_unpack(form, table[: len(table) // max(shsize, 1) * shsize]))
    names = b""
    if shstr < len(rows):
        _, _, _, _, at, length = rows[shstr]
        names = bytes(data[at : at + min(length, MAX_NAMES)])
    for name, kind, flags, address, offset, size in rows:
        if kind != 8:  # what is not in the file: .bss
            word = names[name : max(names.find(b"\0", name), name)].decode("latin-1")
            found.sections.append(_inside(data, Section(word, address, offset, size, bool(flags & 1))))
    return found


def _pe(data: Buffer) -> Program | None:
    (at,) = struct.unpack_from("<I", data, 60)
    if bytes(data[at : at + 4]) != b"PE\0\0":
        return None
    count, optional = struct.unpack_from("<H12xH", data, at + 6)
    (magic,) = struct.unpack_from("<H", data, at + 24)
    wide = magic == 0x20B
    base = struct.unpack_from("<Q" if wide else "<I", data, at + (48 if wide else 52))[0]
    found = Program(data, wide=wide)
    for number in range(min(count, MAX_SECTIONS)):
        row = at + 24 + optional + number * 40
        name, size, address, raw, offset, flags = struct.unpack_from("<8sIIII12xI", data, row)
        word = name.rstrip(b"\0").decode("latin-1")
        found.sections.append(
            _inside(data, Section(word, base + address, offset, min(size, raw) or raw, bool(flags >> 31)))
        )
    found.segments = found.sections
    return found


def _macho(data: Buffer) -> Program:
    little = bytes(data[:4]) in MACHO[:2]
    wide = bytes(data[:4]) in (MACHO[0], MACHO[2])
    order = "<" if little else ">"
    (count,) = struct.unpack_from(f"{order}I", data, 16)
    found = Program(data, little=little, wide=wide)
    at = 32 if wide else 28
    for _ in range(min(count, MAX_SECTIONS)):
        command, size = struct.unpack_from(f"{order}II", data, at)
        if command in (1, 0x19):
            _macho_segment(found, order, at, command == 0x19)
        if size < 8 or len(found.sections) > MAX_SECTIONS:
            break
        at += size
    return found


def _macho_segment(found: Program, order: str, at: int, wide: bool) -> None:
    form = f"{order}QQQQ" if wide else f"{order}IIII"
    address, _, offset, size = struct.unpack_from(form, found.data, at + 24)
    protection, count = struct.unpack_from(f"{order}4xII", found.data, at + 24 + struct.calcsize(form))
    found.segments.append(_inside(found.data, Section("", address, offset, size, bool(protection & 2))))
    first, step = (at + 72, 80) if wide else (at + 56, 68)
    for number in range(min(count, 255)):
        name, place, length, start = struct.unpack_from(
            f"{order}16s16x{'QQI' if wide else 'III'}", found.data, first + number * step
        )
        word = name.rstrip(b"\0").decode("latin-1")
        found.sections.append(_inside(found.data, Section(word, place, start, length, bool(protection & 2))))
