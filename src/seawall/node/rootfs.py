"""A small root file system made of this host's own programs and the libraries they load: an image without a registry.

Simulations and tests import it with `POST /images/create?fromSrc=-`. Nothing is run to find the libraries but the
host's own `ldd`, on the host's own files.
"""

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from seawall.core.errors import SeawallError

PROGRAMS = (
    "bash",
    "sh",
    "cat",
    "ls",
    "sleep",
    "cp",
    "rm",
    "mkdir",
    "touch",
    "chmod",
    "echo",
    "id",
    "true",
    "env",
    "mkfifo",
)
"""What a simulation or a test usually needs; those that the host lacks are left out."""

_LIBRARY = re.compile(r"(/\S+) \(0x")


def build(programs: Iterable[str] = PROGRAMS, files: Mapping[str, bytes] | None = None) -> bytes:
    """An uncompressed tar: /bin with the programs, their libraries at their own paths, a minimal /etc, and `files`.

    `files` maps absolute paths to contents, executable if they start with `#!` or the ELF magic.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "usr/bin", "var", "var/lib"):
            _add(tar, folder, b"", kind=tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n")
        _add(tar, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")
        _add(tar, "etc/os-release", b'ID=seawall-test\nVERSION_ID=1\nPRETTY_NAME="Seawall test image"\n')
        needed: set[str] = set()
        for name in programs:
            path = shutil.which(name)
            if path is None:
                continue
            _add(tar, f"bin/{name}", Path(path).read_bytes(), mode=0o755)
            needed |= libraries(path)
        for library in sorted(needed - set(files or {})):  # Docker refuses a tar that names a path twice
            _add(tar, library.lstrip("/"), Path(library).read_bytes(), mode=0o755)
        for path, content in (files or {}).items():
            _add(
                tar,
                path.lstrip("/"),
                content,
                mode=0o755 if content[:2] == b"#!" or content[:4] == b"\x7fELF" else 0o644,
            )
    return buffer.getvalue()


def libraries(program: str) -> set[str]:
    """Paths of the shared libraries that one of the host's programs or libraries loads."""
    try:
        listing = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SeawallError(f"cannot list the libraries of {program}: {error}") from error
    return set(_LIBRARY.findall(listing))


def _add(tar: tarfile.TarFile, name: str, content: bytes, kind: bytes = tarfile.REGTYPE, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size = kind, mode, len(content)
    tar.addfile(entry, io.BytesIO(content))
