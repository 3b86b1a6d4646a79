"""What another node downloads: the agent as one archive, and the script that checks and installs it.

The archive holds the standard-library part of the package only: what the agent and its errands import, the built
eBPF objects and the compiled plan. It is the same, byte for byte, for the same files: its hash is in the script.
"""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import seawall
from seawall.core.errors import SeawallError

PARTS = (
    "__init__.py",
    "__main__.py",
    "py.typed",
    "agent",
    "core",
    "malware",
    "node",
    "cli/__init__.py",
    "cli/agent.py",
    "cli/doctor.py",
    "assets/__init__.py",
    "assets/model.py",
    "assets/normalise.py",
    "assets/collect",
    "assets/detect",
    "baseline/__init__.py",
    "baseline/model.py",
    "baseline/normalise.py",
    "baseline/collect",
    "images/__init__.py",
    "images/model.py",
    "images/normalise.py",
    "images/collect",
    "runtime/__init__.py",
    "runtime/model.py",
    "runtime/normalise.py",
    "runtime/plan.py",
    "runtime/parts.py",
    "runtime/syscalls.py",
    "runtime/collect",
    "runtime/detect",
    "runtime/respond",
    "runtime/bpf",
    "runtime/rules/plan.json",
)
"""Files and folders of the package."""
KINDS = frozenset({".py", ".o", ".json", ".service", ".sh", ".typed", ".yar", ""})
"""Suffixes that are taken from folders; the empty one is a licence."""


def archive(root: Path | None = None) -> bytes:
    """A .tar.gz with one folder, `seawall`."""
    root = root or Path(seawall.__path__[0])
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(_files(root)):
            content = path.read_bytes()
            entry = tarfile.TarInfo(f"seawall/{path.relative_to(root).as_posix()}")
            entry.size, entry.mode = len(content), 0o755 if path.suffix == ".sh" else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def scanner() -> bytes:
    """A .tar.gz with the engine of the malware scanner as it is installed here, one folder `scanner`; b"" without one.

    It is built for the stable ABI: good for every Python of this architecture (docs/decisions/015).
    """
    from importlib import metadata

    try:
        files = metadata.files("yara-x") or []
    except metadata.PackageNotFoundError:
        return b""
    buffer = io.BytesIO()
    # The least compression: it is done while somebody waits for the command.
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for file in sorted(files):
            if file.suffix not in (".py", ".so") and file.name != "METADATA":
                continue
            content = Path(str(file.locate())).read_bytes()
            entry = tarfile.TarInfo(f"scanner/{file.as_posix()}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def script(archive: bytes, engine: bytes = b"") -> bytes:
    """The install script that takes this archive, and this engine of the scanner, and no other."""
    text = (Path(__file__).parent / "install.sh").read_text()
    places = {
        "@ARCHIVE_SHA256@": hashlib.sha256(archive).hexdigest(),
        "@SCANNER_SHA256@": hashlib.sha256(engine).hexdigest() if engine else "",
        "@SCANNER_ARCH@": os.uname().machine,
    }
    for place, value in places.items():
        if text.count(place) != 1:
            raise SeawallError(f"the install script has no place {place}")
        text = text.replace(place, value)
    return text.encode()


def build(folder: Path) -> tuple[Path, Path]:
    """Write `seawall-agent.tar.gz` and `agent.sh` into a folder; their paths."""
    packed = archive()
    tar, sh = folder / "seawall-agent.tar.gz", folder / "agent.sh"
    tar.write_bytes(packed)
    sh.write_bytes(script(packed))
    return tar, sh


def _files(root: Path) -> Iterator[Path]:
    for part in PARTS:
        path = root / part
        if path.is_file():
            yield path
        for found in path.rglob("*") if path.is_dir() else ():
            if found.is_file() and found.suffix in KINDS and "__pycache__" not in found.parts:
                yield found
