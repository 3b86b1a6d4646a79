"""The console's files: packed ones, cached for ever or never, the application for every other path, nothing above."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from seawall.server import static, web


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>app</title>")
    (folder / "assets" / "app-1a2b.js").write_text("plain")
    (folder / "assets" / "app-1a2b.js.br").write_bytes(b"packed")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    app = FastAPI(openapi_url=None)
    web.add_errors(app)
    app.include_router(static.router(folder))
    return TestClient(app)


def test_packed_files_go_to_those_who_take_them(client: TestClient) -> None:
    packed = client.get("/assets/app-1a2b.js", headers={"Accept-Encoding": "zstd, br;q=0.9"})
    assert packed.headers["content-encoding"] == "br"
    assert packed.headers["content-type"].startswith("text/javascript")
    assert "immutable" in packed.headers["cache-control"]
    plain = client.get("/assets/app-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == "plain"
    assert plain.headers["vary"] == "Accept-Encoding"


def test_every_page_is_the_application(client: TestClient) -> None:
    for path in ("/", "/images", "/images/sha256:1/packages"):
        page = client.get(path)
        assert (page.status_code, page.text) == (200, "<title>app</title>")
        assert page.headers["cache-control"] == "no-cache"


def test_a_name_with_dots_is_a_page_for_those_who_ask_for_one(client: TestClient) -> None:
    path = "/baseline/docker/checks/docker-5.12"
    assert client.get(path, headers={"Accept": "text/html,*/*;q=0.8"}).text == "<title>app</title>"
    assert client.get(path, headers={"Accept": "*/*"}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/assets/gone.css",
        "/link.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/a%00b.js",
        "/api/v2/x",
    ],
)
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    found = client.get(path)
    assert found.status_code in (200, 404)
    assert "secret" not in found.text or found.status_code == 404


def test_without_a_console_the_page_says_so(tmp_path: Path) -> None:
    app = FastAPI(openapi_url=None)
    app.include_router(static.router(tmp_path / "none"))
    page = TestClient(app).get("/")
    assert page.status_code == 503
    assert "make build" in page.text
