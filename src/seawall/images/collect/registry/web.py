"""Calls to registries and to where they point: TLS, redirects that lead nowhere forbidden, waits that end.

Every address is looked at before it is connected to, and connected to as it was looked at: a name that answers
differently the second time gains nothing.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from seawall.core.errors import Hostile, SeawallError, Unreachable
from seawall.images.collect.registry.access import Access
from seawall.images.collect.registry.names import is_host
from seawall.node.http import Answer, Connection

MAX_REDIRECTS = 5
MAX_ATTEMPTS = 5
MAX_WAIT = 120.0
"""Seconds that are waited at most when a registry asks for patience, each time."""
MAX_URL = 16 << 10
AGENT = "seawall"
_REDIRECTS = {301, 302, 303, 307, 308}
_METADATA = {"fd00:ec2::254", "100.100.100.200"}
"""Where clouds tell an instance its keys, beside the link-local addresses."""
_BUSY = {429, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a call goes."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Who may hear what the registry may hear."""
        return self.scheme, self.host, self.port

    @property
    def shown(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def address(url: str) -> Address:
    """Raises Hostile when the text is no address of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = (parts.hostname or "").lower()
    clean = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL
    shown = f"[{host}]" if ":" in host else host
    if parts.scheme not in ("http", "https") or not clean or not is_host(shown) or parts.username or parts.password:
        raise Hostile(f"the registry points to {url[:200]!r}, which is no address that is gone to")
    query = f"?{parts.query}" if parts.query else ""
    return Address(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), (parts.path or "/") + query)


class Web:
    """Connections of one visit to a registry. Not for two threads at a time."""

    def __init__(self, access: Access, until: float | None = None) -> None:
        self.access = access
        self._until = until
        """Monotonic seconds at which everything ends."""
        self._kept: dict[tuple[str, str, int], tuple[Connection, Answer]] = {}
        self._tls: ssl.SSLContext | None = None
        self._widest: int | None = None
        """How public the first address was that was gone to; redirects never lead to less public ones."""

    def call(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, *, body: bytes | None = None
    ) -> tuple[Answer, Address]:
        """One call, over redirects and waits; tells where the answer came from. Raises Unreachable, Hostile."""
        at = address(url)
        home, sent = at, dict(headers or {})
        attempts = 0
        for _ in range(MAX_REDIRECTS + MAX_ATTEMPTS):
            answer = self._once(method, at, sent, body)
            if answer.status in _REDIRECTS and method in ("GET", "HEAD") and "location" in answer.headers:
                at = self._redirected(at, answer.headers["location"])
                if at.origin != home.origin:
                    sent.pop("Authorization", None)
            elif answer.status in _BUSY and attempts + 1 < MAX_ATTEMPTS:
                attempts += 1
                self._wait(answer, attempts, at)
                at, sent = home, dict(headers or {})
            else:
                return answer, at
        raise Hostile(f"{home.shown} redirects without end")

    def left(self) -> float | None:
        """Seconds until everything has to end. Raises Unreachable when there are none."""
        if self._until is None:
            return None
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unreachable("the time for this scan is over", "--timeout allows more")
        return left

    def close(self) -> None:
        """Close all connections."""
        for connection, _ in self._kept.values():
            connection.close()
        self._kept.clear()

    def _once(self, method: str, at: Address, headers: Mapping[str, str], body: bytes | None) -> Answer:
        sent = {"User-Agent": AGENT, **headers}
        for again in (False, True):
            known = self._kept.pop(at.origin, None)
            reused = known is not None and known[1].drained
            if known is not None and not reused:
                known[0].close()
            connection = known[0] if known is not None and reused else self._connected(at)
            try:
                left = self.left()
                answer = connection.request(
                    method, at.path, body, sent, timeout=min(self.access.timeout, left or MAX_WAIT), total=left
                )
            except OSError as error:
                connection.close()
                if reused and not again:
                    continue  # the peer had closed it meanwhile
                raise Unreachable(f"{at.shown}: {error}") from error
            except Hostile:
                connection.close()
                raise
            if answer.headers.get("connection", "").lower() != "close":
                self._kept[at.origin] = (connection, answer)
            return answer
        raise Unreachable(f"{at.shown} closes its connections")

    def _redirected(self, at: Address, location: str) -> Address:
        to = address(urljoin(f"{at.scheme}://{at.shown}{at.path}", location))
        if at.scheme == "https" and to.scheme != "https":
            raise Hostile(f"{at.shown} redirects to {to.shown} without TLS")
        return to

    def _wait(self, answer: Answer, attempt: int, at: Address) -> None:
        asked = retry_after(answer.headers.get("retry-after", ""))
        seconds = asked if asked is not None else 0.5 * 2**attempt
        left = self.left()
        if seconds > MAX_WAIT or (left is not None and seconds >= left):
            raise Unreachable(
                f"{at.shown} answered {answer.status} and asks to come again in {seconds:.0f} s",
                "its limit of requests is reached; logging in, or a mirror, raises it",
            )
        time.sleep(max(seconds, 0.05))

    def _connected(self, at: Address) -> Connection:
        left = self.left()
        timeout = min(self.access.timeout, left or MAX_WAIT)
        try:
            found = socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"{at.host} has no address: {error}") from error
        self._check(at, [str(one[4][0]) for one in found])
        last: OSError = OSError("no address")
        for one in found[:4]:
            raw = socket.socket(one[0], socket.SOCK_STREAM)
            try:
                raw.settimeout(timeout)
                raw.connect(one[4])
                connected = self._context().wrap_socket(raw, server_hostname=at.host) if at.scheme == "https" else raw
            except ssl.SSLCertVerificationError as error:
                raw.close()
                raise Unreachable(
                    f"{at.shown}: its certificate is not trusted: {error.verify_message}",
                    "--ca-file names an authority",
                ) from error
            except OSError as error:
                raw.close()
                last = error
                continue
            return Connection(connected, at.shown)
        raise Unreachable(f"cannot reach {at.shown}: {last}") from last

    def _check(self, at: Address, found: list[str]) -> None:
        """Raises Hostile for addresses that nobody is led to."""
        lowest = min(_openness(at, text) for text in found)
        if self._widest is None:
            self._widest = lowest
        elif lowest < self._widest:
            raise Hostile(f"{at.host} leads to {found[0]}, inside, where the registry itself is outside")

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            access = self.access
            try:
                self._tls = ssl.create_default_context()
                if access.ca_file is not None:
                    self._tls.load_verify_locations(cafile=access.ca_file)
                if access.certificate is not None:
                    self._tls.load_cert_chain(access.certificate, access.key)
            except (OSError, ValueError) as error:
                raise SeawallError(f"cannot use the certificates that were given: {error}") from error
            if access.insecure:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE
        return self._tls


def _openness(at: Address, text: str) -> int:
    """How public an address is: 2 for all the world's, 1 private, 0 this host's own. Raises Hostile."""
    ip = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or str(ip) in _METADATA:
        raise Hostile(f"{at.host} leads to {ip}, where no registry is (link-local, metadata or nobody's)")
    return 0 if ip.is_loopback else 1 if ip.is_private else 2


def retry_after(text: str) -> float | None:
    """Seconds: the header has a number or a date."""
    text = text.strip()[:64]
    if text.isdecimal() and len(text) < 10:
        return float(text)
    import email.utils

    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
