"""What was read is remembered exactly, found again only by the same content and rules, and never trusted blindly."""

import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import archives
from archives import digest, layer, metadata, saved, special, status
from seawall.core.plain import from_plain, to_plain
from seawall.images.collect import archive, cache, image, sources
from seawall.images.collect.analysers import Analysers
from seawall.images.collect.cache import Cache
from seawall.images.collect.reading import Reading
from seawall.images.collect.streams import Budget, Plain
from seawall.images.model import Inventory, Layer, Package

BASE = layer({
    "etc/os-release": archives.OS_RELEASE,
    "var/lib/dpkg/status": status(bash="5.1", perl="5.36"),
    "a/b-1.dist-info/METADATA": metadata("b", "1"),
    "a/b-1.dist-info/RECORD": b"",
    "lnk": "a",
})  # fmt: skip
TOP = layer({"a/.wh.b-1.dist-info": b"", "x\udcff/.wh.y": b"", "c/.wh..wh..opq": b"",
             "d/e-2.dist-info/METADATA": special("d/e-2.dist-info/METADATA", b"6")})  # fmt: skip


def contents(data: bytes) -> archive.Found:
    return archive.layer(Plain(io.BytesIO(data), Budget()), Reading())


def other_rules() -> Analysers:
    found = Reading().analysers

    class Newer:
        version = "other"

    return Analysers({**found.working, "packages": Newer()}, found.checked)  # type: ignore[dict-item]


@pytest.fixture
def kept(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "state" / "cache.db")


@pytest.mark.parametrize("data", [BASE, TOP])
def test_a_layer_comes_back_as_it_was(kept: Cache, data: bytes) -> None:
    before, with_ = contents(data), Reading().analysers
    kept.keep_layer(before, with_)
    found = kept.layer(digest(data), with_)
    assert found == before
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert kept.layer(digest(b"other"), with_) is None
    assert kept.layer("", with_) is None
    assert kept.layer(digest(data), other_rules()) is None


def test_a_broken_layer_is_not_kept(kept: Cache) -> None:
    before = contents(BASE[:3000])
    assert before.contents.broken
    kept.keep_layer(before, Reading().analysers)
    assert kept.layer(before.diff_id, Reading().analysers) is None


@pytest.mark.parametrize("layout", [archives.OLD, archives.OCI])
def test_an_archive_is_read_once(kept: Cache, tmp_path: Path, layout: str) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(saved([BASE, TOP], layout))
    first = sources.collect(f"docker-archive:{path}", Reading(cache=kept))
    again = sources.collect(f"docker-archive:{path}", Reading(cache=kept))
    assert again.stats["known"] == 1
    assert (again.packages, again.layers, again.skipped) == (first.packages, first.layers, first.skipped)
    path.write_bytes(saved([TOP, BASE], layout))
    changed = sources.collect(f"docker-archive:{path}", Reading(cache=kept))
    assert "known" not in changed.stats
    assert len(changed.packages) == 3


@pytest.mark.parametrize("layout", [archives.OLD, archives.OCI])
def test_known_layers_are_held_against_their_digest(kept: Cache, tmp_path: Path, layout: str) -> None:
    """An archive that says it has a known layer, and has another."""
    path = tmp_path / "x.tar"
    sources.collect(f"docker-archive:{_write(path, saved([BASE], layout))}", Reading(cache=kept))
    evil = layer({"var/lib/dpkg/status": status(evil="1")})
    lying = saved([evil], layout, config=archives.configuration([BASE]))
    found = sources.collect(f"docker-archive:{_write(path, lying)}", Reading(cache=kept))
    assert [one.name for one in found.packages] == ["evil"]
    assert "digest differs" in found.skipped[0].why


def test_a_stream_that_names_a_known_layer_and_has_another(kept: Cache) -> None:
    read = Reading(cache=kept)
    image.read(io.BytesIO(saved([BASE], archives.OCI)), image.Names("x"), read)
    evil = layer({"var/lib/dpkg/status": status(evil="1")})
    data = saved([BASE], archives.OCI)
    swapped = archives.tar([
        (name, evil if content == BASE else content) for name, content in _members(data)
    ])  # fmt: skip
    found = image.read(io.BytesIO(swapped), image.Names("x"), Reading(cache=kept))
    assert found.packages == ()
    assert found.stats["unread_layers"] == 1


def test_packing_does_not_matter(kept: Cache) -> None:
    for packed in (False, True):
        data = saved([BASE], archives.OCI, packed=packed)
        found = image.read(io.BytesIO(data), image.Names("x"), Reading(cache=kept))
        assert len(found.packages) == 3


def test_whatever_is_in_the_file_nothing_false_comes_out(kept: Cache) -> None:
    with_ = Reading().analysers
    before = contents(BASE)
    kept.keep_layer(before, with_)
    writer = sqlite3.connect(kept.path, isolation_level=None)
    key, data = writer.execute("SELECT key, data FROM entries").fetchone()
    plain = json.loads(zlib.decompress(data))
    dice = random.Random(7)
    odd: list[object] = [None, 3, "x", [], {}, [[1, 2]], {"a": 1}, True, -1, 1.5]
    for _ in range(300):
        changed = json.loads(json.dumps(plain))
        at = changed
        while isinstance(at, dict | list) and at and dice.random() < 0.8:
            name = dice.choice(list(at) if isinstance(at, dict) else range(len(at)))
            holder, at = at, at[name]
        holder[name] = dice.choice(odd)
        writer.execute("UPDATE entries SET data = ?", (zlib.compress(json.dumps(changed).encode()),))
        found = kept.layer(before.diff_id, with_)
        assert found is None or isinstance(found, archive.Found)
    for rubbish in (b"", b"x" * 100, zlib.compress(b"[" * 100_000), zlib.compress(b"{}"), "text", 7):
        writer.execute("UPDATE entries SET data = ?", (rubbish,))
        assert kept.layer(before.diff_id, with_) is None
    assert key
    writer.close()


def test_what_is_kept_is_bounded_and_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Cache(tmp_path / "cache.db", limit=20_000)
    with_ = Reading().analysers
    clock = iter(range(1_000_000_000, 2_000_000_000))
    monkeypatch.setattr(cache.time, "time", lambda: next(clock))
    ids = []
    for number in range(40):
        data = layer({f"{number}/{one}-1.dist-info/METADATA": metadata(os.urandom(8).hex(), "1") for one in range(20)})
        found = contents(data)
        kept.keep_layer(found, with_)
        ids.append(found.diff_id)
    assert kept.layer(ids[-1], with_) is not None
    assert kept.layer(ids[0], with_) is None
    assert sqlite3.connect(kept.path).execute("SELECT sum(size) FROM entries").fetchone()[0] <= 20_000


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, os.urandom(9000)])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(content)
    kept = Cache(path)
    found = contents(BASE)
    kept.keep_layer(found, Reading().analysers)
    assert kept.broken == ""
    assert kept.layer(found.diff_id, Reading().analysers) == found


def test_without_a_place_the_scan_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    kept = Cache(tmp_path / "file" / "cache.db")
    assert kept.broken
    found = image.read(io.BytesIO(saved([BASE])), image.Names("x"), Reading(cache=kept))
    assert len(found.packages) == 3
    kept.close()
    kept.close()


def test_several_processes_at_once(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.tar", saved([BASE, TOP]))
    code = (
        "import sys; from pathlib import Path; from seawall.images.collect import sources;"
        "from seawall.images.collect.cache import Cache; from seawall.images.collect.reading import Reading\n"
        f"for number in range(8):\n kept = Cache(Path({str(tmp_path / 'cache.db')!r}))\n"
        f" found = sources.collect('docker-archive:{path}', Reading(cache=kept, image='0' if number % 2 else ''))\n"
        " assert len(found.packages) == 2 and not kept.broken, kept.broken\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    for one in running:
        _, said = one.communicate(timeout=60)
        assert one.returncode == 0, said.decode()


def test_inventories_are_taken_strictly() -> None:
    plain = to_plain(image.read(io.BytesIO(saved([BASE, TOP])), image.Names("x")))
    assert to_plain(from_plain(Inventory, plain)) == plain
    for kind, value in ((Layer, {"index": 1}), (Layer, {**to_plain(Layer(1, "")), "index": True}),
                        (Package, {**to_plain(Package("a", "1", "deb", "")), "more": 1}), (Layer, [])):  # fmt: skip
        with pytest.raises(ValueError, match=r"fields|where"):
            from_plain(kind, value)


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _members(data: bytes) -> list[tuple[str, bytes]]:
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(data)) as whole:
        return [(one.name, whole.extractfile(one).read()) for one in whole]  # type: ignore[union-attr]
