"""Updates over a real HTTPS server on loopback: what has not changed, what breaks off, shrinks or lies."""

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from seawall.core.errors import SeawallError
from seawall.intel import update as updating
from seawall.intel.places import DEFAULTS, Place, check, chosen, places
from seawall.intel.store import Store
from seawall.intel.update import configured, due, history, update


def _osv(number: int, fixed: str = "2.0.0") -> bytes:
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = [{"package": {"ecosystem": "npm", "name": "left"}, "ranges": [{"type": "SEMVER", "events": events}]}]
    return json.dumps({"id": f"A-{number}", "modified": "2024-01-01T00:00:00Z", "affected": affected}).encode()


def _secdb(count: int) -> bytes:
    fixes = {f"1.0-r{at}": [f"CVE-2024-{1000 + at}"] for at in range(1, count + 1)}
    package = {"pkg": {"name": "curl", "secfixes": fixes}}
    return json.dumps({"distroversion": "v3.20", "reponame": "main", "packages": [package]}).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    body = b""
    etag = '"1"'
    cut = 0
    """Bytes after which the connection breaks, once."""
    status = 0
    location = ""
    asked: list[dict[str, str]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(dict(self.headers))
        if server.location and self.path == "/moved":
            return self._head(302, {"Location": server.location})
        if server.status:
            return self._head(server.status, {})
        if self.path == "/latest.txt":
            return self._send(b"feed.json\n")
        if self.headers.get("If-None-Match") == server.etag:
            return self._head(304, {})
        at = 0
        if self.headers.get("If-Range") == server.etag:
            at = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        return self._send(server.body[at:], 206 if at else 200)

    def _send(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("ETag", self.server.etag)
        self.send_header("Last-Modified", "Wed, 01 May 2024 10:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut, self.server.cut = self.server.cut, 0
        self.wfile.write(body[:cut] if cut else body)
        if cut:
            self.wfile.flush()
            self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[_Server]:
    folder = tmp_path / "tls"
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", str(folder / "key.pem"), "-days", "2",
         "-out", str(folder / "ca.pem"), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    found = _Server(("127.0.0.1", 0), _Handler)
    found.asked = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    found.socket = context.wrap_socket(found.socket, server_side=True)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def _place(server: _Server, tmp_path: Path, path: str = "/feed.json", **more: Any) -> Place:
    url = f"https://localhost:{server.server_address[1]}{path}"
    return Place("mine", url, ca=str(tmp_path / "tls" / "ca.pem"), **more)


def _advisories(db: Path) -> int:
    store = Store(db)
    try:
        return int(store.status()["advisories"])
    finally:
        store.close()


def test_what_has_not_changed_is_not_fetched_again(server: _Server, tmp_path: Path) -> None:
    db, place = tmp_path / "intel.db", _place(server, tmp_path)
    server.body = _secdb(3)
    ((first,), report) = update(db, [place])
    assert (first.state, first.records) == ("new", 3)
    assert report is not None and report.advisories == 3
    ((again,), nothing) = update(db, [place])
    assert (again.state, nothing) == ("same", None)
    assert server.asked[-1]["If-None-Match"] == '"1"'
    assert history(db, place).error == ""
    store = Store(db)
    (feed,) = store.status()["feeds"]
    store.close()
    assert feed["published_at"] == "2024-05-01T10:00:00.000Z", "the server's word, where the feed itself says nothing"
    assert due(db, [place]) == ()
    assert due(db, [_place(server, tmp_path, hours=0)]) != ()


def test_a_newer_one_takes_the_place_of_the_whole(server: _Server, tmp_path: Path) -> None:
    db, place = tmp_path / "intel.db", _place(server, tmp_path)
    server.body = _secdb(80)
    update(db, [place])
    server.body, server.etag = _secdb(70), '"2"'
    ((outcome,), _) = update(db, [place])
    assert outcome.state == "new"
    assert _advisories(db) == 70


def test_what_breaks_off_goes_on_from_there(server: _Server, tmp_path: Path) -> None:
    db, place = tmp_path / "intel.db", _place(server, tmp_path)
    server.body, server.cut = _secdb(500), 5000
    ((outcome,), _) = update(db, [place])
    assert outcome.state == "failed" and "5000" in outcome.why
    ((outcome,), _) = update(db, [place])
    assert server.asked[-1]["Range"] == "bytes=5000-"
    assert (outcome.state, _advisories(db)) == ("new", 500)


def test_a_part_of_what_has_changed_meanwhile_is_thrown_away(server: _Server, tmp_path: Path) -> None:
    db, place = tmp_path / "intel.db", _place(server, tmp_path)
    server.body, server.cut = _secdb(500), 5000
    update(db, [place])
    server.body, server.etag = _secdb(400), '"2"'
    ((outcome,), _) = update(db, [place])
    assert (outcome.state, _advisories(db)) == ("new", 400)


@pytest.mark.parametrize(
    "body", [b"<html>Maintenance</html>", b'{"distroversion": "v3", "reponame": [', b"", _secdb(9)]
)
def test_the_last_good_stays_when_the_new_one_is_broken_or_has_shrunk(
    server: _Server, tmp_path: Path, body: bytes
) -> None:
    db, place = tmp_path / "intel.db", _place(server, tmp_path)
    server.body = _secdb(100)
    update(db, [place])
    server.body, server.etag = body, '"2"'
    ((outcome,), _) = update(db, [place])
    assert not outcome.good and outcome.why
    assert _advisories(db) == 100
    assert history(db, place).error == outcome.why
    update(db, [place])
    assert server.asked[-1].get("If-None-Match") == '"1"', "the broken one is asked for again"
    server.body, server.etag = _secdb(101), '"3"'
    ((outcome,), _) = update(db, [place])
    assert (outcome.state, _advisories(db)) == ("new", 101)


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_an_answer_that_is_none_costs_nothing(server: _Server, tmp_path: Path, status: int) -> None:
    db, place = tmp_path / "intel.db", _place(server, tmp_path)
    server.body = _secdb(3)
    update(db, [place])
    server.status = status
    ((outcome,), _) = update(db, [place])
    assert outcome.state == "failed" and str(status) in outcome.why
    assert _advisories(db) == 3


def test_one_that_fails_costs_no_other(server: _Server, tmp_path: Path) -> None:
    db = tmp_path / "intel.db"
    server.body = _secdb(3)
    gone = Place("gone", "https://localhost:1/x")
    outcomes, _ = update(db, [gone, _place(server, tmp_path)])
    assert [(one.name, one.state) for one in outcomes] == [("gone", "failed"), ("mine", "new")]


def test_a_pointer_is_followed(server: _Server, tmp_path: Path) -> None:
    db, place = tmp_path / "intel.db", _place(server, tmp_path, "/latest.txt", kind="latest")
    server.body = _secdb(3)
    ((outcome,), _) = update(db, [place])
    assert outcome.state == "new"


def test_limits_certificates_and_weaker_addresses(server: _Server, tmp_path: Path) -> None:
    db = tmp_path / "intel.db"
    server.body = b"x" * (2 << 20)
    ((large,), _) = update(db, [_place(server, tmp_path, limit=1)])
    assert "1 MB" in large.why
    stranger = Place("mine", _place(server, tmp_path).url)
    ((unknown,), _) = update(db, [stranger])
    assert "certificate" in unknown.why.lower()
    server.location = f"http://localhost:{server.server_address[1]}/feed.json"
    ((weaker,), _) = update(db, [_place(server, tmp_path, "/moved")])
    assert "leads to http:" in weaker.why
    server.location = "file:///etc/passwd"
    ((local,), _) = update(db, [_place(server, tmp_path, "/moved")])
    assert local.state == "failed"
    assert not db.exists()


def test_two_updates_do_not_run_at_once(tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    with updating._alone(tmp_path / "feeds"), pytest.raises(SeawallError, match="another"):
        update(tmp_path / "intel.db", [])


def test_sources_are_a_list_that_a_file_changes(tmp_path: Path) -> None:
    for place in DEFAULTS:
        check(place)
    assert len({place.name for place in DEFAULTS}) == len(DEFAULTS)
    assert {place.name for place in chosen(DEFAULTS, ())} >= {"kev", "epss", "debian", "osv-npm"}
    (tmp_path / "intel.toml").write_text(
        '[[source]]\nname = "kev"\nurl = "https://mirror.example/kev.json"\n[[source]]\nname = "epss"\non = false\n'
        '[[source]]\nname = "own"\nurl = "https://mirror.example/x.zip"\nhours = 1\n'
    )
    known = {place.name: place for place in configured(tmp_path / "intel.db")}
    assert known["kev"].url == "https://mirror.example/kev.json" and known["kev"].hours == 6
    assert not known["epss"].on and known["own"].hours == 1
    with pytest.raises(SeawallError, match="nobody"):
        chosen(known.values(), ["nobody"])
    (tmp_path / "intel.toml").write_text('defaults = false\n[[source]]\nname = "a"\nurl = "https://x.example/"\n')
    assert [place.name for place in places(tmp_path / "intel.toml")] == ["a"]


@pytest.mark.parametrize(
    "text",
    ['[[source]]\nname = "a"', '[[source]]\nname = "../a"\nurl = "https://x/"', '[[source]]\nurl = "https://x/"',
     '[[source]]\nname = "a"\nurl = "file:///etc/passwd"', '[[source]]\nname = "kev"\nhours = "x"', "x = 1", "[[",
     '[[source]]\nname = "kev"\nkind = "magic"'],
)  # fmt: skip
def test_a_broken_file_of_sources_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "intel.toml").write_text(text)
    with pytest.raises(SeawallError):
        places(tmp_path / "intel.toml")
