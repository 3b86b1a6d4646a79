"""A machine of our own: Debian's kernel, an initramfs with Python and Seawall, qemu without KVM.

Nothing is installed on this machine: kernels are taken out of Debian's packages, as they are named by the machine's
own package sources, into a cache below `build/`.
"""

import gzip
import json
import lzma
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "vm"
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "bookworm"}
"""Where Debian keeps each kernel."""
SECONDS = 300
"""Until a machine is given up."""
BEGIN, END = "SEAWALL-REPORT-BEGIN", "SEAWALL-REPORT-END"
MODULES = ("overlay",)
"""What our tests need and Debian does not build in."""
LEFT_OUT = {"test", "idlelib", "tkinter", "ensurepip", "lib2to3", "site-packages", "dist-packages", "turtledemo"}
LEFT_OUT |= {"pydoc_data", "distutils", "unittest", "sqlite3", "asyncio", "xmlrpc", "wsgiref", "venv", "curses", "dbm"}


class Unavailable(Exception):
    """This machine cannot run such a machine, and why."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel, ready to boot."""

    version: str
    image: Path
    modules: tuple[Path, ...]


def kernel(version: str) -> Kernel:
    """The newest kernel of a series, from the cache or from Debian's packages. Raises Unavailable."""
    folder = CACHE / f"kernel-{version}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _unpack(_package(version, folder), folder)
        (folder / "done").touch()
    return Kernel(version, next(folder.glob("vmlinuz*")), tuple(sorted(folder.glob("*.ko"))))


def _package(version: str, folder: Path) -> Path:
    """Download the kernel's package with a package list of its own: the machine's lists stay as they are."""
    apt = CACHE / f"apt-{SUITES[version]}"
    (apt / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (apt / "parts").mkdir(exist_ok=True)
    sources = next((path for path in SOURCES if path.exists() and path.stat().st_size), None)
    if sources is None:
        raise Unavailable("the machine names no Debian package source")
    text = re.sub(r"\b(bookworm|trixie|bullseye|stable)\b(?!-updates|-security)", SUITES[version], sources.read_text())
    text = re.sub(
        r"\b\w+-updates\b", "", re.sub(r"\b(bookworm|trixie|bullseye)-security", SUITES[version] + "-security", text)
    )
    own = apt / f"own{sources.suffix}"
    own.write_text(text)
    options = [f"-oDir::Etc::sourcelist={own}", f"-oDir::Etc::sourceparts={apt / 'parts'}", "-oAPT::Sandbox::User=root"]
    options += [f"-oDir::State::lists={apt / 'lists'}", "-oAPT::Get::List-Cleanup=0"]
    if not list((apt / "lists").glob("*Packages*")):
        _run(["apt-get", *options, "update", "-q"], 180)
    names = _run(["apt-cache", *options, "search", "--names-only", rf"^linux-image-{re.escape(version)}\."], 60)
    found = re.findall(r"^(linux-image-\S+-cloud-amd64) ", names, re.MULTILINE)
    found = [name for name in found if re.match(r"linux-image-\d+\.\d+\.\d", name)]
    if not found:
        raise Unavailable(f"the machine's package sources have no kernel {version}")
    newest = max(found, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])
    _run(["apt-get", *options, "download", "-q", newest], 300, folder)
    return next(folder.glob("*.deb"))


def _unpack(package: Path, folder: Path) -> None:
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, timeout=120, check=True).stdout
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        for member in archive:
            name = Path(member.name).name
            stem = name.partition(".")[0]
            if not member.isfile() or not (name.startswith("vmlinuz") or (".ko" in name and stem in MODULES)):
                continue
            body = archive.extractfile(member)
            assert body is not None
            content = body.read()
            (folder / name.removesuffix(".xz")).write_bytes(
                lzma.decompress(content) if name.endswith(".xz") else content
            )
    package.unlink()


def _run(command: list[str], seconds: int, folder: Path | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=folder, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from error
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:1] + command[-2:])}: {done.stderr.strip()[-300:]}")
    return done.stdout


def initramfs(script: Path, extra: Mapping[str, Path]) -> Path:
    """A file system in memory: busybox, this Python with its standard library, libbpf, Seawall, and `script`."""
    busybox = shutil.which("busybox") or "/bin/busybox"
    if not Path(busybox).exists():
        raise Unavailable("busybox is not installed (busybox-static)")
    files = dict(_files(Path(busybox), script))
    files.update(extra)
    out = CACHE / "initramfs.cpio.gz"
    CACHE.mkdir(parents=True, exist_ok=True)
    with gzip.open(out, "wb", compresslevel=1) as stream:
        stream.write(archive(files))
    return out


def _files(busybox: Path, script: Path) -> Iterator[tuple[str, Path]]:
    """(path in the machine, path here)."""
    yield "bin/busybox", busybox
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = python if python.exists() else Path(os.path.realpath(sys.executable))
    yield "python/bin/python3", python
    library = Path(sysconfig.get_path("stdlib"))
    place = f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}"
    native = [python]
    for path in sorted(library.rglob("*")):
        inner = path.relative_to(library)
        if not path.is_file() or LEFT_OUT & set(inner.parts) or inner.parts[0].startswith("config-"):
            continue
        if path.suffix in (".py", ".so") or (path.suffix == ".pyc" and "opt-" not in path.name):
            yield f"{place}/{inner}", path
            if path.suffix == ".so" and path.name.split(".")[0] in (
                "_ctypes",
                "_socket",
                "select",
                "mmap",
                "_struct",
                "_json",
            ):
                native.append(path)
    libbpf = _library("libbpf.so.1")
    yield "lib/libbpf.so.1", libbpf
    for path in _needed([*native, libbpf]):
        yield str(path).lstrip("/"), path
    source = ROOT / "src"
    for path in sorted(source.rglob("*")):
        if path.suffix in (".py", ".o", ".json") and "server" not in path.parts and "console" not in path.parts:
            yield f"seawall/{path.relative_to(source)}", path
    yield "probe.py", script
    for beside in script.parent.glob("[!_]*.py"):  # an __init__.py would make the folder the package's namesake
        yield f"seawall/{beside.name}", beside


def _library(name: str) -> Path:
    listed = _run(["/sbin/ldconfig", "-p"], 20)
    found = re.search(rf"{re.escape(name)} .*=> (\S+)", listed)
    if found is None:
        raise Unavailable(f"{name} is not installed")
    return Path(found[1])


def _needed(programs: Iterable[Path]) -> set[Path]:
    """Shared libraries of these, the loader included, under the names they are asked for by."""
    found: set[Path] = set()
    for program in programs:
        for line in _run(["ldd", str(program)], 20).splitlines():
            match = re.search(r"(?:=> )?(/\S+) \(0x", line)
            if match:
                found.add(Path(match[1]))
    return found


def archive(files: dict[str, Path]) -> bytes:
    """A cpio archive in the kernel's `newc` form (kernel documentation: early userspace, buffer format)."""
    out = BytesIO()
    made: set[str] = set()
    count = 0

    def put(name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        nonlocal count
        count += 1
        fields = (count, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        out.write(b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0")
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))

    def folders(name: str) -> None:
        for parent in reversed(Path(name).parents):
            text = str(parent)
            if text != "." and text not in made:
                made.add(text)
                put(text, stat.S_IFDIR | 0o755)

    for name in ("dev", "proc", "sys", "tmp", "run"):
        folders(f"{name}/x")
    put("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    put("init", stat.S_IFREG | 0o755, _INIT.encode())
    for name, path in files.items():
        folders(name)
        put(name, stat.S_IFREG | (0o755 if os.access(path, os.X_OK) else 0o644), path.read_bytes())
    put("TRAILER!!!", 0)
    return out.getvalue()


_INIT = f"""#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox ip link set lo up
for module in /modules/*.ko; do /bin/busybox insmod "$module"; done
export PYTHONHOME=/python PYTHONPATH=/seawall LD_LIBRARY_PATH=/lib PATH=/bin:/python/bin PYTHONDONTWRITEBYTECODE=1
/python/bin/python3 -s /probe.py > /tmp/report 2> /tmp/errors
echo
echo {BEGIN}
/bin/busybox cat /tmp/report
echo
echo {END}
/bin/busybox cat /tmp/errors
/bin/busybox poweroff -f
"""


def run(
    chosen: Kernel, script: Path, *, files: Mapping[str, Path] = MappingProxyType({}), parameters: str = ""
) -> dict[str, Any]:
    """Boot, run `script` inside, and return the JSON object that it printed. Raises AssertionError with the console's
    last lines when there was none, Unavailable when this machine cannot do it at all."""
    if shutil.which("qemu-system-x86_64") is None or platform.machine() != "x86_64":
        raise Unavailable("qemu-system-x86_64 is not installed")
    disk = initramfs(script, {**{f"modules/{path.name}": path for path in chosen.modules}, **files})
    # One processor: with two, emulation trips over the kernel changing its own code.
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1024", "-smp", "1", "-display", "none"]
    command += ["-nodefaults", "-no-reboot", "-serial", "stdio", "-kernel", str(chosen.image), "-initrd", str(disk)]
    command += ["-append", f"console=ttyS0 quiet panic=-1 {parameters}".strip()]
    try:
        said = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False).stdout
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"kernel {chosen.version} did not end: {(error.stdout or b'')[-1500:]!r}") from error
    text = said.decode("utf-8", "replace").replace("\r", "")
    match = re.search(rf"{BEGIN}\n(.*?)\n+{END}", text, re.DOTALL)
    if match is None:
        raise AssertionError(f"kernel {chosen.version} told nothing:\n{text[-3000:]}")
    try:
        report: dict[str, Any] = json.loads(match[1])
    except ValueError:
        raise AssertionError(f"kernel {chosen.version}: {text[match.start() :][-3000:]}") from None
    return report
