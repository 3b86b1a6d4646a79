"""The server's own certificate authority: one key for both doors and for every agent.

P-256 throughout. The key never leaves its folder (0700, files 0600). docs/reference/wire.md says who shows what.
"""

import hashlib
import ipaddress
import itertools
import os
import secrets
import socket
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from seawall.core.errors import Hostile, SeawallError

CA_DAYS = 3650
SERVER_DAYS = 365
RENEW_DAYS = 30
"""The server's certificate is renewed when less than this is left."""
AGENT_DAYS = 30
MAX_CSR = 8192
_SKEW = timedelta(minutes=5)
"""Certificates start this long ago: clocks differ."""


class Authority:
    """Opens the folder, or fills it at the first start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / "ca.key").exists():
            self._create()
        try:
            key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
            self.certificate = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
        except (OSError, ValueError) as error:
            raise SeawallError(f"cannot read the certificate authority in {folder}: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SeawallError(f"{folder / 'ca.key'} is not an EC key")
        self._key = key

    @property
    def pem(self) -> str:
        """The CA's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the CA's certificate (DER), in lower hex: what install commands carry."""
        return hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).hexdigest()

    def server_files(self, names: Iterable[str], now: datetime | None = None) -> tuple[Path, Path]:
        """Paths of certificate and key for both doors; made anew when about to expire or for other names."""
        now = now or datetime.now(UTC)
        certificate_file, key_file = self.folder / "server.crt", self.folder / "server.key"
        wanted = set(names)
        if key_file.exists() and certificate_file.exists():
            held = x509.load_pem_x509_certificates(certificate_file.read_bytes())[0]
            fresh = held.not_valid_after_utc - now > timedelta(days=RENEW_DAYS)
            if fresh and wanted <= _names(held) and held.issuer == self.certificate.subject:
                return certificate_file, key_file
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Seawall server")]),
            key.public_key(),
            now,
            days=SERVER_DAYS,
            purpose=ExtendedKeyUsageOID.SERVER_AUTH,
            names=[_general_name(name) for name in sorted(wanted)],
        )
        _write(key_file, _private(key))
        _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM) + self.pem.encode())
        return certificate_file, key_file

    def sign_agent(self, csr_pem: str, agent_id: str, now: datetime | None = None) -> tuple[str, datetime]:
        """A client certificate for a request's key; the subject is ours to say. Raises Hostile on a bad request."""
        if len(csr_pem) > MAX_CSR:
            raise Hostile(f"the certificate request is over {MAX_CSR} bytes")
        try:
            request = x509.load_pem_x509_csr(csr_pem.encode())
            signed = request.is_signature_valid
            public = request.public_key()
        except (ValueError, InvalidSignature, TypeError) as error:
            raise Hostile(f"the certificate request cannot be read: {error}") from error
        if not signed or not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
            raise Hostile("the certificate request must be signed by its own P-256 key")
        now = now or datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, agent_id)])
        certificate = self._sign(
            subject, public, now, days=AGENT_DAYS, purpose=ExtendedKeyUsageOID.CLIENT_AUTH, names=[]
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), certificate.not_valid_after_utc

    def _create(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Seawall CA {secrets.token_hex(4)}")])
        now = datetime.now(UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + timedelta(days=CA_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(self.folder / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM))
        _write(self.folder / "ca.key", _private(key))

    def _sign(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        now: datetime,
        *,
        days: int,
        purpose: x509.ObjectIdentifier,
        names: list[x509.GeneralName],
    ) -> x509.Certificate:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def door_context(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """TLS of a door; with `client_ca` only clients with a certificate of that CA get in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def own_names(further: Iterable[str] = ()) -> list[str]:
    """By what this host may be called: the given names first, then its host name and all its addresses."""
    host = socket.gethostname()
    names = [*further, host, "localhost", *_addresses()]
    return list(dict.fromkeys(name for name in names if name))


def _addresses() -> list[str]:
    """Local addresses, from the kernel's own tables."""
    found = ["127.0.0.1", "::1"]
    try:
        lines = Path("/proc/net/fib_trie").read_text().splitlines()
        found += [above.split()[-1] for above, line in itertools.pairwise(lines) if "/32 host LOCAL" in line]
    except OSError:
        pass
    try:
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            address = ipaddress.IPv6Address(int(line.split()[0], 16))
            if not address.is_link_local:
                found.append(str(address))
    except OSError:
        pass
    return found


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names(certificate: x509.Certificate) -> set[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in extension.get_values_for_type(x509.IPAddress)}
    return addresses | set(extension.get_values_for_type(x509.DNSName))


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all, readable by the owner only."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
