"""Signed bundles: only what a believed key has signed is taken, and only whole."""

import io
import tarfile
from pathlib import Path

import pytest

from seawall.cli.intel import main
from seawall.core.errors import SeawallError
from seawall.intel.bundle import bring, export, is_bundle, make_key, trust, trusted
from seawall.intel.store import Store, import_files

SECDB = (
    b'{"distroversion": "v3.20", "reponame": "main", "packages": '
    b'[{"pkg": {"name": "a", "secfixes": {"1": ["CVE-2024-1000"]}}}]}'
)


@pytest.fixture
def signer(tmp_path: Path) -> Path:
    folder = tmp_path / "signer"
    folder.mkdir()
    (folder / "main.json").write_bytes(SECDB)
    import_files(folder / "intel.db", [folder / "main.json"])
    make_key(folder)
    export(folder / "intel.db", folder / "b.bundle")
    return folder


def _members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def _write(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_there_and_back(signer: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    bundle = signer / "b.bundle"
    assert is_bundle(bundle) and not is_bundle(signer / "main.json")
    assert (signer / "intel-key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SeawallError, match="no key"):
        bring(there / "intel.db", bundle, trusted(there))
    trust(there, signer / "intel-key.pub")
    manifest = bring(there / "intel.db", bundle, trusted(there))
    assert manifest["advisories"] == 1
    store = Store(there / "intel.db")
    assert store.ecosystems() == {"Alpine:v3.20": 1}
    store.close()


def test_what_another_key_has_signed_is_not_believed(signer: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    make_key(there)
    with pytest.raises(SeawallError, match="nobody"):
        bring(there / "intel.db", signer / "b.bundle", trusted(there))
    assert not (there / "intel.db").exists()


@pytest.mark.parametrize("member", ["manifest.json", "manifest.sig", "intel.db.gz"])
def test_a_changed_byte_is_seen(signer: Path, tmp_path: Path, member: str) -> None:
    found = _members(signer / "b.bundle")
    data = bytearray(found[member])
    data[len(data) // 2] ^= 1
    changed = _write(tmp_path / "x.bundle", {**found, member: bytes(data)})
    before = (signer / "intel.db").read_bytes()
    with pytest.raises(SeawallError):
        bring(signer / "intel.db", changed, trusted(signer), older=True)
    assert (signer / "intel.db").read_bytes() == before


def test_broken_bundles_are_refused(signer: Path, tmp_path: Path) -> None:
    found = _members(signer / "b.bundle")
    whole = (signer / "b.bundle").read_bytes()
    broken = [
        _write(tmp_path / "order", dict(reversed(found.items()))),
        _write(tmp_path / "half", {"manifest.json": found["manifest.json"]}),
        _write(tmp_path / "none", {}),
    ]
    (tmp_path / "cut").write_bytes(whole[: whole.index(b"intel.db.gz") + 600])
    for path in (*broken, tmp_path / "cut"):
        with pytest.raises(SeawallError):
            bring(tmp_path / "there.db", path, trusted(signer))
    assert not (tmp_path / "there.db").exists()


def test_an_older_one_is_taken_only_when_asked(signer: Path) -> None:
    import_files(signer / "intel.db", [signer / "main.json"])
    with pytest.raises(SeawallError, match="made"):
        bring(signer / "intel.db", signer / "b.bundle", trusted(signer))
    bring(signer / "intel.db", signer / "b.bundle", trusted(signer), older=True)


def test_only_public_ed25519_keys_are_trusted(signer: Path, tmp_path: Path) -> None:
    for path in (signer / "intel-key.pem", signer / "main.json"):
        with pytest.raises(SeawallError):
            trust(tmp_path, path)
    with pytest.raises(SeawallError, match="already"):
        make_key(signer)


def test_the_commands(signer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = str(tmp_path / "there" / "intel.db")
    assert main(["export", str(tmp_path / "c.bundle"), "--db", str(signer / "intel.db")]) == 0
    assert main(["key", "--trust", str(signer / "intel-key.pub"), "--db", there]) == 0
    assert main(["import", str(tmp_path / "c.bundle"), "--db", there]) == 0
    assert "signed by a key that is believed" in capsys.readouterr().out
    assert main(["status", "--db", there, "--max-age", "0"]) == 0
    assert main(["status", "--db", str(tmp_path / "nothing.db"), "--max-age", "0"]) == 2
    assert main(["key", "--db", str(signer / "intel.db")]) == 0
    assert "BEGIN PUBLIC KEY" in capsys.readouterr().out
    assert main(["update", "--list", "--db", there]) == 0
