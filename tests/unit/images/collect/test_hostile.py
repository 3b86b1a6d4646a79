"""What an attacker may put into an image: each has a clear outcome, and costs nothing else."""

import gzip
import io
import json
import lzma
import os
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import Any

import pytest
import zstandard

import archives
from archives import layer, metadata, saved, special, status
from seawall.core.errors import Hostile, SeawallError, Unreachable
from seawall.core.plain import to_plain
from seawall.images.collect import image, sources, streams, tar
from seawall.images.collect.image import Names
from seawall.images.collect.reading import Reading
from seawall.images.collect.sources import docker
from seawall.images.collect.streams import Budget, Plain
from seawall.images.model import Inventory
from seawall.node.docker import Docker

GOOD = {"etc/os-release": archives.OS_RELEASE, "var/lib/dpkg/status": status(bash="5.1")}


def read(data: bytes, budget: Budget | None = None) -> Inventory:
    return image.read(io.BytesIO(data), Names("docker-archive:x"), Reading(budget=budget or Budget()))


def names(found: Inventory) -> list[str]:
    return [one.name for one in found.packages]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7])
def test_a_truncated_archive_is_refused(share: float) -> None:
    data = saved([layer(GOOD | {"big": os.urandom(100_000)})])
    with pytest.raises(Hostile, match=r"cut off|neither"):
        read(data[: int(len(data) * share)])


def test_a_truncated_packed_archive_is_refused() -> None:
    data = gzip.compress(saved([layer(GOOD | {"big": os.urandom(100_000)})]))
    with pytest.raises(Hostile, match="cut off"):
        read(data[: len(data) // 2])


def test_a_truncated_layer_says_so_and_keeps_what_came_before() -> None:
    whole = layer(GOOD | {"big": os.urandom(100_000)})
    found = read(saved([whole[:50_000]]))
    assert names(found) == ["bash"]
    assert found.stats["unread_layers"] == 1
    assert "could not be read to its end" in found.skipped[0].why


def test_names_that_lead_out_are_counted_and_not_followed() -> None:
    evil = {
        "../../var/lib/dpkg/status": status(evil="1"),
        "a/../../etc/os-release": b"ID=evil\n",
        "/var/lib/dpkg/status": status(absolute="1"),
        "./" + "d/" * 300 + "x.dist-info/METADATA": metadata("deep", "1"),
    }
    found = read(saved([layer(evil)]))
    assert names(found) == ["absolute"], "an absolute name is one below the image's root"
    assert len(found.skipped) == 3
    assert all("leads out" in one.why for one in found.skipped)
    assert found.os is None


def test_an_archive_with_names_that_lead_out() -> None:
    whole = layer(GOOD)
    data = json.dumps(archives.configuration([whole])).encode()
    listed = json.dumps([{"Config": "../../c.json", "Layers": ["../../../etc/shadow"]}]).encode()
    with pytest.raises(Hostile, match="does not hold the configuration"):
        read(archives.tar([("../../c.json", data), ("l/layer.tar", whole), ("manifest.json", listed)]))


def test_devices_pipes_and_folders_where_files_belong() -> None:
    evil = {
        "var/lib/dpkg/status": special("var/lib/dpkg/status", tarfile.CHRTYPE),
        "etc/os-release": special("etc/os-release", tarfile.FIFOTYPE),
        "x.dist-info/METADATA": special("x.dist-info/METADATA", tarfile.DIRTYPE),
        "y.dist-info/METADATA": special("y.dist-info/METADATA", tarfile.BLKTYPE),
        "z.dist-info/METADATA": metadata("fine", "1"),
    }
    found = read(saved([layer(evil)]))
    assert (names(found), found.os) == (["fine"], None)


def test_loops_of_links() -> None:
    evil = {
        "var/lib/dpkg/status": "status",
        "a": "b",
        "b": "a",
        "etc/os-release": "/etc/os-release",
        "x.dist-info/METADATA": special("x.dist-info/METADATA", tarfile.LNKTYPE, "x.dist-info/METADATA"),
        "y.dist-info/METADATA": special("y.dist-info/METADATA", tarfile.LNKTYPE, "../../z.dist-info/METADATA"),
        "z.dist-info/METADATA": metadata("fine", "1"),
    }
    found = read(saved([layer(evil)]))
    assert names(found) == ["fine"]
    assert len(found.skipped) == 2


def test_an_archive_of_links_in_a_circle() -> None:
    listed = b'[{"Config": "c.json", "Layers": ["a/layer.tar"]}]'
    links = [("a/layer.tar", "../b/layer.tar"), ("b/layer.tar", "../a/layer.tar"), ("c.json", "c.json")]
    with pytest.raises(Hostile, match="does not hold the configuration"):
        read(archives.tar([*links, ("manifest.json", listed)]))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress])
def test_a_bomb_ends_at_the_budget_and_comes_out_in_small_pieces(pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(64 << 20))
    plain = Plain(io.BytesIO(bomb), Budget(32 << 20))
    largest = 0
    with pytest.raises(Hostile, match="once unpacked"):
        while part := plain._more():
            largest = max(largest, len(part))
            plain._budget.take(len(part))
    assert largest <= streams.MAX_CHUNK


def test_a_bomb_as_a_layer() -> None:
    bomb = special("zeros", tarfile.REGTYPE)
    bomb.size = 1 << 40
    head = bomb.tobuf(tarfile.GNU_FORMAT) + bytes(40 << 20)
    with pytest.raises(Hostile, match="once unpacked"):
        read(saved([head], packed=True), Budget(16 << 20))


def test_a_million_entries_are_read_and_more_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entries:
        """A million heads of empty files, then the end; never whole in memory."""

        def __init__(self, count: int) -> None:
            info = tarfile.TarInfo("some/file")
            self.head = info.tobuf(tarfile.USTAR_FORMAT)
            self.left = count

        def read(self, _size: int, /) -> bytes:
            self.left -= 1
            return self.head if self.left >= 0 else b""

    assert sum(1 for _ in tar.members(Entries(1_000_000))) == 1_000_000
    monkeypatch.setattr(tar, "MAX_ENTRIES", 1000)
    with pytest.raises(Hostile, match="more than 1000 entries"):
        list(tar.members(Entries(2000)))


def test_a_sparse_file_of_10_gb_is_passed_over() -> None:
    old = special("big.dist-info/METADATA", tarfile.GNUTYPE_SPARSE)
    head = bytearray(old.tobuf(tarfile.GNU_FORMAT))
    head[124:136] = b"00000001000\0"  # 512 bytes are stored
    head[386:410] = b"00000000000\0" + b"00000001000\0"
    head[482] = 1  # the map goes on in one more block
    head[483:495] = b"\x80\0\0\0\0\0\0\x02\x80\0\0\0"
    head[148:156] = b"        "
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    sparse = bytes(head) + bytes(512) + b"x" * 512
    pax = tarfile.TarInfo("GNUSparseFile.0/other.dist-info/METADATA")
    pax.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "o.dist-info/METADATA", "GNU.sparse.realsize": "9"}
    rest = pax.tobuf(tarfile.PAX_FORMAT) + layer({"fine.dist-info/METADATA": metadata("fine", "1")})
    found = read(saved([sparse + rest]))
    assert names(found) == ["fine"]
    assert [one.why for one in found.skipped] == ["a sparse file", "a sparse file"]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "names no layers"),
        (b'{"rootfs": {"diff_ids": 7}}', "names no layers"),
        (b'{"rootfs": {"diff_ids": ["a", "b"]}}', "2 layers, the manifest 1"),
        (json.dumps({"rootfs": {"diff_ids": ["a"] * 5000}}).encode(), "the limit is"),
    ],
)
def test_a_broken_configuration(config: bytes, why: str) -> None:
    with pytest.raises(Hostile, match=why):
        read(saved([layer(GOOD)], config=config))


@pytest.mark.parametrize("value", [7, "x", [], {}, None, [7, None], {"a": 7}])
def test_a_configuration_with_values_of_the_wrong_kind(value: Any) -> None:
    whole = layer(GOOD)
    keys = ("User", "Env", "Cmd", "Entrypoint", "ExposedPorts", "Volumes", "Labels", "Healthcheck", "WorkingDir")
    config = archives.configuration([whole], config=dict.fromkeys(keys, value), history=value, author=value)
    assert names(read(saved([whole], config=config))) == ["bash"]


@pytest.mark.parametrize(
    "manifest",
    [b"{", b"[]", b"7", b"null", b"[7]", b'[{"Config": 7}]', b'[{"Config": "x", "Layers": [7]}]', b'{"a": 1}, "b": {'],
)
def test_a_broken_manifest(manifest: bytes) -> None:
    with pytest.raises(Hostile):
        read(archives.tar([("l/layer.tar", layer(GOOD)), ("manifest.json", manifest)]))


@pytest.mark.parametrize("index", [b"{", b"[]", b'{"manifests": 7}', b'{"manifests": [7, {"digest": 7}]}'])
def test_a_broken_index(index: bytes) -> None:
    with pytest.raises(Hostile):
        read(archives.tar([("index.json", index)]))


def test_an_index_that_names_itself() -> None:
    inner = b'{"manifests": [{"digest": "sha256:a"}, {"digest": "sha256:a", "annotations": 7}]}'
    with pytest.raises(Hostile, match="names no image"):
        read(archives.tar([("blobs/sha256/a", inner), ("index.json", inner)]))


def test_a_wrong_digest_is_said() -> None:
    whole = layer(GOOD)
    config = archives.configuration([whole]) | {"rootfs": {"diff_ids": ["sha256:" + "0" * 64]}}
    found = read(saved([whole], config=config))
    assert [one.why for one in found.skipped] == ["its content is not what the configuration says: the digest differs"]


def test_several_images_are_not_guessed_about() -> None:
    one, other = layer(GOOD), layer({"x": b"y"})
    members: list[tuple[str, archives.Content]] = []
    listed = []
    for name, whole in (("a", one), ("b", other)):
        config = json.dumps(archives.configuration([whole])).encode()
        members += [(f"{name}/layer.tar", whole), (f"{name}.json", config)]
        listed.append({"Config": f"{name}.json", "RepoTags": [f"{name}:1"], "Layers": [f"{name}/layer.tar"]})
    whole = archives.tar([*members, ("manifest.json", json.dumps(listed).encode())])
    with pytest.raises(SeawallError, match="2 images") as refused:
        read(whole)
    assert "a:1, b:1" in refused.value.hint
    for wanted in ("a:1", "a:1", "0"):
        assert names(image.read(io.BytesIO(whole), Names("x"), Reading(image=wanted))) == ["bash"]
    assert names(image.read(io.BytesIO(whole), Names("x"), Reading(image="1"))) == []
    with pytest.raises(SeawallError, match="no image 'c:1'"):
        image.read(io.BytesIO(whole), Names("x"), Reading(image="c:1"))


def test_rubbish_is_no_image(tmp_path: Path) -> None:
    for content in (b"", b"hello", os.urandom(10_000), b"\x1f\x8b" + os.urandom(1000), bytes(10_000)):
        path = tmp_path / "image.tar"
        path.write_bytes(content)
        with pytest.raises(Hostile):
            sources.collect(f"docker-archive:{path}")


def test_a_file_that_is_not_there_and_a_source_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(SeawallError, match="No such file"):
        sources.collect(f"docker-archive:{tmp_path / 'none.tar'}")
    with pytest.raises(SeawallError, match="is no name of an image"):
        sources.collect("registry:Example/UPPER:1")
    with pytest.raises(SeawallError, match="names no image"):
        sources.collect("docker:")


def test_a_dead_socket(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        docker.read("alpine", Reading(), Docker(str(tmp_path / "none.sock")))


@pytest.mark.parametrize("answer", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n[]", b"HTTP/1.1 200 OK\r\n\r\n{"])
def test_a_daemon_that_answers_rubbish(tmp_path: Path, answer: bytes) -> None:
    path = str(tmp_path / "docker.sock")
    with socket(AF_UNIX, SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen()

        def once() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        with pytest.raises(SeawallError):
            docker.read("alpine", Reading(), Docker(path, timeout=5))
        thread.join()


def test_more_names_than_fit_into_memory() -> None:
    links = layer({f"{'l' * 90}/{number}": "x" for number in range(500)})
    with pytest.raises(Hostile, match="more names and packages than fit into memory"):
        read(saved([links, layer(GOOD)]), Budget(kept=50_000))
    assert names(read(saved([links, layer(GOOD)]), Budget(kept=500_000))) == ["bash"]


def test_a_database_of_too_many_packages_is_counted() -> None:
    many = b"".join(b"Package: p\nStatus: a b installed\nVersion: %d\n\n" % number for number in range(60_000))
    alpine = b"".join(b"P:p\nV:%d\n\n" % number for number in range(60_000))
    found = read(saved([layer({"var/lib/dpkg/status": many, "lib/apk/db/installed": alpine})]))
    assert [one.why for one in found.skipped] == ["more than 50000 packages"] * 2
    assert found.packages == ()


def test_extended_headers_of_many_records_cost_no_time_and_hide_nothing() -> None:
    records = b"".join(b"14 k%05d=aaa\n" % number for number in range(70_000))
    records += b"26 SCHILY.xattr.user.a b=\n" + b"38 path=var/lib/dpkg/status.d/renamed\n"
    head = special("PaxHeader", tarfile.XHDTYPE)
    head.size = len(records)
    data = status(renamed="1")
    name = tarfile.TarInfo("other")
    name.size = len(data)
    parts = [head.tobuf(), records, bytes(-len(records) % 512), name.tobuf(), data, bytes(-len(data) % 512)]
    found = read(saved([b"".join(parts)]))
    assert names(found) == ["renamed"]


def test_documents_without_end() -> None:
    big = gzip.compress(b'{"a": "' + b"x" * (5 << 20) + b'"}')
    whole = layer(GOOD)
    config = json.dumps(archives.configuration([whole])).encode()
    listed = b'[{"Config": "c.json", "Layers": ["l/layer.tar"]}]'
    members: list[tuple[str, archives.Content]] = [(f"{number}.json", big) for number in range(300)]
    with pytest.raises(Hostile, match="neither"):
        read(archives.tar([*members, ("l/layer.tar", whole), ("c.json", config), ("manifest.json", listed)]))
    found = read(archives.tar([("l/layer.tar", whole), ("c.json", config), ("manifest.json", listed), *members[:2]]))
    assert [one.where for one in found.skipped] == ["0.json", "1.json"]


def test_a_huge_configuration_is_cut_so_that_the_server_takes_it() -> None:
    whole = layer(GOOD)
    run = {"Env": ["\x00" * 5000] * 30, "Labels": {f"k{number}": "v" * 5000 for number in range(30)}, "User": "me"}
    steps = [{"created_by": "\udcff" * 5000, "empty_layer": number > 0} for number in range(60)]
    found = read(saved([whole], config=archives.configuration([whole], config=run, history=steps)))
    assert found.config.user == "me"
    assert len(json.dumps(to_plain(replace(found, packages=())))) < 2 << 20
