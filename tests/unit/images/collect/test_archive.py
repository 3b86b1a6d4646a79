"""Archives in every layout become the same inventory, whatever comes first in them."""

import gzip
import io
import lzma
from pathlib import Path

import pytest
import zstandard

import archives
from archives import OCI, OLD, layer, metadata, saved, status
from seawall.images.collect import archive, image, sources
from seawall.images.collect.image import Names
from seawall.images.collect.reading import Reading
from seawall.images.model import Inventory, Location

BASE = layer({"etc/os-release": archives.OS_RELEASE, "var/lib/dpkg/status": status(bash="5.1", zlib="1.2")})
SITE = "usr/lib/python3/site-packages"
TOP = layer({f"{SITE}/PyYAML-5.3.dist-info/METADATA": metadata("PyYAML", "5.3")})


def read(data: bytes) -> Inventory:
    return image.read(io.BytesIO(data), Names("docker-archive:x"))


def check(found: Inventory) -> None:
    assert {(one.name, one.version, one.locations) for one in found.packages} == {
        ("bash", "5.1", (Location("var/lib/dpkg/status", 0),)),
        ("zlib", "1.2", (Location("var/lib/dpkg/status", 0),)),
        ("PyYAML", "5.3", (Location(f"{SITE}/PyYAML-5.3.dist-info/METADATA", 1),)),
    }
    assert [(one.diff_id, one.size, one.created_by) for one in found.layers] == [
        (archives.digest(BASE), len(BASE), "step 0"),
        (archives.digest(TOP), len(TOP), "step 1"),
    ]
    assert found.os is not None
    assert (found.os.id, found.os.version, found.skipped) == ("debian", "11", ())
    assert (found.config.user, found.config.exposed, found.tags) == ("app", ("80/tcp",), ("made:1",))


@pytest.mark.parametrize("layout", [OLD, OCI])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_every_layout_gives_the_same(layout: str, first: bool, packed: bool) -> None:
    check(read(saved([BASE, TOP], layout, first=first, packed=packed)))


def test_a_pure_oci_layout_of_several_platforms() -> None:
    check(read(archives.oci([BASE, TOP])))


@pytest.mark.parametrize("notes", [b"null", b"[]", b'"x"', b"7", b'{"io.containerd.image.name": ["a"]}'])
def test_annotations_that_are_none(notes: bytes) -> None:
    found = archive.Archive()
    found.documents["blobs/sha256/bb"] = b'{"config": {"digest": "sha256:aa"}, "layers": []}'
    found.documents["index.json"] = b'{"manifests": [{"digest": "sha256:bb", "annotations": ' + notes + b"}]}"
    assert archive.images(found) == [archive.Image("blobs/sha256/aa", (), ())]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress])
def test_a_packed_archive(pack) -> None:
    check(read(pack(saved([BASE, TOP]))))


def test_gzip_in_several_members_with_padding() -> None:
    data = saved([BASE, TOP])
    check(read(gzip.compress(data[:5000]) + gzip.compress(data[5000:]) + b"\0" * 700_000))


def test_equal_layers_are_links_in_the_older_layout() -> None:
    data = archives.configuration([BASE, TOP, BASE])
    members = [
        ("a/layer.tar", BASE),
        ("b/layer.tar", TOP),
        ("c/layer.tar", "../a/layer.tar"),
        ("c.json", archives.json.dumps(data).encode()),
        ("manifest.json", b'[{"Config": "c.json", "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"]}]'),
    ]
    found = read(archives.tar(members))
    assert found.skipped == ()
    assert [one.size for one in found.layers] == [len(BASE), len(TOP), len(BASE)]


def test_empty_steps_of_the_history_keep_their_place() -> None:
    steps = [{"created_by": "ENV A=b", "empty_layer": True}, {"created_by": "COPY"}, {"created_by": "RUN"}]
    found = read(saved([BASE, TOP], config=archives.configuration([BASE, TOP], history=steps)))
    assert [(one.index, one.empty, one.created_by) for one in found.layers] == [
        (0, True, "ENV A=b"),
        (1, False, "COPY"),
        (2, False, "RUN"),
    ]
    assert {one.locations[0].layer for one in found.packages if one.kind == "deb"} == {1}
    assert all(found.layers[one.locations[0].layer].size for one in found.packages)


def test_purls() -> None:
    found = {one.name: one.purl for one in read(saved([BASE, TOP])).packages}
    assert found["bash"] == "pkg:deb/debian/bash@5.1?arch=amd64&distro=debian-11"
    assert found["PyYAML"] == "pkg:pypi/pyyaml@5.3"


def test_the_real_one(data: Path) -> None:
    found = sources.collect(f"docker-archive:{data / 'images' / 'alpine-311.tar.gz'}")
    names = {one.name: one for one in found.packages}
    assert (len(names), names["musl"].version, names["libcrypto1.1"].source_name) == (14, "1.1.24-r2", "openssl")
    assert found.config.id == "sha256:a187dde48cd289ac374ad8539930628314bc581a481cdb41409c9289419ddb72"
    assert found.skipped == ()


def test_every_source_is_a_file_and_every_file_a_source() -> None:
    files = {path.stem.replace("_", "-") for path in Path(sources.__file__).parent.glob("*.py")} - {"--init--"}
    assert files == set(sources.SOURCES)


def test_progress_is_told(tmp_path: Path) -> None:
    said: list[float] = []
    path = tmp_path / "image.tar"
    path.write_bytes(saved([BASE, TOP]))
    sources.collect(f"docker-archive:{path}", Reading(progress=lambda share, _message: said.append(share)))
    assert said
    assert all(0 <= share < 1 for share in said)
