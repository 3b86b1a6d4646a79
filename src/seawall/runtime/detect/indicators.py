"""What intelligence lists, as a node keeps it: addresses, networks, domains and hashes in sorted bytes, not objects.

50,000 addresses are 250 KB here and would be 4 MB as texts. Each table is a row of records of one width, sorted: a
key, and one byte that says which label it has. Networks are tables by the length of their prefix, domains are 8 bytes
of a hash of the name, files 16 bytes of their SHA-256. The most specific entry wins, and one labelled `allowed` ends
the search without a finding. Pure.
"""

import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seawall.runtime.detect import dns
from seawall.runtime.model import Event, Kind

ALLOWED = "allowed"
"""The kind of what somebody has decided is good, whatever feeds say."""
MAX_ADDRESSES, MAX_NETWORKS, MAX_DOMAINS, MAX_HASHES = 50_000, 10_000, 50_000, 20_000
"""Of one plan; what is over is left out and counted, least confident first."""
MAX_LABELS = 255
MAX_CACHE = 512
"""Answers about addresses that are remembered: most connections go where the last ones went."""
_DOMAIN, _HASH = 8, 16
"""Bytes of their keys."""
_SIZES = {"v4": 4, "v6": 16}
MAX_DOMAIN = 253
_DEEPEST = 16
"""Labels of a name that are looked at, from its end."""
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Indicator:
    """One entry as the server gives it to `pack`."""

    type: str
    """ip, net, domain or sha256."""
    value: str
    kind: str
    """c2, mining, tor, phishing … or `allowed`."""
    source: str
    confidence: int = 50
    """0 to 100."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is said of a listed thing."""

    kind: str
    source: str
    confidence: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A thing that was found in the lists."""

    value: str
    """The entry: the address or network, the domain (maybe a parent of the one asked for), the hash."""
    kind: str
    source: str
    confidence: int


def pack(entries: Iterable[Indicator]) -> dict[str, Any]:
    """The tables of a plan, capped: {"labels", "v4", "v6", "domains", "hashes", "count", "left_out"}.

    `left_out` counts what did not fit or was not understood. The same entries give the same bytes.
    """
    ordered = sorted(entries, key=lambda one: (one.kind != ALLOWED, -one.confidence, one.type, one.value, one.source))
    packer = _Packer()
    for entry in ordered:
        packer.add(entry)
    return packer.finish()


class _Packer:
    def __init__(self) -> None:
        self.labels: dict[tuple[str, str, int], int] = {}
        self.tables: dict[tuple[str, int], dict[bytes, int]] = {}
        self.counts: dict[str, int] = {}
        self.left_out = 0

    def add(self, entry: Indicator) -> None:
        try:
            limit, table, key = _place(entry)
        except ValueError:
            self.left_out += 1
            return
        rows = self.tables.setdefault(table, {})
        if key in rows:
            return  # the first is the one that is allowed, or the most confident
        label = self._label(entry)
        group = "net" if limit == MAX_NETWORKS else entry.type
        if label is None or self.counts.get(group, 0) >= limit:
            self.left_out += 1
            return
        self.counts[group] = self.counts.get(group, 0) + 1
        rows[key] = label

    def finish(self) -> dict[str, Any]:
        found: dict[str, Any] = {"v4": {}, "v6": {}, "domains": b"", "hashes": b""}
        for (name, length), rows in self.tables.items():
            data = b"".join(key + bytes([rows[key]]) for key in sorted(rows))
            if name in _SIZES:
                found[name][str(length)] = data
            else:
                found[name] = data
        found["labels"] = [list(label) for label in self.labels]
        found["count"] = sum(self.counts.values())
        found["left_out"] = self.left_out
        return found

    def _label(self, entry: Indicator) -> int | None:
        name = (entry.kind, entry.source, entry.confidence)
        if name not in self.labels and len(self.labels) >= MAX_LABELS:
            return None
        return self.labels.setdefault(name, len(self.labels))


def _place(entry: Indicator) -> tuple[int, tuple[str, int], bytes]:
    """(limit, table, key) of an entry. Raises ValueError for what is none."""
    if entry.type == "domain":
        return MAX_DOMAINS, ("domains", 0), _domain_key(entry.value.lower().strip("."))
    if entry.type == "sha256":
        return MAX_HASHES, ("hashes", 0), _hash_key(entry.value)
    if entry.type not in ("ip", "net"):
        raise ValueError(entry.type)
    from ipaddress import ip_network

    network = ip_network(entry.value, strict=False)
    if not network.prefixlen:
        raise ValueError("the whole internet")
    whole = network.prefixlen == network.max_prefixlen
    table = (f"v{network.version}", network.prefixlen)
    return MAX_ADDRESSES if whole else MAX_NETWORKS, table, network.network_address.packed


def encode(packed: Mapping[str, Any]) -> dict[str, Any]:
    """The tables as JSON carries them: bytes in base64."""
    if not packed:
        return {}
    plain = dict(packed)
    for name in ("domains", "hashes"):
        plain[name] = _text(packed[name])
    for name in _SIZES:
        plain[name] = {length: _text(data) for length, data in packed[name].items()}
    return plain


def _text(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def decode(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse. Raises ValueError, KeyError or TypeError for what `pack` never makes."""
    if not plain:
        return {}
    packed = dict(plain)
    labels = [(str(kind), str(source), int(confidence)) for kind, source, confidence in plain["labels"]]
    if len(labels) > MAX_LABELS:
        raise ValueError(f"{len(labels)} labels of indicators")
    packed["labels"] = labels
    packed["domains"] = _table(plain["domains"], _DOMAIN, MAX_DOMAINS, len(labels))
    packed["hashes"] = _table(plain["hashes"], _HASH, MAX_HASHES, len(labels))
    for name, size in _SIZES.items():
        for length in plain[name]:
            if not 0 < int(length) <= 8 * size:
                raise ValueError(f"networks of /{length}")
        limit = MAX_ADDRESSES + MAX_NETWORKS
        packed[name] = {key: _table(text, size, limit, len(labels)) for key, text in plain[name].items()}
    return packed


def _table(text: str, size: int, limit: int, labels: int) -> bytes:
    data = binascii.a2b_base64(text, strict_mode=True)
    if len(data) % (size + 1) or len(data) // (size + 1) > limit:
        raise ValueError(f"a table of {len(data)} bytes")
    if max(data[size :: size + 1], default=-1) >= labels:
        raise ValueError("a table with a label that is not there")
    return data


class Indicators:
    """Answers by one set of tables."""

    def __init__(self, packed: Mapping[str, Any]) -> None:
        self._labels = [Label(*label) for label in packed.get("labels", ())]
        self._domains: bytes = packed.get("domains", b"")
        self._hashes: bytes = packed.get("hashes", b"")
        self._networks = {
            name: sorted(((int(length), data) for length, data in packed.get(name, {}).items()), reverse=True)
            for name in _SIZES
        }
        self._cache: dict[str, Listed | None] = {}

    def observe(self, event: Event) -> Mapping[str, Any]:
        """Facts: `net_indicator`, `dns` (the question), `dns_indicator`, `sample_indicator`; or nothing."""
        peer = event.peer
        if peer is not None and peer.family != "unix" and event.kind in (Kind.CONNECT, Kind.SEND):
            facts: dict[str, Any] = {}
            listed = self.address(peer.host)
            if listed is not None:
                facts["net_indicator"] = listed
            if event.kind is Kind.SEND and peer.port == dns.PORT and event.data:
                facts |= self._asked(event.data)
            return facts
        if event.kind is Kind.SCAN and self._hashes:
            listed = self.file(event.raw.get("sample", NOTHING).get("sha256", ""))
            return NOTHING if listed is None else {"sample_indicator": listed}
        return NOTHING

    def address(self, host: str) -> Listed | None:
        """Of an IPv4 or IPv6 address in text."""
        if host in self._cache:
            return self._cache[host]
        name = "v6" if ":" in host else "v4"
        found = self._address(host, name) if self._networks[name] else None
        if len(self._cache) >= MAX_CACHE:
            self._cache.clear()
        self._cache[host] = found
        return found

    def domain(self, name: str) -> Listed | None:
        """Of a name or the nearest of its parents."""
        name = name.lower().strip(".")
        if not self._domains or not 0 < len(name) <= MAX_DOMAIN:
            return None
        parts = name.split(".")
        for start in range(max(0, len(parts) - _DEEPEST), len(parts)):
            value = ".".join(parts[start:])
            label = _find(self._domains, _domain_key(value))
            if label is not None:
                return self._listed(value, label)
        return None

    def file(self, sha256: str) -> Listed | None:
        """Of a file by its hash in hex."""
        try:
            label = _find(self._hashes, _hash_key(sha256))
        except ValueError:
            return None
        return None if label is None else self._listed(sha256, label)

    def _asked(self, data: bytes) -> dict[str, Any]:
        questions = dns.questions(data)
        if not questions:
            return {}
        for question in questions:
            listed = self.domain(question.name)
            if listed is not None:
                return {"dns": question, "dns_indicator": listed}
        return {"dns": questions[0]}

    def _address(self, host: str, name: str) -> Listed | None:
        try:
            number = _number(host)
        except ValueError:
            return None
        size = _SIZES[name]
        for length, data in self._networks[name]:
            masked = number >> 8 * size - length << 8 * size - length
            label = _find(data, masked.to_bytes(size, "big"))
            if label is not None:
                return self._listed(host if length == 8 * size else _network(masked, size, length), label)
        return None

    def _listed(self, value: str, label: int) -> Listed | None:
        found = self._labels[label]
        return None if found.kind == ALLOWED else Listed(value, found.kind, found.source, found.confidence)


def _number(host: str) -> int:
    if ":" not in host:
        first, second, third, fourth = (int(part) for part in host.split("."))
        return int.from_bytes(bytes((first, second, third, fourth)), "big")
    from ipaddress import IPv6Address

    return int(IPv6Address(host.partition("%")[0]))


def _network(number: int, size: int, length: int) -> str:
    from ipaddress import IPv4Address, IPv6Address

    return f"{IPv4Address(number) if size == 4 else IPv6Address(number)}/{length}"


def _domain_key(name: str) -> bytes:
    if not 0 < len(name) <= MAX_DOMAIN:
        raise ValueError(name)
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=_DOMAIN).digest()


def _hash_key(sha256: str) -> bytes:
    if len(sha256) != 64:
        raise ValueError(sha256)
    return bytes.fromhex(sha256)[:_HASH]


def _find(table: bytes, key: bytes) -> int | None:
    """The label of a key: a search by halves in the sorted records."""
    size = len(key)
    width = size + 1
    low, high = 0, len(table) // width
    while low < high:
        middle = (low + high) // 2
        if table[middle * width : middle * width + size] < key:
            low = middle + 1
        else:
            high = middle
    at = low * width
    return table[at + size] if table[at : at + size] == key else None
