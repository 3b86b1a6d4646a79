"""Signatures made with openssl, stored beside an image in Debian's registry as cosign stores them."""

import base64
import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archives import layer
from registries import PASSWORD, real, sha256
from seawall.cli import image as command
from seawall.core.errors import SeawallError
from seawall.images.collect import trust
from seawall.images.collect.registry.access import Access, Credentials
from seawall.images.detect.signatures import check, public_key

pytestmark = pytest.mark.timeout(180)
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Pusher:
    def __init__(self, folder: Path, host: str) -> None:
        self._base = f"https://{host}/v2/app"
        self._context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        self._login = "Basic " + base64.b64encode(f"reader:{PASSWORD}".encode()).decode()

    def call(self, method: str, url: str, data: bytes = b"", kind: str = "application/octet-stream") -> Any:
        request = urllib.request.Request(url, data, {"Authorization": self._login, "Content-Type": kind}, method=method)
        return urllib.request.urlopen(request, timeout=20, context=self._context)

    def blob(self, data: bytes, kind: str, **more: Any) -> dict[str, Any]:
        digest = f"sha256:{sha256(data)}"
        place = self.call("POST", f"{self._base}/blobs/uploads/").headers["Location"]
        place = place if place.startswith("http") else f"{self._base.rpartition('/v2')[0]}{place}"
        self.call("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data)
        return {"mediaType": kind, "digest": digest, "size": len(data), **more}

    def manifest(self, tag: str, layers: list[dict[str, Any]], config: bytes = b"{}") -> str:
        described = self.blob(config, "application/vnd.oci.image.config.v1+json")
        data = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": layers}).encode()
        self.call("PUT", f"{self._base}/manifests/{tag}", data, MANIFEST)
        return f"sha256:{sha256(data)}"


def keys(folder: Path, name: str, *words: str) -> Path:
    subprocess.run(["openssl", "genpkey", *words, "-out", folder / f"{name}.key"], check=True, capture_output=True)
    subprocess.run(
        ["openssl", "pkey", "-in", folder / f"{name}.key", "-pubout", "-out", folder / f"{name}.pub"], check=True
    )
    return folder / f"{name}.pub"


def signed(folder: Path, name: str, payload: bytes) -> str:
    (folder / "payload").write_bytes(payload)
    if name == "ed":
        made = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", folder / "ed.key", "-in", folder / "payload"]
    else:
        made = ["openssl", "dgst", "-sha256", "-sign", folder / f"{name}.key", folder / "payload"]
    return base64.b64encode(subprocess.run(made, check=True, capture_output=True).stdout).decode()


def claim(digest: str, kind: str = "cosign container image signature") -> bytes:
    identity = {"docker-reference": "registry.example/app"}
    critical = {"identity": identity, "image": {"docker-manifest-digest": digest}, "type": kind}
    return json.dumps({"critical": critical, "optional": None}).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("trust")
    keys(home, "ec", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    keys(home, "other", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    keys(home, "rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    keys(home, "ed", "-algorithm", "ED25519")
    return home


@pytest.fixture(scope="module")
def host(folder: Path) -> Iterator[str]:
    with real(folder) as found:
        yield found


@pytest.mark.parametrize("name", ["ec", "rsa", "ed"])
def test_every_kind_of_key(folder: Path, name: str) -> None:
    key = public_key((folder / f"{name}.pub").read_bytes())
    payload = claim("sha256:a")
    signature = signed(folder, name, payload)
    assert check(payload, signature, ("sha256:a",), key).verified
    assert "another image" in check(payload, signature, ("sha256:b",), key).why
    assert "not made with this key" in check(payload + b" ", signature, ("sha256:a",), key).why
    assert "not made with this key" in check(payload, "!!", ("sha256:a",), key).why
    assert not check(payload, signature, ("sha256:a",), public_key((folder / "other.pub").read_bytes())).verified


def test_payloads_that_are_none(folder: Path) -> None:
    key = public_key((folder / "ec.pub").read_bytes())
    for payload in (b"", b"[]", b'{"critical": 1}', claim("sha256:a", "other"), b"[" * 9000, b"x" * 100_000):
        assert not check(payload, signed(folder, "ec", payload), ("sha256:a",), key).verified
    for pem in (b"", b"nonsense", (folder / "ec.key").read_bytes()):
        with pytest.raises(SeawallError):
            public_key(pem)


def test_images_of_a_registry(folder: Path, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    push = Pusher(folder, host)
    data = layer({"a": b"b"})
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(data)}"]}, "os": "linux"}).encode()
    kind = "application/vnd.oci.image.layer.v1.tar"
    digests = {tag: push.manifest(tag, [push.blob(data + bytes(n * 512), kind)], config) for n, tag in enumerate("abc")}

    def sign(tag: str, by: str, of: str) -> dict[str, Any]:
        payload = claim(digests[of])
        notes = {"dev.cosignproject.cosign/signature": signed(folder, by, payload)}
        return push.blob(payload, "application/vnd.dev.cosign.simplesigning.v1+json", annotations=notes)

    push.manifest(digests["a"].replace(":", "-") + ".sig", [sign("a", "other", "a"), sign("a", "ec", "a")])
    push.manifest(digests["b"].replace(":", "-") + ".sig", [sign("b", "ec", "a")])  # moved here from another image
    push.manifest(digests["a"].replace(":", "-") + ".att", [push.blob(b"{}", "application/vnd.dsse.envelope.v1+json")])

    key = public_key((folder / "ec.pub").read_bytes())
    access = Access(Credentials("reader", PASSWORD), ca_file=folder / "ca.pem")
    found = trust.look(f"{host}/app:a", key, access)
    assert found.verified
    assert [one.verified for one in found.signatures] == [False, True]
    assert [one.partition(" ")[0] for one in found.beside] == ["attestation"]
    assert not found.pinned
    assert trust.look(f"{host}/app@{digests['a']}", key, access).pinned
    moved = trust.look(f"{host}/app:b", key, access)
    assert not moved.verified
    assert "another image" in moved.signatures[0].why
    assert trust.look(f"{host}/app:c", key, access).signatures == ()

    words = ["--ca-file", str(folder / "ca.pem"), "--username", "reader"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAWALL_REGISTRY_PASSWORD", PASSWORD)
        assert command.main(["verify", f"registry:{host}/app:a", "--key", str(folder / "ec.pub"), *words]) == 0
        assert "verified, for registry.example/app" in capsys.readouterr().out
        assert command.main(["verify", f"registry:{host}/app:c", "--key", str(folder / "ec.pub"), *words]) == 1
        assert "NOT SIGNED" in capsys.readouterr().out
    with pytest.raises(SeawallError, match="no image of a registry"):
        command.main(["verify", "docker:x", "--key", str(folder / "ec.pub")])
