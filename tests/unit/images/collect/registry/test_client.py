"""A registry that lies, stalls, breaks off and leads astray: nothing false is believed, nothing is told to others."""

import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archives import OS_RELEASE, digest, layer, status
from registries import Handler, Liar, lying
from seawall.core.errors import Hostile, SeawallError, Unreachable
from seawall.images.collect import sources
from seawall.images.collect.cache import Cache
from seawall.images.collect.reading import Reading
from seawall.images.collect.registry import client as registry
from seawall.images.collect.registry import web
from seawall.images.collect.registry.access import Access, Credentials
from seawall.images.collect.registry.client import Refused, Registry
from seawall.images.collect.streams import Budget
from seawall.images.model import Inventory

BASE = layer({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(bash="5.1"), "big": os.urandom(400_000)})
OPEN = Access(plain_http=True, timeout=5)


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying() as found:
        found.image([BASE])
        yield found


def scan(liar: Liar, name: str = "app:1", access: Access = OPEN, **more) -> Inventory:
    return sources.collect(f"registry:{liar.host}/{name}", Reading(access=access, **more))


def names(found: Inventory) -> list[str]:
    return [one.name for one in found.packages]


def blob(handler: Handler) -> bool:
    return "/blobs/" in handler.path and digest(BASE) in handler.path


def test_an_honest_one(liar: Liar) -> None:
    found = scan(liar)
    assert names(found) == ["bash"]
    assert found.skipped == ()
    assert found.digests == (f"{liar.host}/app@{liar.tags['1']}",)
    with Registry(liar.host, OPEN) as one:
        one.ping()
        assert list(one.repositories()) == ["app"]
        assert list(one.tags("app")) == ["1"]
        assert one.resolve("app", "1").image_id == found.config.id
        with pytest.raises(Refused) as refused:
            one.resolve("app", "none")
    assert refused.value.status == 404


def test_a_known_layer_and_a_known_image_are_not_asked_for(liar: Liar, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.db")
    first = scan(liar, cache=cache)
    liar.image([BASE, layer({"x": b"y"})], tag="2")
    liar.calls.clear()
    second = scan(liar, "app:2", cache=cache)
    assert names(second) == names(first)
    assert not any(digest(BASE) in path for path, _ in liar.calls)
    liar.calls.clear()
    again = scan(liar, "app:2", cache=cache)
    assert [path for path, _ in liar.calls] == ["/v2/app/manifests/2"]
    assert again.packages == second.packages
    assert again.stats["known"] == 1


def test_platforms(liar: Liar) -> None:
    other = liar.image([layer({"var/lib/dpkg/status": status(arm="1")})], tag="x", architecture="arm64")
    mine = liar.image([BASE], tag="y")
    attest = {**mine, "platform": {"os": "unknown", "architecture": "unknown"},
              "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}  # fmt: skip
    entries = [
        {**other, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {**mine, "platform": {"os": "linux", "architecture": "amd64"}},
        attest,
    ]
    liar.index(entries, "multi")
    assert names(scan(liar, "app:multi", platform="linux/arm64")) == ["arm"]
    assert names(scan(liar, "app:multi", platform="linux/x86_64")) == ["bash"]
    with pytest.raises(SeawallError, match="no image for linux/s390x") as refused:
        scan(liar, "app:multi", platform="linux/s390x")
    assert "linux/amd64" in refused.value.hint


@pytest.mark.parametrize("part", ["manifests", "config", "layer"])
def test_wrong_content_is_never_believed(liar: Liar, part: str) -> None:
    config = next(name for name, data in liar.blobs.items() if b"diff_ids" in data)
    wanted = {"manifests": liar.tags["1"], "config": config, "layer": digest(BASE)}[part]
    data = bytearray(liar.blobs[wanted])
    at = data.index(b"5.1") if part == "layer" else data.index(b"}")
    data[at : at + 1] = b"6" if part == "layer" else b" }"[:1]
    liar.blobs[wanted] = bytes(data)
    name = f"app@{wanted}" if part == "manifests" else "app:1"
    with pytest.raises(Hostile):
        scan(liar, name)


@pytest.mark.parametrize("more", [1, -1])
def test_a_wrong_size_is_never_believed(liar: Liar, more: int) -> None:
    manifest = json.loads(liar.blobs[liar.tags["1"]])
    manifest["layers"][0]["size"] += more
    liar.tags["1"] = liar.put(json.dumps(manifest).encode())["digest"]
    with pytest.raises(SeawallError, match=r"announced|longer|broke off"):
        scan(liar)


@pytest.mark.parametrize(
    "change",
    [
        {"layers": [{"digest": "sha256:../../x", "size": 1}]},
        {"layers": [{"digest": "md5:0", "size": 1}]},
        {"layers": [{"digest": "sha256:" + "0" * 64, "size": -1}]},
        {"layers": [{"digest": "sha256:" + "0" * 64, "size": 1 << 60}]},
        {"layers": [{"digest": "sha256:" + "0" * 64, "size": True}]},
        {"layers": {}},
        {"config": None},
        {"layers": [{}] * 5000},
        {"schemaVersion": 1, "fsLayers": []},
        {
            "config": {
                "mediaType": "application/vnd.cncf.helm.config.v1+json",
                "digest": "sha256:" + "0" * 64,
                "size": 2,
            }
        },
    ],
)
def test_manifests_that_make_no_sense(liar: Liar, change: dict) -> None:
    manifest = json.loads(liar.blobs[liar.tags["1"]])
    liar.tags["1"] = liar.put(json.dumps({**manifest, **change}).encode())["digest"]
    with pytest.raises(SeawallError):
        scan(liar)


def test_it_goes_on_where_the_line_broke(liar: Liar) -> None:
    seen = []

    def cut(handler: Handler) -> bool:
        if not blob(handler) or len(seen) >= 3:
            return False
        asked = handler.headers.get("Range")
        seen.append(asked)
        begin = int(asked[6:-1]) if asked else 0
        headers = {"Content-Range": f"bytes {begin}-{len(BASE) - 1}/{len(BASE)}"} if asked else {}
        handler.send(206 if asked else 200, BASE[begin:], headers, cut=100_000)
        return True

    liar.lie = cut
    assert names(scan(liar)) == ["bash"]
    assert seen[0] is None
    assert seen[1].startswith("bytes=")


def test_a_registry_that_starts_again_from_the_beginning(liar: Liar) -> None:
    seen = []

    def cut(handler: Handler) -> bool:
        if not blob(handler):
            return False
        seen.append(handler.headers.get("Range"))
        handler.send(200, BASE, cut=100_000 if len(seen) == 1 else None)
        return True

    liar.lie = cut
    assert names(scan(liar)) == ["bash"]
    assert len(seen) == 2


def test_one_that_always_breaks_off_and_one_that_goes_on_elsewhere(liar: Liar) -> None:
    def broken(handler: Handler) -> bool:
        if blob(handler):
            handler.send(
                206 if handler.headers.get("Range") else 200, BASE, {"Content-Range": "bytes 5-9/10"}, cut=9000
            )
        return blob(handler)

    liar.lie = broken
    with pytest.raises(SeawallError, match=r"another place|broke off"):
        scan(liar)


def test_too_many_requests(liar: Liar) -> None:
    answers = iter([429, 503])

    def busy(handler: Handler) -> bool:
        status_ = next(answers, None)
        if status_ is not None:
            handler.send(status_, b"", {"Retry-After": "0"})
        return status_ is not None

    liar.lie = busy
    assert names(scan(liar)) == ["bash"]
    liar.lie = lambda handler: handler.send(429, b"", {"Retry-After": "86400"}) or True
    with pytest.raises(Unreachable, match="come again in 86400 s"):
        scan(liar)


def test_retry_after() -> None:
    assert web.retry_after("7") == 7
    assert web.retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert web.retry_after("soon") is None


def test_a_slow_one_ends_with_the_time(liar: Liar) -> None:
    def slow(handler: Handler) -> bool:
        if blob(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(BASE)))
            handler.end_headers()
            try:
                for one in BASE:
                    handler.wfile.write(bytes([one]))
                    time.sleep(0.1)
            except OSError:
                pass
        return blob(handler)

    liar.lie = slow
    began = time.monotonic()
    with pytest.raises(SeawallError, match=r"took longer|too long|is over"):
        scan(liar, budget=Budget(seconds=1))
    assert time.monotonic() - began < 60


def test_redirects_take_no_secret_along(liar: Liar) -> None:
    with lying() as other:
        other.blobs = liar.blobs
        access = Access(plain_http=True, credentials=Credentials("me", "secret"))

        def away(handler: Handler) -> bool:
            if "Authorization" not in handler.headers:
                handler.send(401, b"", {"WWW-Authenticate": "Basic realm=x"})
                return True
            if "/blobs/" in handler.path:
                handler.send(307, b"", {"Location": f"http://{other.host}/x/{handler.path.rpartition('/')[2]}"})
            return "/blobs/" in handler.path

        liar.lie = away
        assert names(scan(liar, access=access)) == ["bash"]
        assert other.calls
        assert not any("authorization" in {name.lower() for name in headers} for _, headers in other.calls)


@pytest.mark.parametrize(
    "to",
    ["http://169.254.169.254/latest/meta-data", "http://[fe80::1]/x", "http://[::ffff:169.254.169.254]/", "http://0.0.0.0/",
     "file:///etc/passwd", "ftp://127.0.0.1/", "http://a:b@127.0.0.1/", "gopher://x", "http://127.0.0.1:99999/", "//",
     "http://224.0.0.1/", "http://100.100.100.200/"],
)  # fmt: skip
def test_redirects_to_forbidden_places(liar: Liar, to: str) -> None:
    liar.lie = lambda handler: bool(blob(handler) and (handler.send(302, b"", {"Location": to}) or True))
    with pytest.raises(SeawallError):
        scan(liar)


def test_what_is_outside_does_not_lead_inside() -> None:
    found = web.Web(OPEN)
    found._check(web.address("http://registry.example/"), ["8.8.8.8", "2001:4860::1"])
    for inside in ("10.0.0.1", "127.0.0.1", "fd12::1"):
        with pytest.raises(Hostile, match="inside"):
            found._check(web.address("http://registry.example/"), [inside])


def test_redirects_without_end(liar: Liar) -> None:
    liar.lie = lambda handler: handler.send(302, b"", {"Location": handler.path}) or True
    with pytest.raises(Hostile, match="without end"):
        scan(liar)


@pytest.mark.parametrize("kind", ["circle", "endless", "elsewhere", "huge"])
def test_endless_pages(liar: Liar, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MAX_PAGES", 20)
    monkeypatch.setattr(registry, "MAX_PAGE", 100_000)
    count = iter(range(1 << 30))

    def pages(handler: Handler) -> bool:
        number = next(count)
        to = {"circle": handler.path, "elsewhere": "http://127.0.0.1:1/v2/x"}.get(
            kind, f"/v2/app/tags/list?last={number}"
        )
        tags = ["x"] * 50_000 if kind == "huge" else [f"t{number}"]
        handler.send(200, json.dumps({"tags": tags}).encode(), {"Link": f'<{to}>; rel="next"'})
        return True

    liar.lie = pages
    with Registry(liar.host, OPEN) as one, pytest.raises(Hostile):
        list(one.tags("app"))


def test_tags_over_pages_and_more_than_wanted(liar: Liar) -> None:
    def pages(handler: Handler) -> bool:
        last = "last=b" in handler.path
        link = {} if last else {"Link": "</v2/app/tags/list?n=2&last=b>; rel=next"}
        tags = ["c", "b"] if last else ["a", "b", "no tag", 7]
        handler.send(200, json.dumps({"tags": tags}).encode(), link)
        return True

    liar.lie = pages
    with Registry(liar.host, OPEN) as one:
        assert list(one.tags("app")) == ["a", "b", "c"]
        with pytest.raises(Hostile, match="more than 2"):
            list(one.tags("app", 2))


def test_tokens(liar: Liar) -> None:
    access = Access(plain_http=True, credentials=Credentials("me", "secret"))

    def guarded(handler: Handler) -> bool:
        if handler.path.startswith("/token"):
            basic = "Basic " + base64.b64encode(b"me:secret").decode()
            right = handler.headers.get("Authorization") == basic and "scope=repository%3Aapp%3Apull" in handler.path
            handler.send(200 if right else 401, json.dumps({"token": "t0ken"}).encode())
            return True
        if handler.headers.get("Authorization") == "Bearer t0ken":
            return False
        realm = f'Bearer realm="http://{handler.liar.host}/token",service="s",scope="repository:app:pull"'
        handler.send(401, b"{}", {"WWW-Authenticate": realm})
        return True

    liar.lie = guarded
    assert names(scan(liar, access=access)) == ["bash"]
    assert sum(path.startswith("/token") for path, _ in liar.calls) == 1
    with pytest.raises(Refused) as refused:
        scan(liar, access=Access(plain_http=True, credentials=Credentials("me", "wrong")))
    assert refused.value.status == 401
    assert "secret" not in str(refused.value)


def test_an_identity_token_buys_access_tokens(liar: Liar) -> None:
    def guarded(handler: Handler) -> bool:
        if handler.path.startswith("/token"):
            body = handler.rfile.read(int(handler.headers["Content-Length"]))
            right = handler.command == "POST" and b"refresh_token=refresh" in body
            handler.send(200 if right else 400, json.dumps({"access_token": "t"}).encode())
            return True
        if handler.headers.get("Authorization") == "Bearer t":
            return False
        handler.send(401, b"{}", {"WWW-Authenticate": f'Bearer realm="http://{handler.liar.host}/token"'})
        return True

    liar.lie = guarded
    access = Access(plain_http=True, credentials=Credentials(identity="refresh"))
    assert names(scan(liar, access=access)) == ["bash"]


def test_credentials_stay_when_another_domain_wants_them(liar: Liar) -> None:
    realm = 'Bearer realm="http://localhost:1/token"'
    liar.lie = lambda handler: handler.send(401, b"{}", {"WWW-Authenticate": realm}) or True
    with pytest.raises(SeawallError, match="of another domain"):
        scan(liar, access=Access(plain_http=True, credentials=Credentials("me", "secret")))


@pytest.mark.parametrize("token", ["", "a b", "x\r\nHost: y", 7, None, "é"])
def test_tokens_that_are_none(liar: Liar, token: object) -> None:
    def odd(handler: Handler) -> bool:
        if handler.path.startswith("/token"):
            handler.send(200, json.dumps({"token": token}).encode())
        else:
            handler.send(401, b"{}", {"WWW-Authenticate": f'Bearer realm="http://{handler.liar.host}/token"'})
        return True

    liar.lie = odd
    with pytest.raises(Hostile, match="no token"):
        scan(liar)


def test_mirrors_come_first_and_never_hear_who_asks(liar: Liar) -> None:
    access = Access(plain_http=True, credentials=Credentials("me", "secret"))
    with lying() as mirror:
        mirror.blobs, mirror.tags = liar.blobs, dict(liar.tags)
        told = sources.collect(
            f"registry:{liar.host}/app:1",
            Reading(access=Access(**{**_fields(access), "mirrors": (mirror.host + "/hub",)})),
        )
        assert names(told) == ["bash"]
        assert not liar.calls
        assert all(path.startswith("/v2/hub/app/") for path, _ in mirror.calls)
        mirror.tags.clear()
        again = sources.collect(
            f"registry:{liar.host}/app:1", Reading(access=Access(**{**_fields(access), "mirrors": (mirror.host,)}))
        )
        assert names(again) == ["bash"]
        assert liar.calls


def _fields(access: Access) -> dict:
    return {name: getattr(access, name) for name in Access.__slots__}


@pytest.mark.parametrize("rubbish", [b"", b"{", b"[]", b"null", b'{"manifests": 3}', b"[" * 100_000, os.urandom(5000)])
def test_rubbish_for_a_manifest(liar: Liar, rubbish: bytes) -> None:
    liar.lie = lambda handler: handler.send(200, rubbish) or True
    with pytest.raises(SeawallError):
        scan(liar)
    with Registry(liar.host, OPEN) as one, pytest.raises(SeawallError):
        list(one.tags("app"))
        raise SeawallError("an empty list is an answer too")
