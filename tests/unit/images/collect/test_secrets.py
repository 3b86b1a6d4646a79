"""The analyser of secrets over whole images: layers, configuration, packed forms, large and hostile files."""

import gzip
import io
import json
import mmap
import tempfile
from base64 import b64encode
from pathlib import Path

import pytest

import archives
from seawall.images.collect import analysers, image, secrets
from seawall.images.collect.files import File
from seawall.images.collect.image import Names
from seawall.images.collect.prefilter import Hyperscan, Keywords, TooMany
from seawall.images.collect.reading import Reading
from seawall.images.collect.tar import REGULAR, Body, Entry
from seawall.images.detect.secrets import packed
from seawall.images.detect.secrets.scan import Where
from seawall.images.load.secrets import compiled, example
from seawall.images.model import Inventory, Secret

GITHUB = example("ghp_<w:36>", "github")
STRIPE = example("sk_live_<w:24>", "stripe")
PASSWORD = example("Wq7<w:9>", "password")


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "secrets.json"
    path.write_text(json.dumps(compiled()))
    return path


@pytest.fixture
def analyser(rules: Path, monkeypatch: pytest.MonkeyPatch) -> secrets.Secrets:
    monkeypatch.setattr(secrets, "PACKAGED", rules)
    monkeypatch.setenv("SEAWALL_STATE", str(rules.parent))
    return secrets.Secrets()


def read(layers: list[bytes], **more: object) -> Inventory:
    saved = archives.saved(layers, config=archives.configuration(layers, **more))
    opened = analysers.opened(analysers.Options(("secret",)))
    return image.read(io.BytesIO(saved), Names("test"), Reading(opened))


def look(analyser: secrets.Secrets, data: bytes, path: str = "app/config.env") -> list[Secret]:
    file = File(path, Entry(path, REGULAR, len(data)), Body(io.BytesIO(data), len(data)))
    found = analyser.read(file)
    return found.secrets if found else []


def test_a_deleted_and_a_replaced_file_still_tell(analyser: secrets.Secrets) -> None:
    inventory = read(
        [
            archives.layer({"app/a.env": f"KEY={GITHUB}\n".encode(), "app/b.env": f"KEY={STRIPE}\n".encode()}),
            archives.layer({"app/.wh.a.env": b"", "app/b.env": b"KEY=\n"}),
        ]
    )
    assert {(one.rule, one.path, one.layer, one.deleted) for one in inventory.secrets} == {
        ("github-pat", "app/a.env", 0, True),
        ("stripe-key", "app/b.env", 0, True),
    }
    assert inventory.checked["secret"] == ""


def test_nothing_that_leaves_the_scan_holds_the_secret(analyser: secrets.Secrets) -> None:
    line = f"GH={GITHUB} DB_PASSWORD={PASSWORD} url=postgres://shop:{PASSWORD}x@db/shop key={STRIPE}\n"
    found = look(analyser, line.encode())
    assert {one.rule for one in found} >= {"github-pat", "stripe-key", "url-login", "assigned-password"}
    for one in found:
        told = repr(one)
        for secret in (GITHUB, PASSWORD, STRIPE):
            assert secret not in told
            assert secret[5:-5] not in told
        assert one.line == 1
    assert next(one.shown for one in found if one.rule == "assigned-password") == "W…"


def test_fingerprints_are_equal_for_equal_secrets_of_one_installation(
    analyser: secrets.Secrets, rules: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = look(analyser, f"a={GITHUB}".encode(), "a.env")[0].fingerprint
    assert look(secrets.Secrets(), f"b: {GITHUB}".encode(), "b.yaml")[0].fingerprint == first
    assert (rules.parent / "fingerprint.key").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("SEAWALL_STATE", str(tmp_path / "another"))
    assert look(secrets.Secrets(), f"a={GITHUB}".encode())[0].fingerprint != first


def test_environment_labels_and_history(analyser: secrets.Secrets) -> None:
    layers = [archives.layer({"a": b"b"})]
    inventory = read(
        layers,
        config={
            "Env": ["PATH=/bin", f"APP_PASSWORD={PASSWORD}", "GPG_KEY=" + "A03" * 13 + "F", "PASSWORD_FILE=/run/x"],
            "Labels": {"token": GITHUB},
        },
        history=[{"created_by": f"RUN curl -u ci:{PASSWORD}9 https://x.test # {STRIPE}"}],
    )
    assert {(one.place, one.rule, one.layer) for one in inventory.secrets} == {
        ("env", "assigned-password", -1),
        ("label", "github-pat", -1),
        ("history", "curl-login", 0),
        ("history", "stripe-key", 0),
    }


@pytest.mark.parametrize("shift", ["", "a", "ab"])
def test_base64(analyser: secrets.Secrets, shift: str) -> None:
    inside = b64encode(f"{shift}\ntoken: {GITHUB}\n".encode()).decode()
    found = look(analyser, f"kind: Secret\ndata:\n  config: {inside}\n".encode(), "app/secret.yaml")
    assert [(one.rule, one.encoding, one.line) for one in found] == [("github-pat", "base64", 3)]
    keywords = packed.literals(analyser._judge.rules)
    assert Keywords(analyser._judge.rules, keywords).hits(inside.encode(), True)[-1]


def test_gzip_and_utf16(analyser: secrets.Secrets) -> None:
    text = f"first\nkey={GITHUB}\n"
    assert [(one.rule, one.encoding, one.line) for one in look(analyser, gzip.compress(text.encode()), "a.gz")] == [
        ("github-pat", "gzip", 2)
    ]
    for data in (text.encode("utf-16"), text.encode("utf-16-le"), text.encode("utf-16-be")):
        assert [(one.rule, one.encoding, one.line) for one in look(analyser, data, "a.txt")] == [
            ("github-pat", "utf-16", 2)
        ]
    with pytest.raises(ValueError, match="gzip"):
        look(analyser, b"\x1f\x8b" + b"x" * 50)


def test_a_bomb_is_unpacked_only_so_far(analyser: secrets.Secrets) -> None:
    bomb = gzip.compress(b"\n" * (200 << 20), 9)
    assert look(analyser, bomb, "a.gz") == []


def test_binaries_are_searched_for_tokens_only(analyser: secrets.Secrets) -> None:
    data = b"\x7fELF\0\0\0" + b"\0" * 100 + f"password={PASSWORD}\0{GITHUB}\0".encode()
    assert [(one.rule, one.line, one.context) for one in look(analyser, data, "app/server")] == [("github-pat", 0, "")]


def test_a_name_and_its_key_are_one_finding(analyser: secrets.Secrets) -> None:
    text = example("[default]\naws_access_key_id = AKIA<u:16>\naws_secret_access_key = <s:40>\n", "aws")
    found = look(analyser, text.encode(), "root/.aws/credentials")
    assert [(one.rule, one.severity.value, one.line) for one in found] == [("aws-access-key-id", "critical", 2)]
    alone = look(analyser, text.split("\n")[1].encode(), "root/.aws/credentials")
    assert [one.severity.value for one in alone] == ["medium"]


def test_several_in_a_line_and_each_once(analyser: secrets.Secrets) -> None:
    others = [example("ghp_<w:36>", str(number)) for number in range(5)]
    found = look(analyser, (" ".join(others) + "\n" + others[0]).encode())
    assert len(found) == 5


def test_a_place_full_of_examples_lowers_confidence(analyser: secrets.Secrets) -> None:
    text = f"key={GITHUB}".encode()
    assert [one.confidence for one in look(analyser, text, "app/main.env")] == ["high"]
    assert [one.confidence for one in look(analyser, text, "app/tests/fixtures/main.env")] == ["medium"]
    assert look(analyser, f"password={PASSWORD}".encode(), "usr/share/doc/x/README.md") == []


def test_a_line_of_200_mb(analyser: secrets.Secrets) -> None:
    with tempfile.TemporaryFile() as file:
        for _ in range(200):
            file.write(b"password:x," * 95325 + b" " * 25 + b"\n"[:0])
        file.write(f" key={GITHUB} ".encode())
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            with pytest.raises(TooMany):
                analyser._find.hits(data, True)
    with tempfile.TemporaryFile() as file:
        for _ in range(200):
            file.write(b"a b c d=e;" * 104857)
        file.write(f" key={GITHUB} ".encode())
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            assert [one.rule for one in analyser.look(data, Where("a.js"))] == ["github-pat"]


def test_without_hyperscan_the_same_is_found(analyser: secrets.Secrets) -> None:
    rules = analyser._judge.rules
    slow = Keywords(rules, packed.literals(rules))
    quick = analyser._find
    assert isinstance(quick, Hyperscan)
    texts = Path(__file__).parents[4] / "src" / "seawall"
    for path in [*sorted(texts.rglob("*.yaml"))[:40], *sorted(texts.rglob("*.py"))[:60]]:
        data = path.read_bytes() + f"\nx={GITHUB} password: '{PASSWORD}'\n".encode()
        found = {}
        for name, engine in (("slow", slow), ("quick", quick)):
            analyser._find = engine
            found[name] = analyser.look(data, Where(path.name))
        assert found["slow"] == found["quick"], path


def test_rules_that_were_not_built_are_not_clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(secrets, "PACKAGED", tmp_path / "none.json")
    opened = analysers.opened(analysers.Options(("secret",)))
    assert "secrets" not in opened.working
    assert "not there" in opened.checked["secret"]


def test_the_database_is_kept(analyser: secrets.Secrets, rules: Path) -> None:
    kept = list((rules.parent / "cache").glob("secrets-*.hs"))
    assert len(kept) == 2
    for path in kept:
        path.write_bytes(b"broken")
    assert look(secrets.Secrets(), f"key={GITHUB}".encode())
