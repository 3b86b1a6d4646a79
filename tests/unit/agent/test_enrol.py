"""Enrolment against a real TLS server: only the right CA gets the token, only the server gets the batches."""

import json
import ssl
import subprocess
import time

import pytest

from peer import Peer
from seawall.agent import enrol, tls
from seawall.agent.identity import Home
from seawall.core.errors import SeawallError, Unreachable


@pytest.fixture
def peer(tmp_path):
    made = Peer(tmp_path / "server")
    yield made
    made.close()


def buy(peer, home, **changes):
    wanted = {"server": peer.url, "token": "good-token", "ca_fingerprint": peer.authority.fingerprint, "host_id": "h"}
    return enrol.enrol(home, **wanted | changes)


def test_a_token_buys_an_identity_that_opens_the_gateway(peer, tmp_path):
    home = Home(tmp_path / "node")
    identity = buy(peer, home)
    assert identity == home.identity()
    assert home.pem.stat().st_mode & 0o777 == 0o600
    assert b"BEGIN EC PRIVATE" in home.pem.read_bytes() or b"BEGIN PRIVATE" in home.pem.read_bytes()
    connection = tls.dial(tls.peer(identity.gateway), home.context())
    assert connection.request("GET", "/v1/agent/config", timeout=5).status == 200
    connection.close()
    assert time.time() < identity.renew_at() < time.time() + 21 * 86400


def test_a_server_with_another_ca_never_sees_the_token(peer, tmp_path):
    seen = []
    peer.lie = lambda path, body: seen.append(path)
    with pytest.raises(SeawallError, match="another fingerprint"):
        buy(peer, Home(tmp_path / "node"), ca_fingerprint="ab" * 32)
    assert seen == ["/v1/agent/ca"]


def test_a_man_in_the_middle_who_shows_the_right_ca_is_found_out(peer, tmp_path):
    """He can copy the CA's certificate, but his own was not signed by it."""
    honest = Peer(tmp_path / "honest")
    peer.lie = lambda path, body: (200, honest.authority.pem.encode()) if path == "/v1/agent/ca" else None
    try:
        with pytest.raises(Unreachable, match="not the one"):
            buy(peer, Home(tmp_path / "node"), ca_fingerprint=honest.authority.fingerprint)
    finally:
        honest.close()


def test_an_agent_cannot_play_the_server(peer, tmp_path):
    """Its certificate is signed by the same CA, but for clients only."""
    home = Home(tmp_path / "node")
    buy(peer, home)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home.pem)
    peer.door.socket._context = context
    with pytest.raises(Unreachable, match="not the one"):
        tls.dial(tls.peer(peer.url), tls.context(home.ca))


def test_fingerprints_may_be_written_as_people_do(peer):
    text = peer.authority.fingerprint
    written = "SHA256:" + ":".join(text[at : at + 2] for at in range(0, 64, 2)).upper()
    assert tls.same_fingerprint(peer.authority.pem, written)
    assert not tls.same_fingerprint(peer.authority.pem, "")


def test_a_wrong_token_says_so(peer, tmp_path):
    with pytest.raises(SeawallError, match="token is unknown") as caught:
        buy(peer, Home(tmp_path / "node"), token="bad")
    assert "make a new one" in caught.value.hint
    assert Home(tmp_path / "node").identity() is None


def test_without_openssl_the_way_out_is_named(peer, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SeawallError, match="openssl is not installed") as caught:
        buy(peer, Home(tmp_path / "node"))
    assert "apt-get install openssl" in caught.value.hint


@pytest.mark.parametrize(
    "said", [b"", b"[]", b"{}", b"\xff", b'{"agent_id": 1, "gateway": "x", "expires_at": "?"}', b"[" * 9999]
)
def test_rubbish_from_the_server_is_no_identity(peer, tmp_path, said):
    peer.lie = lambda path, body: (200, said) if path == "/v1/agent/enroll" else None
    with pytest.raises(SeawallError):
        buy(peer, Home(tmp_path / "node"))
    assert Home(tmp_path / "node").identity() is None


def test_renewal_keeps_the_identity_and_changes_the_key(peer, tmp_path):
    home = Home(tmp_path / "node")
    first = buy(peer, home)
    old = home.pem.read_text()
    second = enrol.renew(home)
    assert (second.agent_id, second.gateway) == (first.agent_id, first.gateway)
    assert home.pem.read_text() != old
    tls.dial(tls.peer(second.gateway), home.context()).close()


def test_a_renewal_that_fails_keeps_the_old_certificate(peer, tmp_path):
    home = Home(tmp_path / "node")
    buy(peer, home)
    before = home.pem.read_bytes()
    peer.lie = lambda path, body: (200, json.dumps({"agent_id": "somebody-else"}).encode())
    with pytest.raises(SeawallError, match="another agent"):
        enrol.renew(home)
    assert home.pem.read_bytes() == before


def test_the_key_is_p256(tmp_path):
    key, csr = enrol.key_and_request(tmp_path)
    said = subprocess.run(["openssl", "pkey", "-noout", "-text"], input=key, capture_output=True, text=True, check=True)
    assert "prime256v1" in said.stdout
    assert csr.startswith("-----BEGIN CERTIFICATE REQUEST")


@pytest.mark.parametrize(
    "url", ["http://x:1", "https://", "https://x:0", "https://x:99999", "x:8443", "https://x:a", "https://é:1"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(SeawallError, match="not the address"):
        tls.peer(url)


def test_addresses():
    assert tls.peer("https://seawall.example:8443/x").name == "seawall.example:8443"
    assert tls.peer("https://[::1]:8443") == tls.Peer("::1", 8443)
    assert tls.peer("https://[::1]:8443").name == "[::1]:8443"
    assert tls.peer("https://10.0.0.1").port == 443
