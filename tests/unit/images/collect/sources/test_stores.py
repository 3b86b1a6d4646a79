"""Stores on disk that somebody may have written into: containerd's database, Podman's lists, blobs that are links."""

import json
import os
from pathlib import Path

import pytest

import archives
from archives import digest, layer, metadata, status
from bolts import Tree, write
from seawall.core.errors import SeawallError
from seawall.images.collect import sources
from seawall.images.model import Inventory

BASE = layer({"etc/os-release": archives.OS_RELEASE, "var/lib/dpkg/status": status(bash="5.1")})
TOP = layer({"a-1.dist-info/METADATA": metadata("a", "1")})
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def varint(value: int) -> bytes:
    value <<= 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """containerd's, with one image in two namespaces, of other names."""
    content = tmp_path / "io.containerd.content.v1.content" / "blobs" / "sha256"
    content.mkdir(parents=True)

    def put(data: bytes, kind: str) -> dict:
        (content / digest(data)[7:]).write_bytes(data)
        return {"digest": digest(data), "size": len(data), "mediaType": kind}

    config = put(json.dumps(archives.configuration([BASE, TOP])).encode(), "application/vnd.oci.image.config.v1+json")
    layers = [put(one, "application/vnd.oci.image.layer.v1.tar") for one in (BASE, TOP)]
    whole = json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode()
    put(whole, MANIFEST)
    target = {b"digest": digest(whole).encode(), b"mediatype": MANIFEST.encode(), b"size": varint(len(whole))}
    images = {
        b"k8s.io": {b"images": {b"docker.io/library/app:1": {b"target": target}}},
        b"odd": {b"images": {b"other:2": {b"target": target}, b"broken:1": {b"target": {b"digest": b"../../x"}}}},
    }
    database = tmp_path / "io.containerd.metadata.v1.bolt" / "meta.db"
    database.parent.mkdir()
    write(database, {b"v1": images})
    monkeypatch.setenv("SEAWALL_CONTAINERD_ROOT", str(tmp_path))
    return tmp_path


def names(found: Inventory) -> list[str]:
    return sorted(one.name for one in found.packages)


@pytest.mark.parametrize("name", ["app:1", "docker.io/library/app:1", "k8s.io/app:1", "odd/other:2", "other:2"])
def test_containerds_images(store: Path, name: str) -> None:
    found = sources.collect(f"containerd:{name}")
    assert names(found) == ["a", "bash"]
    assert found.skipped == ()


@pytest.mark.parametrize("name", ["none:1", "broken:1", "default/app:9"])
def test_what_containerd_has_not(store: Path, name: str) -> None:
    with pytest.raises(SeawallError, match="has no image") as refused:
        sources.collect(f"containerd:{name}")
    assert "k8s.io/docker.io/library/app:1" in refused.value.hint


def test_blobs_that_are_links_or_changed(store: Path) -> None:
    blobs = store / "io.containerd.content.v1.content" / "blobs" / "sha256"
    blob = blobs / digest(TOP)[7:]
    blob.rename(store / "elsewhere")
    blob.symlink_to(store / "elsewhere")
    with pytest.raises(SeawallError, match="link"):
        sources.collect("containerd:app:1")
    blob.unlink()
    blob.write_bytes(TOP[:-1] + b"x")
    with pytest.raises(SeawallError, match="another digest"):
        sources.collect("containerd:app:1")


@pytest.mark.parametrize("content", [b"", os.urandom(70_000), {b"v2": {}}, {b"v1": {b"x": {}}}])
def test_broken_databases(store: Path, content: bytes | Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seawall.images.collect.sources.containerd.ATTEMPTS", 1)
    database = store / "io.containerd.metadata.v1.bolt" / "meta.db"
    if isinstance(content, bytes):
        database.write_bytes(content)
    else:
        write(database, content)
    with pytest.raises(SeawallError):
        sources.collect("containerd:app:1")


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Podman's storage, as its vfs driver has it, made by hand."""
    import base64

    config = json.dumps(archives.configuration([BASE])).encode()
    id_ = digest(config)[7:]
    folder = tmp_path / "vfs-images" / id_
    folder.mkdir(parents=True)
    (folder / ("=" + base64.b64encode(digest(config).encode()).decode())).write_bytes(config)
    (tmp_path / "vfs-images/images.json").write_text(
        json.dumps([{"id": id_, "names": ["localhost/app:1"], "layer": "a" * 64}])
    )
    (tmp_path / "vfs-layers").mkdir()
    (tmp_path / "vfs-layers/layers.json").write_text(json.dumps([{"id": "a" * 64}]))
    root = tmp_path / "vfs/dir" / ("a" * 64)
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_bytes(status(bash="5.1"))
    monkeypatch.setenv("SEAWALL_PODMAN_STORAGE", str(tmp_path))
    monkeypatch.setenv("SEAWALL_PODMAN_SOCKET", str(tmp_path / "none.sock"))
    return tmp_path


def test_podmans_storage(podman: Path) -> None:
    for name in ("app:1", "localhost/app:1"):
        assert names(sources.collect(f"podman:{name}")) == ["bash"]
    with pytest.raises(SeawallError, match="has no image"):
        sources.collect("podman:other")


def test_a_layer_that_is_a_link_and_layers_in_a_circle(podman: Path, tmp_path: Path) -> None:
    root = podman / "vfs/dir" / ("a" * 64)
    root.rename(podman / "moved")
    root.symlink_to(podman / "moved")
    with pytest.raises(SeawallError, match="lacks a layer"):
        sources.collect("podman:app:1")
    (podman / "vfs-layers/layers.json").write_text(json.dumps([{"id": "a" * 64, "parent": "a" * 64}]))
    with pytest.raises(SeawallError, match="circle"):
        sources.collect("podman:app:1")


@pytest.mark.parametrize("content", ["", "{", "3", "[3, null]", '[{"id": "../../etc"}]', '[{"id": 3, "names": 7}]'])
def test_lists_of_podman_that_make_no_sense(podman: Path, content: str) -> None:
    (podman / "vfs-images/images.json").write_text(content)
    with pytest.raises(SeawallError):
        sources.collect("podman:app:1")
