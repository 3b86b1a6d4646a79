"""The small HTTP client against a real socket: whole bodies, chunks, and peers that lie, stall or hang up."""

import socket
import threading
import time

import pytest

from seawall.core.errors import Hostile
from seawall.node.http import Connection


@pytest.fixture
def ask():
    """A call that returns the Answer to a request whose peer says exactly that, then waits and closes."""
    sockets, threads = [], []

    def call(said: bytes, *, path: str = "/", timeout: float = 2.0, total: float | None = None, hold: float = 0.0):
        ours, theirs = socket.socketpair()
        sockets.append(ours)

        def serve():
            with theirs:
                if theirs.recv(65536):
                    theirs.sendall(said)
                    time.sleep(hold)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return Connection(ours, "peer").request("GET", path, timeout=timeout, total=total)

    yield call
    for ours in sockets:
        ours.close()
    for thread in threads:
        thread.join(5)


def test_a_body_of_known_length(ask):
    answer = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello world")
    assert (answer.status, answer.headers["x-a"]) == (200, "1")
    assert answer.read(2) == b"he"
    assert not answer.drained
    assert answer.read() == b"llo"
    assert answer.drained
    assert answer.read(10) == b""


def test_a_chunked_body_is_read_across_chunks(ask):
    answer = ask(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"4;x=y\r\none\n\r\n6\r\ntwo\nth\r\n3\r\nree\r\n0\r\nT: 1\r\n\r\n"
    )
    assert answer.readline(100) == b"one\n"
    assert answer.readline(100) == b"two\n"
    assert answer.read(100) == b"three"
    assert answer.drained


def test_a_body_until_the_peer_closes_and_one_that_does_not_exist(ask):
    assert ask(b"HTTP/1.0 200 OK\r\n\r\nall of it").read() == b"all of it"
    assert ask(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", hold=0.2).read() == b""


def test_a_line_over_the_limit_comes_in_pieces(ask):
    answer = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdef\n")
    assert [answer.readline(4), answer.readline(4)] == [b"abcd", b"ef\n"]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 " + b"x" * 20000, "a line over"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, "more than 100 headers"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "the length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-4\r\n", "a chunk of size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "a chunk of size"),
    ],
)
def test_rubbish_is_refused(ask, said, complaint):
    with pytest.raises(Hostile, match=complaint):
        ask(said).read()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_an_answer_cut_off_is_an_error_not_a_short_body(ask, said):
    with pytest.raises(ConnectionError):
        ask(said).read()


def test_a_peer_that_stalls_costs_the_limit_and_no_more(ask):
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        ask(b"", timeout=5, total=0.2, hold=0.5)
    assert time.monotonic() - started < 0.45


def test_a_request_cannot_be_split(ask):
    with pytest.raises(ValueError, match="line break"):
        ask(b"", path="/ HTTP/1.1\r\nX: y")
