"""Image archives as `docker save` writes them, made in memory, honest and hostile ones."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

OLD, OCI = "old", "oci"

Content = bytes | str | tarfile.TarInfo
"""Bytes: a file. Text: a symbolic link to there. A TarInfo: as it is."""


def layer(files: Mapping[str, Content]) -> bytes:
    """A layer's tar."""
    return tar([(name, content) for name, content in files.items()])


def tar(members: Sequence[tuple[str, Content]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members:
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = content if isinstance(content, bytes) else b""
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            elif isinstance(content, bytes):
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def configuration(layers: Sequence[bytes], **more: Any) -> dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {"User": "app", "Env": ["A=b"], "Cmd": ["sh"], "ExposedPorts": {"80/tcp": {}}, "Labels": {"k": "v"}},
        "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in layers]},
        "history": [{"created_by": f"step {number}"} for number in range(len(layers))],
        **more,
    }


def saved(
    layers: Sequence[bytes],
    layout: str = OLD,
    *,
    config: dict[str, Any] | bytes | None = None,
    packed: bool = False,
    first: bool = False,
    tag: str = "made:1",
) -> bytes:
    """`first`: the manifest comes before the layers. `packed`: the layers are gzip."""
    described = configuration(layers) if config is None else config
    data = described if isinstance(described, bytes) else json.dumps(described).encode()
    blobs = [gzip.compress(one) if packed else one for one in layers]
    if layout == OLD:
        paths = [f"{number:064x}/layer.tar" for number in range(len(blobs))]
        name = digest(data)[7:] + ".json"
    else:
        paths = [f"blobs/sha256/{digest(one)[7:]}" for one in blobs]
        name = f"blobs/sha256/{digest(data)[7:]}"
    members = dict(zip(paths, blobs, strict=True)) | {name: data}
    manifest = [("manifest.json", json.dumps([{"Config": name, "RepoTags": [tag], "Layers": paths}]).encode())]
    return tar(manifest + list(members.items()) if first else list(members.items()) + manifest)


def oci(layers: Sequence[bytes], tag: str = "made:1") -> bytes:
    """A pure OCI layout: an index of indexes, an attestation beside the image, no manifest.json."""
    data = json.dumps(configuration(layers)).encode()
    blobs = {digest(gzip.compress(one, mtime=0)): gzip.compress(one, mtime=0) for one in layers}
    manifest = json.dumps({"config": {"digest": digest(data)}, "layers": [{"digest": one} for one in blobs]}).encode()
    other = json.dumps({"config": {"digest": "sha256:" + "0" * 64}, "layers": []}).encode()
    attested = {"vnd.docker.reference.type": "attestation-manifest"}
    inner = json.dumps(
        {
            "manifests": [
                {"digest": digest(other), "annotations": attested},
                {"digest": "sha256:" + "1" * 64, "platform": {"architecture": "arm64"}},
                {"digest": digest(manifest), "annotations": {"io.containerd.image.name": tag}},
            ]
        }
    ).encode()
    blobs |= {digest(one): one for one in (data, manifest, other, inner)}
    members = [(f"blobs/{name.replace(':', '/')}", one) for name, one in blobs.items()]
    index = json.dumps({"manifests": [{"digest": digest(inner)}]}).encode()
    return tar([*members, ("index.json", index), ("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')])


STATUS = """\
Package: {name}
Status: install ok installed
Architecture: amd64
Version: {version}

"""
OS_RELEASE = b'ID=debian\nVERSION_ID="11"\nVERSION_CODENAME=bullseye\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n'


def status(**packages: str) -> bytes:
    """A dpkg database."""
    return "".join(STATUS.format(name=name, version=version) for name, version in packages.items()).encode()


def metadata(name: str, version: str) -> bytes:
    """A Python distribution's."""
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: of the description\n".encode()
