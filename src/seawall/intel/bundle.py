"""The whole knowledge as one signed file, for places without a network.

A tar of three members in this order: manifest.json (what it is, how large, its SHA-256), manifest.sig (Ed25519 over the
manifest's bytes), intel.db.gz. Nothing but the manifest is read before its signature is verified, nothing is used
before its digest is. Keys are made and used by openssl, as the agent's are.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.intel.build import FORMAT
from seawall.intel.store import Store

SCHEMA = "seawall.intel-bundle/1"
MANIFEST, SIGNATURE, DATABASE = "manifest.json", "manifest.sig", "intel.db.gz"
PRIVATE, PUBLIC, TRUSTED = "intel-key.pem", "intel-key.pub", "intel-trusted"
"""Beside the store: the key that signs here, its public half, and a folder of public keys that are believed."""
MAX_MANIFEST = 1 << 20
MAX_SIGNATURE = 1024
MAX_KEYS = 64
MAX_DATABASE = 32 << 30
PIECE = 1 << 20
SECONDS = 20


def make_key(folder: Path) -> Path:
    """A new pair of keys, the private half for its owner's eyes only; gives the public one. Raises SeawallError when
    there is one already."""
    private, public = folder / PRIVATE, folder / PUBLIC
    if private.exists():
        raise SeawallError(f"there is a key already: {private}", "seawall intel key shows its public half")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = _openssl("genpkey", "-algorithm", "ed25519")
    handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(made)
    public.write_bytes(_openssl("pkey", "-in", str(private), "-pubout"))
    return public


def trust(folder: Path, public: Path) -> Path:
    """Believe bundles that are signed with this key. Raises SeawallError when it is no public Ed25519 key."""
    text = _openssl("pkey", "-pubin", "-in", str(public), "-noout", "-text")
    if b"ED25519" not in text.upper():
        raise SeawallError(f"{public} is no public Ed25519 key", "seawall intel key shows the one of a signer")
    data = _openssl("pkey", "-pubin", "-in", str(public), "-pubout")
    kept = folder / TRUSTED / f"{hashlib.sha256(data).hexdigest()[:16]}.pub"
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.write_bytes(data)
    return kept


def trusted(folder: Path) -> list[Path]:
    """Public keys that are believed, one's own among them."""
    own = folder / PUBLIC
    others = sorted((folder / TRUSTED).glob("*.pub")) if (folder / TRUSTED).is_dir() else []
    return ([own] if own.exists() else []) + others[:MAX_KEYS]


def export(db: Path, target: Path, key: Path | None = None) -> dict[str, Any]:
    """Write the store as a bundle, signed with the key beside it or another; gives the manifest."""
    private = key or db.with_name(PRIVATE)
    if not private.exists():
        raise SeawallError(f"there is no key {private} to sign with", "seawall intel key --new makes one")
    store = Store(db)
    try:
        status = store.status()
    finally:
        store.close()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".bundle") as folder:
        packed = Path(folder) / DATABASE
        digest, size = _pack(db, packed)
        manifest = {
            "schema": SCHEMA,
            "format": FORMAT,
            "made_at": clock.now(),
            "sha256": digest,
            "size": size,
            "advisories": status["advisories"],
            "feeds": {feed["name"]: feed["published_at"] or feed["updated_at"] for feed in status["feeds"]},
        }
        data = json.dumps(manifest, indent=1).encode()
        said = Path(folder) / MANIFEST
        said.write_bytes(data)
        signature = _openssl("pkeyutl", "-sign", "-inkey", str(private), "-rawin", "-in", str(said))
        whole = Path(folder) / "bundle"
        with tarfile.open(whole, "w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in ((MANIFEST, data), (SIGNATURE, signature)):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            archive.add(packed, DATABASE, filter=_nobody)
        whole.replace(target)
    return manifest


def is_bundle(path: Path) -> bool:
    """Whether a file begins as a bundle does."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError:
        return False
    return head.startswith(MANIFEST.encode() + b"\0") and head[257:262] == b"ustar"


def bring(db: Path, path: Path, keys: Sequence[Path], *, older: bool = False) -> dict[str, Any]:
    """Put a bundle's knowledge in the place of what is here; gives the manifest. Raises SeawallError when nobody that
    is believed has signed it, it is broken, or older than what is here (unless `older`)."""
    if not keys:
        raise SeawallError("no key is believed here", "seawall intel key --trust FILE believes a signer's public key")
    try:
        with tarfile.open(path, "r|", format=tarfile.USTAR_FORMAT) as archive:
            data = _member(archive, MANIFEST, MAX_MANIFEST).read()
            signature = _member(archive, SIGNATURE, MAX_SIGNATURE).read()
            _verify(data, signature, keys)
            manifest = _manifest(data)
            if not older:
                _not_older(db, manifest)
            _unpack(db, _member(archive, DATABASE, MAX_DATABASE), manifest)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise SeawallError(f"{path} is broken: {error}", "what was known stays in use") from error
    return manifest


def _pack(db: Path, packed: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with db.open("rb") as file, packed.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as out:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
    return digest.hexdigest(), size


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def _member(archive: tarfile.TarFile, name: str, limit: int) -> IO[bytes]:
    member = archive.next()
    if member is None or member.name != name or not member.isreg() or member.size > limit:
        raise ValueError(f"it has no {name} in its place")
    content = archive.extractfile(member)
    if content is None:
        raise ValueError(f"it has no {name}")
    return content


def _verify(data: bytes, signature: bytes, keys: Sequence[Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        said, signed = Path(folder) / "data", Path(folder) / "signature"
        said.write_bytes(data)
        signed.write_bytes(signature)
        for key in keys:
            found = _run(
                "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin", "-in", str(said), "-sigfile", str(signed)
            )
            if found.returncode == 0:
                return
    raise SeawallError(
        "nobody that is believed here has signed it", "seawall intel key --trust FILE believes a signer's public key"
    )


def _manifest(data: bytes) -> dict[str, Any]:
    found = json.loads(data)
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise ValueError(f"it is no {SCHEMA}")
    if found.get("format") != FORMAT:
        raise SeawallError(
            f"its store has format {found.get('format')}, this is {FORMAT}", "make it with the same version of Seawall"
        )
    clock.parse_time(str(found.get("made_at")))
    return found


def _not_older(db: Path, manifest: dict[str, Any]) -> None:
    try:
        store = Store(db)
    except SeawallError:  # none yet, or of another format
        return
    try:
        newest = max((feed["updated_at"] for feed in store.status()["feeds"]), default="")
    finally:
        store.close()
    if newest > str(manifest["made_at"]):
        raise SeawallError(
            f"it was made {manifest['made_at']}, and what is here is of {newest}", "--older takes it all the same"
        )


def _unpack(db: Path, packed: IO[bytes], manifest: dict[str, Any]) -> None:
    db.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = db.with_name(f".{db.name}.{os.getpid()}")
    digest, size, promised = hashlib.sha256(), 0, int(manifest["size"])
    if shutil.disk_usage(db.parent).free < promised:
        raise SeawallError(f"there is no room for {promised >> 20} MB beside {db}", "make some")
    try:
        with beside.open("wb") as out, gzip.GzipFile(fileobj=packed) as inner:
            os.fchmod(out.fileno(), 0o600)
            while piece := inner.read(PIECE):
                size += len(piece)
                if size > promised:
                    raise ValueError("its database is larger than its manifest says")
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if size != promised or digest.hexdigest() != manifest["sha256"]:
            raise ValueError("its database is not the one that was signed")
        _sound(beside)
        beside.replace(db)
    finally:
        beside.unlink(missing_ok=True)


def _sound(path: Path) -> None:
    """Raises ValueError for a database that SQLite finds broken."""
    file = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        said = file.execute("pragma quick_check(1)").fetchone()[0]
        found = file.execute("pragma user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise ValueError(str(error)) from error
    finally:
        file.close()
    if said != "ok" or found != FORMAT:
        raise ValueError(f"its database is not whole: {said}")


def _openssl(*arguments: str) -> bytes:
    done = _run(*arguments)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SeawallError(f"openssl {arguments[0]}: {said[-1] if said else 'failed'}", "apt install openssl")
    return done.stdout


def _run(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ("openssl", *arguments), capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SeawallError(f"openssl cannot be run: {error}", "apt install openssl") from error
