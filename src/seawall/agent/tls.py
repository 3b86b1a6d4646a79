"""TLS to the server, checked against its own CA: the one whose fingerprint came with the install command."""

import hashlib
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError, Unreachable
from seawall.node.http import Connection

CONNECT = 10.0
"""Seconds for one connection with its handshake."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a server listens."""

    host: str
    port: int

    @property
    def name(self) -> str:
        """As a Host header names it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def peer(url: str) -> Peer:
    """Read `https://HOST[:PORT]`. Raises SeawallError on anything else."""
    scheme, _, rest = url.partition("://")
    place = rest.partition("/")[0]
    if place.startswith("["):
        host, bracket, port = place[1:].partition("]")
        port = port.removeprefix(":") if bracket else "x"
    else:
        host, _, port = place.partition(":")
    port = port or "443"
    if scheme != "https" or not host or not host.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise SeawallError(f"{url!r} is not the address of a server", "it looks like https://seawall.example:8443")
    return Peer(host, int(port))


def context(ca: Path, pem: Path | None = None) -> ssl.SSLContext:
    """What a client needs to talk to the server whose CA this is, and to show who it is (certificate and key in `pem`).

    The CA belongs to one Seawall server alone and signs server certificates for nobody else (agents get the purpose
    `clientAuth`, which OpenSSL refuses here). So the name in the certificate adds nothing, and agents may reach the
    server by any address: through NAT, a proxy for TCP, or a name it has not heard of.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.check_hostname = False
    try:
        made.load_verify_locations(ca)
        if pem is not None:
            made.load_cert_chain(pem)
    except (OSError, ssl.SSLError) as error:
        raise SeawallError(f"cannot use the certificates in {ca.parent}: {error}", "enrol this agent again") from error
    return made


def dial(server: Peer, secured: ssl.SSLContext, timeout: float = CONNECT) -> Connection:
    """A connection to the server, verified. Raises Unreachable with the reason."""
    try:
        # Bytes, not text: text would load the IDNA tables, a megabyte of them.
        host: Any = server.host.encode()
        plain = socket.create_connection((host, server.port), timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Connection(secured.wrap_socket(plain, server_hostname=host), server.name)
        except BaseException:
            plain.close()
            raise
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(
            f"the server at {server.name} is not the one this agent was enrolled with: {error.verify_message}",
            "was the server set up anew? then enrol this agent again",
        ) from error
    except (OSError, ssl.SSLError) as error:
        raise Unreachable(f"cannot reach the server at {server.name}: {error}", "is it running?") from error


def fingerprint(pem: str) -> str:
    """SHA-256 of a certificate, 64 hex digits. Raises SeawallError when the text holds none."""
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.strip())).hexdigest()
    except ValueError as error:
        raise SeawallError(f"not a certificate: {error}") from error


def same_fingerprint(pem: str, expected: str) -> bool:
    """Whether a certificate has this fingerprint; colons, blanks, case and a `sha256:` before it do not matter."""
    import hmac

    wanted = expected.strip().lower().removeprefix("sha256:").replace(":", "").replace(" ", "")
    return hmac.compare_digest(fingerprint(pem).encode(), wanted.encode())


def fetch_unverified(server: Peer, path: str, limit: int = 1 << 16) -> bytes:
    """One answer from a server that nobody vouches for yet. For the CA's own certificate alone: it is checked next."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    connection = dial(server, blind)
    try:
        answer = connection.request("GET", path, timeout=CONNECT, total=2 * CONNECT)
        body = answer.read(limit)
    except OSError as error:
        raise Unreachable(f"cannot read {path} from {server.name}: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise SeawallError(
            f"the server at {server.name} answers {answer.status} to {path}", "is this a Seawall server?"
        )
    return body
