"""The authority: kept over a restart, private, renews its server certificate, signs only honest requests."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from seawall.core.errors import Hostile
from seawall.server.ca import Authority, own_names


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admin")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_it_is_the_same_after_a_restart_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    first = Authority(folder)
    first.server_files(["localhost"])
    assert Authority(folder).fingerprint == first.fingerprint
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())


def test_the_server_certificate_is_renewed_in_time_and_for_new_names(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, _ = authority.server_files(["localhost", "127.0.0.1", "::1"])
    first = certificate.read_bytes()
    authority.server_files(["localhost", "::1"])
    assert certificate.read_bytes() == first, "fewer names need no new one"
    authority.server_files(["localhost"], datetime.now(UTC) + timedelta(days=340))
    second = certificate.read_bytes()
    assert second != first
    authority.server_files(["localhost", "new.example"])
    found = x509.load_pem_x509_certificates(certificate.read_bytes())
    assert len(found) == 2, "the chain goes with it"
    names = found[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "new.example"}


def test_an_agent_gets_its_own_name_and_no_other_right(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pem, until = authority.sign_agent(request(ec.generate_private_key(ec.SECP256R1())), "agent_1")
    signed = x509.load_pem_x509_certificate(pem.encode())
    assert signed.subject.rfc4514_string() == "CN=agent_1", "what the request calls itself does not count"
    usage = signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not signed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)
    signed.verify_directly_issued_by(authority.certificate)


def test_bad_requests_are_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    good = request(ec.generate_private_key(ec.SECP256R1()))
    middle = len(good) // 2
    flipped = good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :]
    for bad in (
        "",
        "rubbish",
        good * 100,
        flipped,
        request(rsa.generate_private_key(65537, 2048)),
        request(ec.generate_private_key(ec.SECP384R1())),
    ):
        with pytest.raises(Hostile):
            authority.sign_agent(bad, "agent_1")


def test_this_host_knows_its_names() -> None:
    names = own_names(["given.example"])
    assert names[0] == "given.example"
    assert {"localhost", "127.0.0.1", "::1"} <= set(names)
    assert len(names) == len(set(names))
