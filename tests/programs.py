"""Programs made in memory: ELF of both widths and byte orders, with the sections that a test needs."""

import struct
from collections.abc import Mapping

BASE = 0x400000


def elf(sections: Mapping[str, bytes], *, little: bool = True, wide: bool = True, headers: bool = True) -> bytes:
    """All sections in one writable segment at BASE; `headers`: with a table of sections."""
    order = "<" if little else ">"
    head = 64 if wide else 52
    program = struct.calcsize("<IIQQQQQQ") if wide else 32
    body, places = b"", []
    for content in sections.values():
        body += b"\0" * (-(head + program + len(body)) % 16)
        places.append(head + program + len(body))
        body += content
    end = head + program + len(body)
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    rows = [(0, 0, 0, 0, 0, 0)]
    at = 1
    for (name, content), place in zip(sections.items(), places, strict=True):
        rows.append((at, 1, 1, BASE + place, place, len(content)))
        at += len(name) + 1
    rows.append((at, 3, 0, 0, end, len(names)))
    table = end + len(names)
    form = "IIQQQQ24x" if wide else "IIIIII16x"
    listed = b"".join(struct.pack(f"{order}{form}", *row) for row in rows)
    count = len(rows) if headers else 0
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if little else 2, 1]) + bytes(9)
    start = table if headers else 0
    kind = "HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"
    sizes = (head, program, 1, 64 if wide else 40, count, count - 1 if count else 0)
    first = ident + struct.pack(f"{order}{kind}", 2, 62, 1, 0, head, start, 0, *sizes)
    if wide:
        segment = struct.pack(f"{order}IIQQQQQQ", 1, 6, 0, BASE, BASE, end, end, 16)
    else:
        segment = struct.pack(f"{order}IIIIIIII", 1, 0, BASE, BASE, end, end, 6, 16)
    return first + segment + body + names + listed


MODULES = (
    "path\texample.com/Sea/cmd\nmod\texample.com/Sea\t(devel)\t\n"
    "dep\tgolang.org/x/net\tv0.10.0\th1:x\ndep\told.example/a\tv1.0.0\n=>\tnew.example/a\tv1.0.1\th1:y\n"
    "dep\tlocal.example/b\tv1.0.0\n=>\t./b\t(devel)\n"
    'build\t-ldflags="-s -w -X main.version=v2.5.1 -X main.commit=abc"\n'
)
_AROUND = b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6"


def go(release: str = "go1.21.3", modules: str = MODULES, **how: bool) -> bytes:
    """With build information as Go ≥ 1.18 writes it."""
    texts = (release.encode(), _AROUND + modules.encode() + _AROUND if modules else b"")
    info = b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + b"".join(_varint(len(one)) + one for one in texts)
    return elf({".text": b"x" * 100, ".go.buildinfo": info}, **how)


def go_old(release: str = "go1.17.1", modules: str = MODULES, *, little: bool = True, wide: bool = True) -> bytes:
    """As Go < 1.18 does: by pointers to strings."""
    order, width = ("<" if little else ">"), (8 if wide else 4)
    letter = "Q" if wide else "I"
    texts = (release.encode(), _AROUND + modules.encode() + _AROUND)
    head = 64 if wide else 52
    program = 56 if wide else 32
    begin = head + program + (-(head + program) % 16)
    strings = BASE + begin + 32
    first = strings + 4 * width
    info = b"\xff Go buildinf:" + bytes([width, 0 if little else 1])
    info += struct.pack(f"{order}2{letter}", strings, strings + 2 * width)
    info = info.ljust(32, b"\0")
    info += struct.pack(f"{order}4{letter}", first, len(texts[0]), first + len(texts[0]), len(texts[1]))
    return elf({".go.buildinfo": info + b"".join(texts)}, little=little, wide=wide)


def _varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])
