"""Questions out of bytes that a container sent: plain ones are read, everything else yields nothing."""

import random

import pytest

from seawall.runtime.detect import dns
from seawall.runtime.detect.dns import Question

HEAD = bytes.fromhex("1234 0100 0001 0000 0000 0000")
NAME = b"\3WWW\7example\3org\0"
PLAIN = HEAD + NAME + b"\0\1\0\1"


def test_plain_questions():
    assert dns.questions(PLAIN) == (Question("www.example.org", "A"),)
    assert dns.questions(HEAD + NAME + b"\0\x63\0\1") == (Question("www.example.org", "TYPE99"),)
    assert dns.questions(HEAD[:11] + b"\1" + NAME + b"\0\x1c\0\1" + b"\0\0\x29\x10\0\0\0\0\0\0\0")[0].type == "AAAA", (
        "EDNS"
    )
    assert dns.questions(HEAD + b"\0\0\2\0\1") == (Question(".", "NS"),)
    two = HEAD[:5] + b"\2" + HEAD[6:] + NAME + b"\0\1\0\1" + NAME + b"\0\x1c\0\1"
    assert [question.type for question in dns.questions(two)] == ["A", "AAAA"]


def test_over_tcp():
    assert dns.questions(len(PLAIN).to_bytes(2, "big") + PLAIN) == (Question("www.example.org", "A"),)


def test_bytes_that_are_not_letters():
    asked = dns.questions(HEAD + b"\3a.\0\1b\0\0\1\0\1")
    assert asked == (Question("a\\046\\000.b", "A"),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN[:-1],
        PLAIN[:20],
        HEAD + b"\xc0\x0c\0\1\0\1",
        HEAD + b"\x40" + b"a" * 64 + b"\0\0\1\0\1",
        HEAD + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\1\0\1",
        bytes.fromhex("1234 8180 0001 0001 0000 0000") + NAME + b"\0\1\0\1",
        bytes.fromhex("1234 2800 0001 0000 0000 0000") + NAME + b"\0\1\0\1",
        bytes.fromhex("1234 0100 00ff 0000 0000 0000") + NAME + b"\0\1\0\1",
        HEAD + NAME + b"\0\1\0\x63",
        b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
    ],
    ids=[
        "nothing",
        "cut",
        "cut name",
        "pointer",
        "long label",
        "long name",
        "answer",
        "update",
        "many",
        "class",
        "http",
    ],
)
def test_what_is_no_question(data):
    assert dns.questions(data) == ()


def test_noise_never_breaks_it():
    source = random.Random(7)
    for _ in range(3000):
        data = bytearray(PLAIN)
        for _ in range(source.randrange(1, 6)):
            data[source.randrange(len(data))] = source.randrange(256)
        for question in dns.questions(bytes(data[: source.randrange(len(data) + 1)])):
            assert len(question.name) <= 4 * dns.MAX_NAME
            assert question.name.isascii()
