"""Questions out of DNS messages as containers send them. Strict: what is not a plain question yields nothing.

RFC 1035 §4.1; over TCP each message has its length in front (§4.2.2). Pure, and bounded by what the sensor passes on.
"""

from dataclasses import dataclass

PORT = 53
MAX_QUESTIONS = 4
MAX_NAME, MAX_LABEL = 255, 63
HEADER = 12
TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 25: "KEY",
    28: "AAAA", 33: "SRV", 35: "NAPTR", 39: "DNAME", 43: "DS", 46: "RRSIG", 48: "DNSKEY", 52: "TLSA", 64: "SVCB",
    65: "HTTPS", 251: "IXFR", 252: "AXFR", 255: "ANY", 257: "CAA",
}  # fmt: skip
"""https://www.iana.org/assignments/dns-parameters, those that are met."""
_PRINTABLE = frozenset(range(0x21, 0x7F)) - frozenset(b'.\\"')


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    name: str
    """In small letters, without the closing dot; bytes that are not printable as \\DDD, "." for the root."""
    type: str
    """A, AAAA, TXT …, or TYPE99."""


def questions(data: bytes) -> tuple[Question, ...]:
    """Of a message, or of the head of one; with its length in front or without."""
    found = _message(data)
    if not found and len(data) > 2 + HEADER and int.from_bytes(data[:2], "big") >= len(data) - 2:
        found = _message(data[2:])
    return found


def _message(data: bytes) -> tuple[Question, ...]:
    if len(data) < HEADER + 5:
        return ()
    flags, count = int.from_bytes(data[2:4], "big"), int.from_bytes(data[4:6], "big")
    answers = int.from_bytes(data[6:8], "big")
    if flags & 0xF80F or not 1 <= count <= MAX_QUESTIONS or answers:  # a response, another opcode, an error code
        return ()
    found = []
    at = HEADER
    for _ in range(count):
        name, at = _name(data, at)
        if at < 0 or at + 4 > len(data):
            return ()
        number, family = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        if family & 0x7FFF not in (1, 3, 4, 255):  # IN, CH, HS, ANY; the first bit is multicast DNS's
            return ()
        found.append(Question(name, TYPES.get(number, f"TYPE{number}")))
        at += 4
    return tuple(found)


def _name(data: bytes, at: int) -> tuple[str, int]:
    """(name, where the type is), or a negative place. A pointer has no business in a question."""
    parts: list[str] = []
    total = 1
    while at < len(data):
        size = data[at]
        at += 1
        if size == 0:
            return ".".join(parts) or ".", at
        total += size + 1
        if size > MAX_LABEL or total > MAX_NAME or at + size > len(data):
            break
        parts.append(_text(data[at : at + size]))
        at += size
    return "", -1


def _text(label: bytes) -> str:
    text = label.lower()
    return "".join(chr(byte) if byte in _PRINTABLE else f"\\{byte:03d}" for byte in text)
