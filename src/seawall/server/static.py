"""The console's built files: compressed beforehand, named by content, so browsers keep them for ever."""

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from seawall.lists import Refused

FOLDER = Path(__file__).parent / "static"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
FOREVER = "public, max-age=31536000, immutable"

ABSENT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Seawall</title>
<h1>Seawall</h1><p>The server works; the console is not built yet. In a checkout, <code>make build</code> does it.</p>
<p>The API is at <a href="/api/openapi.json">/api/openapi.json</a>.</p></html>"""


def router(folder: Path = FOLDER) -> APIRouter:
    """Serve `folder`; every path that is no file is the single-page application."""
    routes = APIRouter()

    @routes.get("/{path:path}", include_in_schema=False)
    def serve(path: str, request: Request) -> Response:
        if path.startswith(("api/", "v1/", "install/")):
            raise Refused(f"there is nothing at /{path}", "see /api/openapi.json", 404)
        file = _file(folder, path)
        if file is not None:
            return _sent(file, request, FOREVER if path.startswith("assets/") else "no-cache")
        # Names of checks have dots too: a person's browser asks for a page, a page asks for anything but one.
        if "." in path.rpartition("/")[2] and "text/html" not in request.headers.get("accept", ""):
            raise Refused(f"there is no file /{path}", status=404)
        index = _file(folder, "index.html")
        if index is None:
            return HTMLResponse(ABSENT, 503)
        return _sent(index, request, "no-cache")

    return routes


def _file(folder: Path, path: str) -> Path | None:
    """The file at `path` below `folder`, and nothing above it."""
    if not path or "\0" in path:
        return None
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def _sent(file: Path, request: Request, cache: str) -> Response:
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
    media = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    accepted = {word.partition(";")[0].strip() for word in request.headers.get("accept-encoding", "").split(",")}
    for encoding, suffix in ENCODINGS:
        packed = file.with_name(file.name + suffix)
        if encoding in accepted and packed.is_file():
            return FileResponse(packed, media_type=media, headers={**headers, "Content-Encoding": encoding})
    return FileResponse(file, media_type=media, headers=headers)
