"""Packed feeds and large JSON: every packing is read as a stream, hostile ones end in a counted skip."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
from pathlib import Path

import pytest
import zstandard

from seawall.core.skipped import Skipped
from seawall.intel.collect import documents as reading
from seawall.intel.collect.documents import documents
from seawall.intel.collect.parsed import value
from seawall.intel.collect.streamed import elements, members

PACKINGS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def _read(path: Path) -> tuple[list[tuple[str, bytes]], list[Skipped]]:
    skipped: list[Skipped] = []
    return [(one.name, one.data) for one in documents(path, skipped.append)], skipped


def _tar(data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("a/b.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


@pytest.mark.parametrize("kind", PACKINGS)
def test_every_packing(tmp_path: Path, kind: str) -> None:
    data = b"x" * 200_000
    (tmp_path / f"f.json.{kind}").write_bytes(PACKINGS[kind](data))
    assert _read(tmp_path / f"f.json.{kind}") == ([("f.json", data)], [])
    (tmp_path / f"f.tar.{kind}").write_bytes(PACKINGS[kind](_tar(data)))
    assert _read(tmp_path / f"f.tar.{kind}") == ([(f"f.tar.{kind}:a/b.json", data)], [])
    (tmp_path / "inner.tar").write_bytes(_tar(PACKINGS[kind](data)))
    assert [one[1] for one in _read(tmp_path / "inner.tar")[0]] == [data]


@pytest.mark.parametrize("kind", PACKINGS)
def test_one_that_is_cut_off_or_spoilt_is_said(tmp_path: Path, kind: str) -> None:
    data = PACKINGS[kind](bytes(range(256)) * 2000)
    for name, broken in (("cut", data[: len(data) // 2]), ("spoilt", data[:40] + b"\xff" * 40 + data[80:])):
        (tmp_path / name).write_bytes(broken)
        found, skipped = _read(tmp_path / name)
        assert skipped or not found or kind == "zst", f"{name} {kind}"


def test_a_bomb_ends_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_DOCUMENT", 1 << 20)
    for kind in ("gz", "bz2", "xz", "zst"):
        (tmp_path / kind).write_bytes(PACKINGS[kind](bytes(20 << 20)))
        found, skipped = _read(tmp_path / kind)
        assert not found and "more than" in skipped[0].why


def test_what_xz_asks_for_is_limited(tmp_path: Path) -> None:
    filters = [
        {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC3, "nice_len": 8}
    ]
    try:
        data = lzma.compress(b"x", filters=filters)
    except MemoryError:
        pytest.skip("no memory to make it")
    (tmp_path / "x.xz").write_bytes(data)
    found, skipped = _read(tmp_path / "x.xz")
    assert not found and skipped


def test_packed_in_packed_in_packed_ends(tmp_path: Path) -> None:
    data = b"{}"
    for _ in range(8):
        data = gzip.compress(data)
    (tmp_path / "x.gz").write_bytes(data)
    ((_, inner),), _ = _read(tmp_path / "x.gz")
    assert inner.startswith(b"\x1f\x8b")


def test_items_of_large_json_one_by_one() -> None:
    whole = {"a": [1, {"b": []}], "list": [{"x": 1}, "y", 3], "z": "}]"}
    data = json.dumps(whole, indent=2).encode()
    assert list(elements(data, "list")) == whole["list"]
    assert dict(members(data)) == whole
    assert list(elements(b" [ ] ")) == [] and dict(members(b"{}")) == {}
    for broken in (b"", b"[", b"[1,", b"[1 2]", b"{}", b"7"):
        with pytest.raises(ValueError, match=r"\w"):
            list(elements(broken))
    for broken in (b"", b"[]", b'{"a"', b'{"a" 1}', b'{"a": 1', b'{"a": 1 "b": 2}', b"{1: 2}"):
        with pytest.raises(ValueError, match=r"\w"):
            list(members(broken))


def test_yaml_keeps_numbers_as_they_are_written() -> None:
    said = b"a: 3.10\nb: [1, yes, true, ~, 'true']\nc: &x {d: 2024-01-01}\ne: *x\nf: |\n  text\n"
    assert value(said) == {
        "a": "3.10", "b": ["1", "yes", True, None, "true"], "c": {"d": "2024-01-01"}, "e": {"d": "2024-01-01"},
        "f": "text\n",
    }  # fmt: skip
    for broken in (b"a: [", b"a: b: c", b"a: *none", b"a: " + b"[" * 200 + b"]" * 200, b"a: 1\n---\nb: 2\n", b"\x00"):
        with pytest.raises(ValueError, match=r"\w"):
            value(broken)
