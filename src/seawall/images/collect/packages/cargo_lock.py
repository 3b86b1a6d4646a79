"""Cargo.lock of Rust projects. Source: The Cargo Book, Cargo.toml vs Cargo.lock"""

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text
from seawall.images.collect.tables import locked


def read(_path: str, data: Buffer) -> Read:
    """All crates, the project's own among them."""
    return named("cargo", locked(text(data)))


FORMAT = Format(files=("**/Cargo.lock",), read=read, kinds=("cargo",), limit=32 << 20, declared=True)
