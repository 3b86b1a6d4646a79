"""Rust programs built with cargo-auditable: the crates in them. Source: rust-secure-code/cargo-auditable, PARSING.md"""

import json
import zlib
from typing import Any

from seawall.images.collect import programs
from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, clean, listed
from seawall.images.collect.programs import Program
from seawall.images.model import Package

_SECTIONS = (".dep-v0", "rust-deps-v0")
_MAX_PACKED, _MAX_TEXT = 4 << 20, 16 << 20


def read(path: str, data: Buffer) -> Read:
    """As `inspect`; nothing of what is no program."""
    program = programs.read(data)
    return inspect(path, program) if program else Read()


def inspect(_path: str, program: Program) -> Read:
    """Crates that are in the program; those that only built it are not."""
    section = program.named(*_SECTIONS)
    if section is None:
        return Read()
    return Read(
        listed(
            Package(clean(one["name"]), clean(one["version"]), "cargo", "", evidence="audit data")
            for one in _crates(program.content(section, _MAX_PACKED))
            if isinstance(one, dict)
            and isinstance(one.get("name"), str)
            and isinstance(one.get("version"), str)
            and one.get("kind", "runtime") == "runtime"
        )
    )


def _crates(packed: bytes) -> list[Any]:
    try:
        unpacker = zlib.decompressobj()
        found = json.loads(unpacker.decompress(packed, _MAX_TEXT))
    except (zlib.error, ValueError, RecursionError) as error:
        raise ValueError(f"the audit data is broken: {error}") from error
    crates = found.get("packages") if isinstance(found, dict) else None
    if not isinstance(crates, list):
        raise ValueError("the audit data lists no packages")
    return crates


FORMAT = Format(files=("**/*",), read=read, inspect=inspect, kinds=("cargo",), limit=1 << 30, begins=programs.MAGICS)
