"""Go and Rust programs tell what they are built of; whatever is no program, or a broken one, is no harm."""

import json
import struct
import zlib

import pytest

import programs
from seawall.images.collect.packages import go, note, rust

WANTED = {
    ("example.com/Sea", "v2.5.1"),
    ("golang.org/x/net", "v0.10.0"),
    ("new.example/a", "v1.0.1"),
}
CRATES = {
    "packages": [
        {"name": "sea", "version": "0.1.0", "source": "local", "root": True},
        {"name": "serde", "version": "1.0.1", "source": "crates.io"},
        {"name": "cc", "version": "1.0.0", "source": "crates.io", "kind": "build"},
    ]
}


def found(data: bytes) -> set[tuple[str, str]]:
    return {(one.name, one.version) for one in go.read("app/sea", data).packages}


@pytest.mark.parametrize("headers", [True, False], ids=["sections", "stripped"])
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("little", [True, False])
def test_modules_of_a_go_program(little: bool, wide: bool, headers: bool) -> None:
    assert found(programs.go(little=little, wide=wide, headers=headers)) == WANTED | {("stdlib", "1.21.3")}


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("little", [True, False])
def test_modules_of_an_old_go_program(little: bool, wide: bool) -> None:
    assert found(programs.go_old(little=little, wide=wide)) == WANTED | {("stdlib", "1.17.1")}


@pytest.mark.parametrize(
    ("release", "wanted"),
    [("go1.22rc1", "1.22rc1"), ("go1.20.5 X:boringcrypto", "1.20.5"), ("devel go1.2-abc", None), ("", None)],
)
def test_the_tool_chain(release: str, wanted: str | None) -> None:
    assert found(programs.go(release, "")) == ({("stdlib", wanted)} if wanted else set())


def test_a_main_module_of_no_known_version_has_none() -> None:
    assert ("example.com/m", "") in found(programs.go(modules="mod\texample.com/m\t(devel)\t\n"))
    assert ("example.com/m", "v1.2.3") in found(programs.go(modules="mod\texample.com/m\tv1.2.3\th1:x\n"))


def test_other_programs_tell_nothing() -> None:
    for data in (programs.elf({".text": b"x"}), b"#!/bin/sh\n", b"MZ" + bytes(100), b"\xcf\xfa\xed\xfe" + bytes(60)):
        assert go.read("x", data).packages == []
        assert rust.read("x", data).packages == []


def test_crates_of_a_rust_program() -> None:
    data = programs.elf({".text": b"x", ".dep-v0": zlib.compress(json.dumps(CRATES).encode())})
    assert {(one.name, one.version) for one in rust.read("x", data).packages} == {("sea", "0.1.0"), ("serde", "1.0.1")}


def test_a_bomb_of_crates_is_no_harm() -> None:
    for bomb in (zlib.compress(b" " * (64 << 20)), zlib.compress(b"[" * 100_000), zlib.compress(b"{}"), b"x"):
        with pytest.raises(ValueError, match="audit data"):
            rust.read("x", programs.elf({".dep-v0": bomb}))


def test_lengths_that_lie() -> None:
    head = b"\xff Go buildinf:\x08\x02".ljust(32, b"\0")
    for tail in (b"\xff\xff\xff\xff\x7f", b"\xff" * 10, b"\xff\x7fgo"):
        with pytest.raises(ValueError, match="longer than the file"):
            go.read("x", programs.elf({".go.buildinfo": head + tail}))
    pointers = b"\xff Go buildinf:\x08\x00" + b"\xff" * 16
    with pytest.raises(ValueError, match="not in the file"):
        go.read("x", programs.elf({".go.buildinfo": pointers}))


def package_note(about: bytes) -> bytes:
    return programs.elf({".note.package": struct.pack("<III4s", 4, len(about), 0xCAFE1A7E, b"FDO\0") + about})


def test_a_program_says_of_which_package_it_is() -> None:
    about = json.dumps({"type": "deb", "name": "systemd", "version": "252.39-1", "architecture": "amd64"}).encode()
    (package,) = note.read("x", package_note(about + b"\0")).packages
    assert (package.kind, package.source_name, package.source_version, package.arch) == (
        "deb", "systemd", "252.39-1", "amd64"
    )  # fmt: skip
    for other in (b'{"type": "pip", "name": "x", "version": "1"}', b"[]", b'{"type": "deb", "name": "x"}'):
        assert note.read("x", package_note(other)).packages == []
    with pytest.raises(ValueError, match="no JSON"):
        note.read("x", package_note(b"{"))


def test_a_main_module_between_releases_is_known_by_its_stamp() -> None:
    modules = (
        "mod\texample.com/m\tv2.0.0-20261002185846-f88a2fd93fdc\th1:x\n"
        'build\t-ldflags="-X example.com/m/version.Version=2.0.0-rc.4"\n'
    )
    assert ("example.com/m", "v2.0.0-rc.4") in found(programs.go(modules=modules))
