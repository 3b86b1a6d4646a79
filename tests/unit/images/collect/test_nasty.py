"""Layers as an attacker would make them: what is honest in them is found, what is not is counted with its reason."""

import gzip
import io
import json
import os
import tarfile
import time
from collections.abc import Callable

import pytest

import archives
from archives import layer, metadata, saved, special, status, tar
from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import image
from seawall.images.collect.reading import Reading
from seawall.images.collect.streams import Budget, OutOfTime
from seawall.images.model import Inventory

GOOD = {"etc/os-release": archives.OS_RELEASE, "var/lib/dpkg/status": status(bash="5.1")}
SITE = "site/{}-1.dist-info/METADATA"


def read(*layers_: bytes, budget: Budget | None = None) -> Inventory:
    return image.read(io.BytesIO(saved(layers_)), image.Names("x"), Reading(budget=budget or Budget()))


def names(found: Inventory) -> list[str]:
    return sorted(one.name for one in found.packages)


def block(name: bytes, size: int = 0, kind: bytes = b"0", link: bytes = b"", **fields: bytes) -> bytes:
    """One header, whatever it says."""
    head = bytearray(512)
    head[0:100] = name[:100].ljust(100, b"\0")
    head[100:108], head[108:116], head[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    head[124:136] = fields.get("length", b"%011o\0" % size)
    head[136:148] = b"00000000000\0"
    head[156:157] = kind
    head[157:257] = link[:100].ljust(100, b"\0")
    head[257:265] = b"ustar\00000"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def pax(**records: str) -> bytes:
    body = b""
    for key, value in records.items():
        line = f" {key}={value}\n".encode("utf-8", "surrogateescape")
        size = len(line) + len(str(len(line)))
        size = len(line) + len(str(size))
        body += str(size).encode() + line
    return block(b"pax", len(body), b"x") + padded(body)


MARKS: dict[str, tuple[list[tuple[str, archives.Content]], list[str]]] = {
    "a folder": ([("site/.wh.a-1.dist-info", b"")], ["bash", "b", "top"]),
    "its own file stays": ([(".wh.site", b""), (SITE.format("new"), metadata("new", "1"))], ["bash", "new", "top"]),
    "after its own file": ([(SITE.format("new"), metadata("new", "1")), (".wh.site", b"")], ["bash", "new", "top"]),
    "all below": ([("site/.wh..wh..opq", b"")], ["bash", "top"]),
    "the whole root": ([(".wh..wh..opq", b"")], ["top"]),
    "through a link": ([("lnk", "site"), ("lnk/.wh.a-1.dist-info", b"")], ["a", "b", "bash", "top"]),
    "by a folder of that name": (
        [("site/.wh.a-1.dist-info", special("site/.wh.a-1.dist-info", b"5"))], ["bash", "b", "top"]),
    "by a link of that name": ([("site/.wh.a-1.dist-info", "x")], ["bash", "b", "top"]),
    "a link over a folder": ([("site", "/elsewhere")], ["bash", "top"]),
    "of nothing": ([("site/.wh.", b"")], ["a", "b", "bash", "top"]),
    "of its folder": ([("site/.wh..", b"")], ["a", "b", "bash", "top"]),
    "of what is above": ([("site/.wh...", b"")], ["a", "b", "bash", "top"]),
    "with a path": ([("site/.wh.a-1.dist-info/METADATA", b"")], ["bash", "b", "top"]),
    "leading out": ([("../.wh.site", b"")], ["a", "b", "bash", "top"]),
    "of a mark": ([("site/.wh..wh.a-1.dist-info", b"")], ["a", "b", "bash", "top"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MARKS)
def test_marks_of_deletion(name: str) -> None:
    members, left = MARKS[name]
    base = layer(GOOD | {SITE.format("a"): metadata("a", "1"), SITE.format("b"): metadata("b", "1")})
    top = tar([*members, ("opt/top-1.dist-info/METADATA", metadata("top", "1"))])
    found = read(base, top)
    if name == "with a path":  # a file below a folder that is called like a mark: the mark is the last part alone
        left = ["a", "b", "bash", "top"]
    assert names(found) == sorted(left)
    if name in ("of nothing", "of its folder", "of what is above"):
        assert "names nothing" in found.skipped[0].why
    if name == "leading out":
        assert "leads out" in found.skipped[0].why


LINKS: dict[str, list[tuple[str, archives.Content]]] = {
    "to itself": [("a-1.dist-info/METADATA", special("a-1.dist-info/METADATA", b"1", "a-1.dist-info/METADATA"))],
    "in a circle": [
        ("a-1.dist-info/METADATA", special("a-1.dist-info/METADATA", b"1", "b-1.dist-info/METADATA")),
        ("b-1.dist-info/METADATA", special("b-1.dist-info/METADATA", b"1", "a-1.dist-info/METADATA")),
    ],
    "out of the image": [("a-1.dist-info/METADATA", special("a-1.dist-info/METADATA", b"1", "../../etc/shadow"))],
    "to the host": [("a-1.dist-info/METADATA", special("a-1.dist-info/METADATA", b"1", "/proc/self/environ"))],
    "to nothing": [("a-1.dist-info/METADATA", special("a-1.dist-info/METADATA", b"1", ""))],
    "a device": [("a-1.dist-info/METADATA", special("a-1.dist-info/METADATA", b"3"))],
    "a pipe": [("a-1.dist-info/METADATA", special("a-1.dist-info/METADATA", b"6"))],
    "a kind nobody knows": [("a-1.dist-info/METADATA", special("a-1.dist-info/METADATA", b"Z"))],
}


@pytest.mark.parametrize("name", LINKS)
def test_links_and_devices_where_evidence_belongs(name: str) -> None:
    found = read(layer(GOOD), tar(LINKS[name]))
    assert names(found) == ["bash"]
    assert len(found.skipped) == len(LINKS[name])
    assert all("hard link" in one.why or "device" in one.why for one in found.skipped)


HEADS: dict[str, bytes] = {
    "a size beyond the end": block(b"x", 1 << 33),
    "a negative size": block(b"x", length=b"\xff" * 12),
    "an absurd size": block(b"x", length=b"\x80\x7f" + b"\xff" * 10),
    "a size that is no number": block(b"x", length=b"12z45678901\0"),
    "a checksum that is wrong": block(b"x")[:-1] + b"x",
    "rubbish": b"\xaa" * 512,
    "half a header": block(b"x")[:300],
    "an extension without end": block(b"x", 1 << 30, b"x"),
    "a long name without end": block(b"x", 1 << 40, b"L"),
    "a name over all limits": pax(path="n" * 5000) + block(b"x"),
    "a pax size that is no number": pax(size="-7") + block(b"x"),
    "a pax size beyond the end": pax(size="999999999999") + block(b"x"),
    "sparse pieces without end": block(b"x", 0, b"S")[:482] + b"\1" + bytes(29),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_that_lie(name: str) -> None:
    bad = HEADS[name]
    if name.startswith("sparse"):
        whole = bytearray(bad)
        whole[148:156] = b" " * 8
        whole[148:156] = b"%06o\0 " % sum(whole)
        bad = bytes(whole) + (bytes(504) + b"\1" + bytes(7)) * 3000
    found = read(tar(list(GOOD.items()))[: _end(GOOD)] + bad)
    assert names(found) == ["bash"], "what came before counts"
    assert found.stats["unread_layers"] == 1
    assert "could not be read to its end" in found.skipped[0].why


def _end(files: dict[str, bytes]) -> int:
    """Where the archive's end mark begins."""
    return sum(512 + len(padded(data)) for data in files.values())


def test_records_that_break_off_cost_only_themselves() -> None:
    for body in (b"999 path=evil\n", b"x", b"12 path", b"0 a=b\n", b"11 path=\xff\xfe\n", b"9" * 400):
        bad = block(b"pax", len(body), b"x") + padded(body) + block(b"harmless")
        found = read(tar(list(GOOD.items()))[: _end(GOOD)] + bad + bytes(1024))
        assert names(found) == ["bash"]


def test_names_of_every_kind() -> None:
    odd = ["\udcff\udcfe", "a\nb", "\x1b[2J", "a" * 3000, "C:\\x", "con", "\u202eexe", " ", "~", "$(id)", "-rf", "%00"]
    members: list[tuple[str, archives.Content]] = []
    for number, name in enumerate(odd):
        path = f"{name}/{number}-1.dist-info/METADATA"
        info = tarfile.TarInfo(path)
        members.append((path, info))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for number, (_, info) in enumerate(members):
            assert isinstance(info, tarfile.TarInfo)
            data = metadata(f"p{number}", "1")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    found = read(layer(GOOD), out.getvalue())
    assert len(found.packages) == 1 + len(odd)


@pytest.mark.parametrize("kind", ["ratio", "count", "nested"])
def test_bombs(kind: str) -> None:
    if kind == "ratio":
        packed = gzip.compress(tar([("zeros", bytes(50 << 20))]), 9)
        with pytest.raises(Hostile, match="once unpacked"):
            image.read(io.BytesIO(_one_layer(packed)), image.Names("x"), Reading(budget=Budget(plain=20 << 20)))
    elif kind == "count":
        many = b"".join(block(b"%d-1.dist-info/METADATA" % number) for number in range(20_000))
        found = read(many, budget=Budget(kept=1 << 20))
        assert found.stats["unread_layers"] == 1 or found.skipped
    else:
        inner = gzip.compress(tar(list(GOOD.items())))
        for _ in range(5):
            inner = gzip.compress(inner)
        found = image.read(io.BytesIO(_one_layer(inner)), image.Names("x"), Reading())
        assert found.packages == ()
        assert found.stats["unread_layers"] == 1


def _one_layer(packed: bytes) -> bytes:
    config = json.dumps(archives.configuration([b""])).encode()
    listed = json.dumps([{"Config": "c.json", "RepoTags": None, "Layers": ["l.tar"]}]).encode()
    return tar([("l.tar", packed), ("c.json", config), ("manifest.json", listed)])


def test_the_time_ends_inside_a_layer_and_nobody_takes_it_for_a_broken_one() -> None:
    class Slow:
        def __init__(self, data: bytes) -> None:
            self._data = io.BytesIO(data)

        def read(self, size: int, /) -> bytes:
            time.sleep(0.05)
            return self._data.read(min(size, 1000))

    data = saved([layer(GOOD | {"big": os.urandom(300_000)})])
    with pytest.raises(OutOfTime, match="took longer"):
        image.read(Slow(data), image.Names("x"), Reading(budget=Budget(seconds=0.3)))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data + os.urandom(5000),
        lambda data: os.urandom(700) + data,
        lambda data: data[:512] * 3 + data,
    ],
)
def test_archives_that_were_cut_or_glued(change: Callable[[bytes], bytes]) -> None:
    data = change(saved([layer(GOOD)]))
    try:
        found = image.read(io.BytesIO(data), image.Names("x"), Reading())
    except SeawallError:
        return
    assert names(found) == ["bash"]


def test_any_byte_may_be_wrong() -> None:
    data = saved([layer(GOOD)])
    for at in range(0, len(data), 397):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        try:
            found = image.read(io.BytesIO(bytes(changed)), image.Names("x"), Reading())
        except SeawallError:
            continue
        assert isinstance(found, Inventory)
