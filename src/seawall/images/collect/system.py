"""Which distribution an image is built on. Source: os-release(5); older ones leave a version file only."""

from seawall.images.model import OperatingSystem

PATHS = ("etc/os-release", "usr/lib/os-release", "etc/alpine-release", "etc/debian_version")
LIMIT = 1 << 16


def detect(files: dict[str, bytes]) -> OperatingSystem | None:
    """From the contents of those PATHS that the image holds; None when there is nothing to tell."""
    for path in PATHS[:2]:
        found = _fields(files.get(path, b""))
        if found.get("ID"):
            version = found.get("VERSION_ID", "") or _release(files)
            return OperatingSystem(
                found["ID"].lower(), version, found.get("PRETTY_NAME", ""), found.get("VERSION_CODENAME", "")
            )
    for path, name in (("etc/alpine-release", "alpine"), ("etc/debian_version", "debian")):
        if path in files:
            return OperatingSystem(name, _line(files[path]))
    return None


def _release(files: dict[str, bytes]) -> str:
    return _line(files.get("etc/debian_version") or files.get("etc/alpine-release") or b"")


def _line(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip().partition("\n")[0][:100]


def _fields(data: bytes) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in data.decode("utf-8", "replace").splitlines() if "=" in line)
    return {key.strip(): value.strip().strip("\"'")[:200] for key, value in pairs}
