"""Take a file out of a container and keep it where it cannot run; put it back as it was. Runs in an errand.

Paths come from containers: they are opened below the container's root as if that were the root, and no symbolic link
leads out of it. Content is kept masked, so that no scanner and nobody by mistake takes it for the file.
"""

import base64
import contextlib
import errno
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seawall.core.ids import new_id
from seawall.node import procfs
from seawall.runtime.respond import fanotify, mounts
from seawall.runtime.respond.outcome import Failed, Outcome
from seawall.runtime.respond.verdict import same_file

MAX_FILE = 64 << 20
MAX_TOTAL = 256 << 20
"""Bytes in quarantine on one node."""
MAX_XATTRS = 64 << 10
MASK = bytes(value ^ 0xA5 for value in range(256))
_PIECE = 1 << 20


def put(home: Path, container: str, pid: int, path: str, *, dry: bool, sha256: str = "") -> Outcome:
    """Copy the file into quarantine and remove it from the container, if its hash is the one named. Raises Failed."""
    folder, name = _split(path)
    with _parent(container, pid, folder) as parent:
        source, found = _regular(parent, name, path)
        try:
            of_image = _of_image(pid, path, found)
            text = f"{path} ({found.st_size} bytes) {'would be' if dry else 'was'} moved into quarantine"
            if of_image:
                text += "; it is part of the image: a new container has it again"
            data: dict[str, Any] = {"size": found.st_size, "mode": oct(found.st_mode & 0o7777), "of_image": of_image}
            _check_room(home, found.st_size)
            if dry:
                return Outcome("quarantine", path, "quarantine", text, dry=True, data=data)
            about = {
                "container": container,
                "path": path,
                "size": found.st_size,
                "mode": stat.S_IMODE(found.st_mode),
                "uid": found.st_uid,
                "gid": found.st_gid,
                "mtime_ns": found.st_mtime_ns,
                "xattrs": _xattrs(source),
                "of_image": of_image,
                "time": time.time(),
            }
            kept, found_hash = _keep(home, source, about)
            try:
                if sha256 not in ("", found_hash):
                    _other(path)
                _remove(parent, name, found)
            except BaseException:
                _drop(home, kept)
                raise
        finally:
            os.close(source)
    data |= {"id": kept, "sha256": found_hash}
    undo = {"action": "restore", "container": container, "id": kept, "path": path}
    return Outcome("quarantine", path, "quarantine", text, undo=undo, data=data)


def restore(home: Path, id: str, pid: int, dry: bool) -> Outcome:
    """Put a file back as it was, with mode, owner, time and attributes, if nothing lies there. Raises Failed."""
    about = read(home, id)
    path = str(about["path"])
    folder, name = _split(path)
    with _parent(str(about["container"]), pid, folder) as parent:
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=parent, follow_symlinks=False)
            raise Failed("occupied", f"something lies at {path} already")
        text = f"{path} {'would be' if dry else 'is'} back as it was"
        data = {"size": about["size"], "sha256": about["sha256"], "id": id}
        if dry:
            return Outcome("restore", path, "quarantine", text, dry=True, data=data)
        _write_back(home, id, about, parent, name)
    _drop(home, id)
    return Outcome("restore", path, "quarantine", text, data=data)


def read(home: Path, id: str) -> dict[str, Any]:
    """What is known of a file in quarantine. Raises Failed."""
    if not id.replace("-", "").replace("_", "").isalnum():
        raise Failed("file_gone", "that is no file in quarantine")
    try:
        about: dict[str, Any] = json.loads((home / "quarantine" / f"{id}.json").read_bytes())
    except (OSError, ValueError) as error:
        raise Failed("file_gone", "there is no such file in quarantine") from error
    return about


def by_path(home: Path, container: str, path: str) -> str:
    """The id of the newest file that came from there. Raises Failed."""
    found = [about for about in everything(home) if about["container"] == container and about["path"] == path]
    if not found:
        raise Failed("file_gone", f"no file from {path} is in quarantine")
    return str(max(found, key=lambda about: about["time"])["id"])


def everything(home: Path) -> list[dict[str, Any]]:
    """All that is in quarantine."""
    found = []
    for path in sorted((home / "quarantine").glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            found.append({**json.loads(path.read_bytes()), "id": path.stem})
    return found


def _split(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    if not path.startswith("/") or "\0" in path or name in ("", ".", "..") or len(path) > 4096:
        raise Failed("refused", f"{path[:100]!r} is not the path of a file")
    return folder or "/", name


@contextlib.contextmanager
def _parent(container: str, pid: int, folder: str) -> Iterator[int]:
    """The folder of a file, inside the container's root whatever its path says."""
    try:
        root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Failed("container_gone", "it has just ended") from error
    try:
        if procfs.container_of(pid) not in (None, container):
            raise Failed("container_gone", "it has just ended")
        mounts.check_apart(pid)
        resolve = fanotify.RESOLVE_IN_ROOT | fanotify.RESOLVE_NO_MAGICLINKS
        found = fanotify.openat2(root, folder, os.O_PATH | os.O_DIRECTORY, resolve=resolve)
    except OSError as error:
        reason = "file_gone" if error.errno in (errno.ENOENT, errno.ENOTDIR) else "refused"
        raise Failed(reason, f"{folder}: {error.strerror or error}") from error
    finally:
        os.close(root)
    try:
        yield found
    finally:
        os.close(found)


def _regular(parent: int, name: str, path: str) -> tuple[int, os.stat_result]:
    """An open descriptor of a plain file that may be moved. It is looked at before it is opened: no device is woken."""
    try:
        looked = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except FileNotFoundError as error:
        raise Failed("file_gone", f"there is no {path}") from error
    try:
        found = os.fstat(looked)
        if not stat.S_ISREG(found.st_mode):
            raise Failed("refused", f"{path} is no plain file")
        if found.st_size > MAX_FILE:
            raise Failed("refused", f"{path} has {found.st_size} bytes, at most {MAX_FILE} are moved")
        return os.open(f"/proc/self/fd/{looked}", os.O_RDONLY | os.O_CLOEXEC), found
    finally:
        os.close(looked)


def _of_image(pid: int, path: str, found: os.stat_result) -> bool:
    for layer in mounts.layers(mounts.mounts_of(pid)):
        with contextlib.suppress(OSError):
            if same_file(os.lstat(layer + path), found):
                return True
    return False


def _check_room(home: Path, size: int) -> None:
    held = sum(path.stat().st_size for path in (home / "quarantine").glob("*.bin"))
    if held + size > MAX_TOTAL:
        raise Failed("full", f"the quarantine holds {held} bytes, at most {MAX_TOTAL}: restore or delete some")


def _keep(home: Path, source: int, about: dict[str, Any]) -> tuple[str, str]:
    """Masked copy and description, on disk before anything is removed; (id, SHA-256)."""
    folder = home / "quarantine"
    folder.mkdir(0o700, parents=True, exist_ok=True)
    kept, made, size = new_id("file"), hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(folder / f"{kept}.bin", flags, 0o600), "wb") as out:
            while (part := os.read(source, _PIECE)) and size <= MAX_FILE:
                size += len(part)
                made.update(part)
                out.write(part.translate(MASK))
            out.flush()
            os.fsync(out.fileno())
        if size > MAX_FILE:
            _growing()
        new = folder / f".{kept}.new"
        new.touch(0o600)
        new.write_text(json.dumps(about | {"sha256": made.hexdigest(), "size": size}))
        new.replace(folder / f"{kept}.json")
    except BaseException:
        _drop(home, kept)
        raise
    return kept, made.hexdigest()


def _other(path: str) -> None:
    raise Failed("file_gone", f"{path} is another file by now")


def _growing() -> None:
    raise Failed("refused", "the file grows while it is read")


def _remove(parent: int, name: str, found: os.stat_result) -> None:
    """Unlink what was copied, and nothing that took its place meanwhile."""
    try:
        now = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if (now.st_dev, now.st_ino, now.st_size) != (found.st_dev, found.st_ino, found.st_size):
            raise Failed("failed", "the file was exchanged while it was moved")
        os.unlink(name, dir_fd=parent)
    except OSError as error:
        raise Failed("failed", f"it cannot be removed: {error.strerror}") from error


def _write_back(home: Path, id: str, about: dict[str, Any], parent: int, name: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        target = os.open(name, flags, 0o600, dir_fd=parent)
    except OSError as error:
        raise Failed("occupied" if error.errno == errno.EEXIST else "failed", str(error.strerror)) from error
    try:
        with os.fdopen(target, "wb") as out, (home / "quarantine" / f"{id}.bin").open("rb") as kept:
            while part := kept.read(_PIECE):
                out.write(part.translate(MASK))
            out.flush()
            os.fchown(out.fileno(), int(about["uid"]), int(about["gid"]))
            os.fchmod(out.fileno(), int(about["mode"]))
            for attribute, value in about["xattrs"].items():
                os.setxattr(out.fileno(), attribute, base64.b64decode(value))
            os.utime(out.fileno(), ns=(int(about["mtime_ns"]), int(about["mtime_ns"])))
    except OSError as error:
        os.unlink(name, dir_fd=parent)
        raise Failed("failed", f"it cannot be written back: {error.strerror}") from error


def _xattrs(source: int) -> dict[str, str]:
    found: dict[str, str] = {}
    total = 0
    with contextlib.suppress(OSError):
        for name in os.listxattr(source):
            value = os.getxattr(source, name)
            total += len(value)
            if name.startswith(("user.", "security.capability")) and total <= MAX_XATTRS:
                found[name] = base64.b64encode(value).decode()
    return found


def _drop(home: Path, id: str) -> None:
    for ending in ("bin", "json"):
        (home / "quarantine" / f"{id}.{ending}").unlink(missing_ok=True)
