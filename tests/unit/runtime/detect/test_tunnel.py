"""Tunnels in DNS: many long random names below one domain, and none of the things that look a little like it."""

import hashlib

import pytest

from seawall.runtime.detect.dns import Question
from seawall.runtime.detect.examples import build
from seawall.runtime.detect.tunnel import ENOUGH, MAX_WATCHED, WINDOW, Tunnels, split

EVENT = build({"event": {"kind": "send", "container": True, "process": {}, "peer": "192.0.2.1:53"}})[0]


def secret(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:48]


def ask(tunnels, names, step=1.0):
    found = []
    for place, name in enumerate(names):
        EVENT.time = 1_000_000 + place * step
        found.append(tunnels.observe(EVENT, Question(name, "TXT")))
    return found


def test_a_tunnel_is_told_once_enough_was_carried():
    found = ask(Tunnels(), [f"{secret(n)}.t.evil.example" for n in range(ENOUGH + 5)])
    assert not any(found[: ENOUGH - 1])
    assert all(fact["dns_tunnel"] == "evil.example" for fact in found[ENOUGH:])
    assert found[-1]["dns_tunnel_names"] == ENOUGH + 5


@pytest.mark.parametrize(
    "names",
    [
        [f"{secret(1)}.cdn.example"] * 200,
        [f"host-{n}.example.org" for n in range(200)],
        [f"a-rather-long-but-readable-name-{n % 9}.example.org" for n in range(200)],
        [f"{secret(n)}.zone{n}.example" for n in range(200)],
        ["."] * 50,
    ],
    ids=["the same again", "short", "few readable", "many domains", "root"],
)
def test_what_is_no_tunnel(names):
    assert not any(ask(Tunnels(), names))


def test_slow_questions_are_none():
    assert not any(ask(Tunnels(), [f"{secret(n)}.evil.example" for n in range(100)], step=WINDOW / 10))


def test_domains_as_somebody_owns_them():
    assert split("a.b.example.org") == ("a.b", "example.org")
    assert split("a.b.example.co.uk") == ("a.b", "example.co.uk")
    assert split("org") == ("", "org")


def test_memory_is_bounded():
    tunnels = Tunnels()
    ask(tunnels, [f"{secret(n)}.zone{n}.example" for n in range(2 * MAX_WATCHED)], step=0.001)
    assert len(tunnels._windows) == MAX_WATCHED
