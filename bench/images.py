"""`seawall image scan` beside Syft and Trivy, on an archive of this host's own files: seconds and peak memory.

Peers are looked for on the PATH and in the folders that $PEERS names; one that is not there is said to be absent.
Trivy has no database here, so it lists packages only; Seawall is measured with and without judging them.
"""

import io
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import file_digest
from pathlib import Path
from urllib.parse import unquote

FEEDS = Path(os.environ.get("FEEDS") or Path(__file__).parents[2] / "shared" / "data" / "feeds")
LAYERS = (
    ("/var/lib/dpkg", "/etc", "/usr/bin", "/usr/sbin"),
    ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/python3", "/usr/lib/os-release"),
    (str(Path(__file__).parents[1] / ".venv" / "lib"),),
)
"""Folders of this host, one tuple a layer: an OS database, programs and libraries, Python and npm packages."""
OS_RELEASE = b'ID=debian\nVERSION_ID="11"\nPRETTY_NAME="bench"\n'
"""The release that the feeds know most of, so that there is something to judge."""
LAYER_BYTES = 160 << 20
"""Of one layer; what does not fit is left out."""
Program = Callable[[Path, Path], Sequence[str]]
"""From the archive and an empty folder to a command."""


def main(quick: bool) -> None:
    """Print seconds, memory and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ["SEAWALL_STATE"] = folder
        feeds = [path for path in FEEDS.glob("*") if "osv-pypi" in path.name or "debian" in path.name]
        command = [sys.executable, "-m", "seawall", "intel", "import", "--db", str(work / "intel.db"), *map(str, feeds)]
        subprocess.run(command, check=True, capture_output=True)
        programs = dict(_programs(work))
        for packed in (False,) if quick else (False, True):
            path = _archive(work, packed)
            print(f"archive  {path.stat().st_size / 1e6:.0f} MB, layers {'gzip' if packed else 'not packed'}")
            _run(programs["seawall, the image is known"], path)  # from now on it is
            _compare(path, programs, 1 if quick else 3)


def _programs(work: Path) -> Iterator[tuple[str, Program]]:
    seawall = [sys.executable, "-m", "seawall", "image", "scan"]
    database = str(work / "intel.db")

    def ours(*words: str) -> Program:
        return lambda path, _: [*seawall, f"docker-archive:{path}", "--db", database, "--format", "json", *words]

    yield "seawall packages+vulnerabilities", ours("--no-cache")
    yield "seawall packages", ours("--no-cache", "--scanners", "package")
    yield "seawall, the image is known", ours()
    syft, trivy = _peer("syft"), _peer("trivy")
    if syft:
        yield "syft packages", lambda path, _: [syft, "-q", "-o", "json", f"docker-archive:{path}"]
    if trivy:
        flags = ["--format", "cyclonedx", "--cache-dir"]
        more = ["--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan", "--quiet"]
        yield (
            "trivy packages",
            lambda path, cache: [trivy, "image", "--input", str(path), *flags, str(_java_index(cache)), *more],
        )


def _java_index(cache: Path) -> Path:
    """An empty one: Trivy reads no archive of Java without."""
    folder = cache / "java-db"
    folder.mkdir()
    with sqlite3.connect(folder / "trivy-java.db") as index:
        index.execute("CREATE TABLE artifacts (id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT)")
        index.execute("CREATE TABLE indices (artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT)")
    index.close()
    day = "2099-01-01T00:00:00Z"
    about = {"Version": 1, "NextUpdate": day, "UpdatedAt": day, "DownloadedAt": day}
    (folder / "metadata.json").write_text(json.dumps(about))
    return cache


def _peer(name: str) -> str | None:
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PEERS", ""), os.environ.get("PATH", ""))))
    if found is None:
        print(f"{name} is not installed here: NOT compared (PEERS=FOLDER names where it is)")
    return found


def _compare(path: Path, programs: dict[str, Program], rounds: int) -> None:
    """All programs in turn, round by round, so that a busy moment of the machine hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    work: dict[str, float] = {}
    memory: dict[str, int] = {}
    found: dict[str, str] = {}
    named: dict[str, set[tuple[str, str, str]]] = {}
    for _ in range(rounds):
        for name, command in programs.items():
            took, worked, peak, out = _run(command, path)
            seconds[name].append(took)
            work[name] = min(work.get(name, worked), worked)
            memory[name] = max(memory.get(name, 0), peak)
            found[name] = _found(out)
            named[name] = _named(out)
    first = next(iter(programs))
    base = statistics.median(seconds[first])
    for name in programs:
        middle = statistics.median(seconds[name])
        print(
            f"  {name:33} {middle:6.2f} s, of a processor {work[name]:5.2f} s {memory[name] / 1024:5.0f} MB"
            f"   ({middle / base:.2f} × our time, {work[name] / work[first]:.2f} × our work,"
            f" {memory[name] / memory[first]:.2f} × our memory)  {found[name]}"
        )
        missing = sorted(named[name] - named[first])
        if missing:
            print(f"      it lists {len(missing)} that we do not, among them {missing[:5]}")


def _named(out: bytes) -> set[tuple[str, str, str]]:
    """Kind, name and version of each package, without what tools spell differently: see docs/guides/images.md."""
    found = set()
    said = json.loads(out)
    for row in said.get("packages") or said.get("artifacts") or said.get("components") or []:
        kind, _, rest = unquote(row.get("purl", "")).partition("?")[0].partition("#")[0].partition("/")
        name, _, version = rest.rpartition("@")
        if not name:
            continue  # without a version nothing can be said of it
        if kind in ("pkg:deb", "pkg:maven"):
            name = name.rpartition("/")[2]
        name = re.sub(r"/v\d+$", "", name) if kind == "pkg:golang" else name
        found.add((kind, re.sub(r"[_.]", "-", name.lower()), re.sub(r"^(?:\d+:|v)", "", version)))
    return found


LAUNCHER = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
took, worked = time.perf_counter() - began, used.ru_utime + used.ru_stime
print(took, worked, used.ru_maxrss, os.waitstatus_to_exitcode(status), file=sys.stderr)
"""
"""A small process in between: what a parent has held before it starts a program counts as that program's peak."""


def _run(command: Program, path: Path) -> tuple[float, float, int, bytes]:
    """Seconds, those of a processor, peak resident kB and output of one run with cold caches of its own."""
    with tempfile.TemporaryDirectory() as cache:
        words = [sys.executable, "-S", "-c", LAUNCHER, *command(path, Path(cache))]
        done = subprocess.run(words, capture_output=True, check=True)
    took, worked, peak, code = done.stderr.decode().splitlines()[-1].split()
    if code != "0":
        raise RuntimeError(f"{words[4:]} failed: {done.stderr[-500:].decode(errors='replace')}")
    return float(took), float(worked), int(peak), done.stdout


def _found(out: bytes) -> str:
    """Packages by kind, of any of the three formats."""
    said = json.loads(out)
    rows = said.get("packages") or said.get("artifacts") or said.get("components") or []
    urls = {row["purl"] for row in rows if row.get("purl")}
    kinds = Counter(url.partition("/")[0].removeprefix("pkg:") for url in urls)
    text = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
    verdict = said.get("vulnerabilities")
    return text + (f"; {len(verdict)} vulnerabilities" if verdict is not None and "schema" in said else "")


def _archive(work: Path, packed: bool) -> Path:
    """What `docker save` would write of an image of this host's files."""
    path = work / f"image-{'packed' if packed else 'plain'}.tar"
    ids, members = [], []
    with tarfile.open(path, "w") as archive:
        for number, folders in enumerate(LAYERS):
            layer = work / "layer.tar"
            _layer(layer, folders)
            with layer.open("rb") as data:
                ids.append("sha256:" + file_digest(data, "sha256").hexdigest())
            if packed:
                subprocess.run(["gzip", "-6", "-f", str(layer)], check=True)
                layer = work / "layer.tar.gz"
            members.append(f"{number}/layer.tar")
            archive.add(layer, members[-1])
            layer.unlink()
        config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}}
        _add(archive, "config.json", json.dumps(config).encode())
        listed = [{"Config": "config.json", "RepoTags": ["bench:1"], "Layers": members}]
        _add(archive, "manifest.json", json.dumps(listed).encode())
    return path


def _layer(to: Path, folders: Sequence[str]) -> None:
    left = LAYER_BYTES
    with tarfile.open(to, "w") as layer:
        for folder in folders:
            for path in sorted([Path(folder), *Path(folder).rglob("*")]):
                size = path.stat().st_size if path.is_file() else 0
                if (path.is_dir() or size) and size < left and path.as_posix() != "/etc/os-release":
                    left -= size
                    layer.add(path, recursive=False)
        _add(layer, "etc/os-release", OS_RELEASE)
        _add(layer, "opt/app/fat.jar", _fat())


def _fat() -> bytes:
    """An archive of Java with 12 archives in it."""
    inner = {
        f"BOOT-INF/lib/part{number}-1.{number}.jar": _jar(
            {
                f"META-INF/maven/org.bench/part{number}/pom.properties": (
                    f"groupId=org.bench\nartifactId=part{number}\nversion=1.{number}\n".encode()
                )
            }
        )
        for number in range(12)
    }
    return _jar(inner)


def _jar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
