"""Images for the scenes, made here and kept by a hash of their recipe: nothing is pulled from an image registry.

- `debian`: a Debian with every language and tool that the scenes need, from the host's own package sources
- `busybox`: one static busybox and its names, nothing else
- `python`: Python and its libraries, no shell (what "distroless" images are)
- `static`: one static program of ours, no shell, no library
"""

import functools
import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = "corpus"

PACKAGES = (
    "busybox-static ca-certificates cron curl gawk git ksh libcap2-bin logrotate lua5.4 lua-socket ncat "
    "netcat-openbsd netcat-traditional nginx-light nodejs openssh-client openssh-server openssl php-cli php-fpm "
    "postgresql procps psmisc python3-minimal python3 redis-server rsync ruby socat inetutils-telnet tcl zsh"
)

SLIM = """path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/info/*
force-unsafe-io
"""

DEBIAN = """FROM {base}
COPY sources.list /etc/apt/sources.list
COPY slim /etc/dpkg/dpkg.cfg.d/slim
RUN echo 'exit 101' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; apt-get -qq update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install {packages} \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /etc/ssh/ssh_host_* \
 && useradd -m -u 1000 -s /bin/bash app
COPY hand /opt/hand
COPY payload /opt/payload
"""

PYTHON = """FROM {debian} AS full
RUN mkdir -p /only/opt /only/tmp && chmod 1777 /only/tmp \\
 && cp --parents -a /usr/lib/python3.11 /usr/bin/python3.11 /only \\
 && for file in /usr/bin/python3.11 /usr/lib/python3.11/lib-dynload/*.so; do ldd $file; done \\
    | grep -o '/[^ ]*' | grep -v : | sort -u | xargs cp -L --parents -t /only \\
 && ln -s python3.11 /only/usr/bin/python3 && cp --parents /etc/passwd /etc/group /opt/hand /opt/payload /only
FROM scratch
COPY --from=full /only /
"""

APPLETS = (
    "ash awk base64 cat chmod chroot cp crond crontab cut dd echo env find grep head hostname httpd id kill ln ls "
    "mkdir mkfifo mknod mount mv nc nohup printf ps pwd rm sed setsid sh sleep sort tail tar telnet test timeout touch "
    "tr true umount unshare nsenter uname wc wget which xargs sync vi script"
)


def docker(*arguments: str, given: bytes | None = None, timeout: float = 120) -> str:
    """Run the docker command; its output. A failure shows what it said."""
    done = subprocess.run(["docker", *arguments], input=given, capture_output=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.decode()[-3000:]}"
    return done.stdout.decode(errors="replace").strip()


@functools.cache
def hand() -> bytes:
    """Our static program of many acts, see hand/hand.h."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "hand"
        command = [
            compiler,
            "-O1",
            "-static",
            "-pthread",
            "-Wall",
            "-o",
            str(target),
            *map(str, sorted((HERE / "hand").glob("*.c"))),
        ]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return target.read_bytes()


def find(name: str) -> str:
    """An image by its name; `busybox:WORD` is one of its own, so that nothing is told of it and another at once."""
    kind, _, word = name.partition(":")
    return (
        busybox(word)
        if word
        else str({"debian": debian, "busybox": busybox, "python": python, "static": static}[kind]())
    )


@functools.cache
def busybox(word: str = "") -> str:
    program = shutil.which("busybox")
    if (
        program is None
        or b"dynamic" in subprocess.run(["file", "-L", program], capture_output=True, check=False).stdout
    ):
        pytest.skip("no static busybox on this host")
    files = {"bin/busybox": Path(program).read_bytes(), "opt/hand": hand(), "etc/passwd": _passwd()}
    files |= {"etc/group": b"root:x:0:\napp:x:1000:\n"} | ({"etc/word": word.encode()} if word else {})
    links = {f"bin/{applet}": "busybox" for applet in APPLETS.split()}
    return _imported(f"busybox{word}", files, links)


@functools.cache
def static() -> str:
    program = shutil.which("busybox")
    payload = Path(program).read_bytes() if program else hand()
    return _imported("static", {"opt/hand": hand(), "opt/payload": payload, "etc/passwd": _passwd()}, {})


@functools.cache
def debian() -> str:
    sources = _sources()
    base = _base(sources)
    program = shutil.which("busybox")
    files = {
        "sources.list": sources.encode(),
        "slim": SLIM.encode(),
        "hand": hand(),
        "payload": Path(program).read_bytes() if program else hand(),
    }
    return built("debian", DEBIAN.format(base=base, packages=PACKAGES), files)


@functools.cache
def python() -> str:
    return built("python", PYTHON.format(debian=debian()), {})


def built(name: str, recipe: str, files: Mapping[str, bytes], *, cached: bool = True) -> str:
    """An image by `docker build` on the host's network."""
    tag = f"{REPOSITORY}:{name}-{_digest(recipe, files)}"
    if cached and _exists(tag):
        return tag
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in {"Dockerfile": recipe.encode(), **files}.items():
            _add(tar, path, content)
    options = ["--network", "host", "--force-rm", *([] if cached else ["--no-cache"])]
    docker("build", "-q", *options, "-t", tag, "-", given=buffer.getvalue(), timeout=600)
    return tag


def _base(sources: str) -> str:
    if shutil.which("debootstrap") is None:
        pytest.skip("debootstrap is not installed")
    _, site, suite, *_ = sources.split()
    tag = f"{REPOSITORY}:base-{_digest(site + suite, {})}"
    if _exists(tag):
        return tag
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        command = ["debootstrap", "--variant=minbase", suite, str(root), site]
        done = subprocess.run(command, capture_output=True, timeout=400, check=False)
        if done.returncode != 0:
            pytest.skip(f"debootstrap: {done.stdout.decode()[-300:]}")
        packed = subprocess.run(["tar", "-C", str(root), "-c", "."], capture_output=True, timeout=120, check=True)
        docker("import", "-", tag, given=packed.stdout)
    return tag


def _sources() -> str:
    """The host's own Debian sources, main only; the first line is the release itself."""
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    if shutil.which("apt-get") is None:
        pytest.skip("not a Debian host")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    lines = []
    for line in done.stdout.splitlines():
        uri, release, component, *origin = line.split()
        if component == "main" and origin == ["Debian"]:
            lines.append(f"deb {uri} {release} main")
    if not lines:
        pytest.skip("no Debian package sources are configured")
    return "\n".join(lines) + "\n"


def _imported(name: str, files: Mapping[str, bytes], links: Mapping[str, str]) -> str:
    tag = f"{REPOSITORY}:{name}-{_digest(str(links), files)}"
    if _exists(tag):
        return tag
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder, mode in {
            "bin": 0o755,
            "opt": 0o755,
            "etc": 0o755,
            "proc": 0o755,
            "dev": 0o755,
            "tmp": 0o1777,
        }.items():
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        for path, content in files.items():
            _add(tar, path, content)
        for path, target in links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    docker("import", "-", tag, given=buffer.getvalue())
    return tag


def _passwd() -> bytes:
    return b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/tmp:/bin/sh\n"


def _add(tar: tarfile.TarFile, path: str, content: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), 0o755
    tar.addfile(entry, io.BytesIO(content))


def _exists(tag: str) -> bool:
    """Whether it is there; others of its name, of older recipes, are thrown away if it is not."""
    name = tag.rsplit("-", 1)[0]
    tags = docker("images", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY).split()
    if tag in tags:
        return True
    for old in tags:
        if old.rsplit("-", 1)[0] == name:
            subprocess.run(["docker", "rmi", old], capture_output=True, timeout=60, check=False)
    return False


def _digest(recipe: str, files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(recipe.encode())
    for path, content in sorted(files.items()):
        digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()[:12]
