"""Secrets planted in an image: who finds them, how many other hits there are, how long it takes. Peers too.

The image is a Debian root file system (debootstrap makes one once, in bench/out; $BENCH_ROOT names another; else parts
of this host's own) and a layer of an application with 14 secrets, one of which the next layer deletes. All of them are
random and made here. Peers are looked for on the PATH and in the folders that $PEERS names.
"""

import base64
import io
import json
import os
import random
import shutil
import statistics
import string
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

OUT = Path(__file__).parent / "out"
HOST = ("/usr/bin", "/usr/share/perl", "/usr/lib/python3", "/usr/share/doc", "/etc/ssl", "/usr/lib/x86_64-linux-gnu")
"""Folders of this host that stand for a root file system where none can be made."""
SOURCE = random.Random(20)


def some(alphabet: str, size: int) -> str:
    return "".join(SOURCE.choices(alphabet, k=size))


WORD, HEX, UPPER, BASE64 = (
    string.ascii_letters + string.digits,
    "0123456789abcdef",
    string.ascii_uppercase + "234567",
    string.ascii_letters + string.digits + "+/",
)


@dataclass(frozen=True)
class Planted:
    """One secret."""

    path: str
    line: int
    what: str


def main(quick: bool) -> None:
    """Print who found what, seconds, memory and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        archive, planted = build(work)
        print(f"image  {archive.stat().st_size / 1e6:.0f} MB, {len(planted)} planted secrets")
        seconds: dict[str, list[float]] = {}
        for _ in range(1 if quick else 3):
            for name, run in programs(work):
                took, memory, hits = run(archive)
                seconds.setdefault(name, []).append(took)
                if len(seconds[name]) == 1:
                    tell(name, memory, hits, planted)
        ours = statistics.median(seconds["seawall"])
        for name, all_of in seconds.items():
            best = statistics.median(all_of)
            print(f"{name:22} {best:6.2f} s   ({ours / best:.2f} × of it is what seawall needs)")


def tell(name: str, memory: int, hits: Sequence[tuple[str, int, str]], planted: Sequence[Planted]) -> None:
    """Found, missed, others."""
    seen = {(path, line) for path, line, _ in hits}
    missed = [one for one in planted if not any(abs(at) <= 1 for at in distances(one, seen))]
    places = {(one.path, one.line + step) for one in planted for step in (-1, 0, 1)}
    others = sorted({(path, line, rule) for path, line, rule in hits if (path, line) not in places})
    print(f"{name:22} found {len(planted) - len(missed)} of {len(planted)}, {len(others)} other hits, {memory} MB")
    for one in missed:
        print(f"{'':22}   missed {one.what} in {one.path}")
    if os.environ.get("BENCH_SHOW"):
        for other in others:
            print(f"{'':22}   other {other}")


def distances(one: Planted, seen: Iterable[tuple[str, int]]) -> Iterator[int]:
    """Of hits in its file."""
    return (line - one.line for path, line in seen if path == one.path)


def application() -> tuple[dict[str, str], list[Planted]]:
    """Files with secrets, and ordinary ones that look as if."""
    key = private_key()
    gcp = json.dumps({"type": "service_account", "private_key_id": some(HEX, 40), "private_key": private_key("")})
    auth = base64.b64encode(f"deploy:{some(WORD, 16)}".encode()).decode()
    files = {
        "root/.aws/credentials": (
            f"[default]\naws_access_key_id = AKIA{some(UPPER, 16)}\naws_secret_access_key = {some(BASE64, 40)}\n"
        ),
        "app/.git/config": f'[remote "origin"]\n\turl = https://ci:ghp_{some(WORD, 36)}@git.shop.test/shop.git\n',
        "app/.npmrc": f"registry=https://npm.shop.test/\n//npm.shop.test/:_authToken=npm_{some(WORD, 36)}\n",
        "root/.docker/config.json": f'{{\n  "auths": {{\n    "registry.shop.test": {{"auth": "{auth}"}}\n  }}\n}}\n',
        "app/shop/settings.py": f"import os\n\nDEBUG = False\nSECRET_KEY = '{some(WORD + '!@%^&*(-_=+)', 50)}'\n",
        "app/.env": f"DB_HOST=db\nDB_USER=shop\nDB_PASSWORD={some(WORD, 9)}!7\nLOG_LEVEL=info\n",
        "root/.ssh/id_rsa": key,
        "etc/ssl/private/shop.key": key,
        "app/src/notify.js": (
            "const token = process.env.T ||\n"
            f"  'xoxb-{some(string.digits, 12)}-{some(string.digits, 12)}-{some(WORD, 24)}';\n"
        ),
        "app/config/payment.yaml": f"payment:\n  provider: stripe\n  key: sk_live_{some(WORD, 24)}\n",
        "app/gcp.json": gcp + "\n",
        "app/config/database.yml": (f"production:\n  url: postgres://shop:{some(WORD, 14)}@db.shop.test:5432/shop\n"),
        "tmp/deploy.sh": f"#!/bin/sh\nset -e\nexport GITLAB_TOKEN=glpat-{some(WORD, 20)}\n",
        "app/README.md": "Set DB_PASSWORD=changeme and AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE in .env\n",
        "app/config/example.yaml": "password: ${DB_PASSWORD}\ntoken: <your-token-here>\nsecret: changeme\n",
        "app/src/login.js": "const password = req.body.password;\nif (!password) throw new Error('no password');\n",
    }
    marks = (
        ("root/.aws/credentials", 2, "AWS access key id"), ("root/.aws/credentials", 3, "AWS secret access key"),
        ("app/.git/config", 2, "GitHub token"), ("app/.npmrc", 2, "npm token"),
        ("root/.docker/config.json", 3, "registry login"), ("app/shop/settings.py", 4, "Django secret key"),
        ("app/.env", 3, "plain database password"), ("root/.ssh/id_rsa", 1, "private key"),
        ("etc/ssl/private/shop.key", 1, "the same private key"), ("app/src/notify.js", 2, "Slack token"),
        ("app/config/payment.yaml", 3, "Stripe key"), ("app/gcp.json", 1, "Google service account"),
        ("app/config/database.yml", 2, "login in an address"), ("tmp/deploy.sh", 3, "GitLab token, deleted later"),
    )  # fmt: skip
    return files, [Planted(*mark) for mark in marks]


def private_key(kind: str = "RSA ") -> str:
    """Of the right form; no key."""
    lines = "\n".join(some(BASE64, 64) for _ in range(24))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n{some(BASE64, 22)}==\n-----END {kind}PRIVATE KEY-----\n"


def build(work: Path) -> tuple[Path, list[Planted]]:
    """A `docker save` archive."""
    files, planted = application()
    base = work / "base.tar"
    with tarfile.open(base, "w") as tar:
        for folder, name in roots():
            tar.add(folder, name, filter=_kept)
    layers = [base]
    for number, content in enumerate((files, {"tmp/.wh.deploy.sh": ""})):
        path = work / f"{number}.tar"
        with tarfile.open(path, "w") as tar:
            for name, text in content.items():
                info = tarfile.TarInfo(name)
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
        layers.append(path)
    return saved(work, layers), planted


def roots() -> list[tuple[str, str]]:
    """What the lowest layer is made of: folder and name there."""
    root = Path(os.environ.get("BENCH_ROOT") or OUT / "root")
    if not root.is_dir() and shutil.which("debootstrap") and os.geteuid() == 0:
        root.parent.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", "--include=python3,perl,openssl,curl", "bookworm", str(root)]
        if subprocess.run(command, capture_output=True, check=False, timeout=900).returncode:
            shutil.rmtree(root, ignore_errors=True)
    if root.is_dir():
        return [(str(root), ".")]
    print("no Debian root file system could be made: parts of this host's stand for it")
    return [(folder, folder.strip("/")) for folder in HOST if Path(folder).is_dir()]


def _kept(one: tarfile.TarInfo) -> tarfile.TarInfo | None:
    outside = one.name.startswith(("./proc/", "./sys/", "./dev/"))
    return None if outside or one.ischr() or one.isblk() or one.isfifo() else one


def saved(work: Path, layers: Sequence[Path]) -> Path:
    """The archive of these layers."""
    ids = []
    for path in layers:
        with path.open("rb") as source:
            ids.append(f"sha256:{file_digest(source, 'sha256').hexdigest()}")
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": [{"created_by": f"layer {number}"} for number in range(len(ids))],
    }
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": ["bench:1"], "Layers": names}]
    path = work / "image.tar"
    with tarfile.open(path, "w") as tar:
        for name, layer in zip(names, layers, strict=True):
            tar.add(layer, name)
        for name, value in (("config.json", config), ("manifest.json", manifest)):
            data = json.dumps(value).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


Run = Callable[[Path], tuple[float, int, list[tuple[str, int, str]]]]


def programs(work: Path) -> Iterator[tuple[str, Run]]:
    """Each with what reads its report."""
    yield "seawall", lambda archive: seawall(work, archive)
    for name, run in (("trivy", trivy), ("gitleaks", gitleaks)):
        found = shutil.which(name, path=os.pathsep.join((os.environ.get("PEERS", ""), os.environ.get("PATH", ""))))
        if found is None:
            print(f"{name} is not installed here: NOT compared (PEERS=FOLDER names where it is)")
        else:
            yield name, lambda archive, run=run, found=found: run(found, work, archive)  # type: ignore[misc]


def seawall(work: Path, archive: Path) -> tuple[float, int, list[tuple[str, int, str]]]:
    out = work / "seawall.json"
    words = ["--scanners", "secret", "--no-cache"]
    command = [sys.executable, "-m", "seawall", "image", "scan", f"docker-archive:{archive}", *words]
    took, memory = measured(
        [*command, "--format", "json", "--output", str(out)], {"SEAWALL_STATE": str(work / "state")}
    )
    found = json.loads(out.read_text())["secrets"]
    return took, memory, [hit for one in found for hit in spread(one)]


def spread(one: dict[str, object]) -> list[tuple[str, int, str]]:
    """An AWS name and its key are one finding, at the name."""
    path, line, rule = str(one["path"]), int(str(one["line"])), str(one["rule"])
    return [(path, line, rule)]


def trivy(program: str, work: Path, archive: Path) -> tuple[float, int, list[tuple[str, int, str]]]:
    out, cache = work / "trivy.json", work / "trivy"
    shutil.rmtree(cache, ignore_errors=True)
    command = [
        program,
        "image",
        "--input",
        str(archive),
        "--scanners",
        "secret",
        "--format",
        "json",
        "--output",
        str(out),
    ]
    command += ["--cache-dir", str(cache), "--skip-version-check", "--offline-scan", "--quiet"]
    took, memory = measured(command)
    results = json.loads(out.read_text()).get("Results") or []
    return took, memory, [
        (result["Target"].lstrip("/"), one["StartLine"], one["RuleID"])
        for result in results
        for one in result.get("Secrets") or []
    ]  # fmt: skip


def gitleaks(program: str, work: Path, archive: Path) -> tuple[float, int, list[tuple[str, int, str]]]:
    out = work / "gitleaks.json"
    command = [
        program,
        "dir",
        str(archive),
        "--max-archive-depth",
        "3",
        "--exit-code",
        "0",
        "--no-banner",
        "--log-level",
        "error",
    ]
    took, memory = measured([*command, "--report-format", "json", "--report-path", str(out)])
    return (
        took,
        memory,
        [
            (one["File"].split("!")[-1].removeprefix("./"), one["StartLine"], one["RuleID"])
            for one in json.loads(out.read_text())
        ],
    )


LAUNCHER = """
import resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(code)
"""


def measured(command: Sequence[str], environment: dict[str, str] | None = None) -> tuple[float, int]:
    """Seconds, and MB at most."""
    run = subprocess.run(
        [sys.executable, "-c", LAUNCHER, *command],
        capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}, timeout=600,
    )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"{command[0]}: {run.stderr[-500:]}")
    took, memory = run.stdout.split()
    return float(took), int(memory)
