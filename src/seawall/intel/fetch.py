"""Fetches a feed: only when it has changed, with limits of time and size, going on where it was cut off."""

import json
import os
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from seawall.core.errors import SeawallError, Unreachable
from seawall.intel.places import Place

SILENCE = 60.0
"""Seconds without a byte."""
LONGEST = 3600.0
"""Seconds that one feed may take."""
MAX_POINTER = 4096
MAX_REDIRECTS = 5
PIECE = 1 << 18
AGENT = "seawall-intel"
_FILE = re.compile(r"[\w.+-]+")


@dataclass(slots=True)
class Kept:
    """What is known of a feed's last fetch; kept beside it as JSON."""

    url: str = ""
    etag: str = ""
    modified: str = ""
    """Last-Modified, as the peer writes it."""
    checked_at: float = 0.0
    """Unix time of the last look, new or not."""
    fetched_at: float = 0.0
    size: int = 0
    error: str = ""
    """Why the last look failed; "" when it did not."""
    part_etag: str = ""
    """Of what the unfinished file is a part."""


def load(file: Path) -> Kept:
    """What was kept; nothing when it cannot be read."""
    try:
        said = json.loads(file.read_bytes())
        return Kept(**{key: value for key, value in said.items() if key in Kept.__dataclass_fields__})
    except (OSError, ValueError, TypeError, AttributeError):
        return Kept()


def save(file: Path, kept: Kept) -> None:
    """Keep it, whole or not at all."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text(json.dumps(asdict(kept), indent=1))
    beside.replace(file)


class _Redirects(HTTPRedirectHandler):
    """Follows a few, and never from https to something weaker."""

    max_redirections = MAX_REDIRECTS

    def redirect_request(self, *args: Any, **more: Any) -> Request | None:
        """See urllib."""
        request, new = cast(Request, args[0]), str(args[5])
        allowed = ("https",) if urlsplit(request.full_url).scheme == "https" else ("https", "http")
        if urlsplit(new).scheme not in allowed:
            raise URLError(f"it leads to {new[:80]}")
        return super().redirect_request(*args, **more)


def fetch(place: Place, target: Path, kept: Kept, progress: Callable[[str, int], None]) -> bool:
    """Bring the feed to `target`; False when it has not changed, and `target` is not touched. `kept` is brought up to
    date. Raises Unreachable when the peer cannot be reached or breaks off (a part of the feed is kept for the next
    time), SeawallError for what is too large or not to be had."""
    url = place.url
    if place.kind == "latest":
        named = _pointed(place)
        if not _FILE.fullmatch(named):
            raise SeawallError(f"{place.name}: {url} names no file", "is it still the right address?")
        url = urljoin(url, named)
    part = target.with_name(f"{target.name}.part")
    at = part.stat().st_size if part.exists() and kept.part_etag else 0
    request = Request(url)  # noqa: S310 (its scheme is checked)
    if at:
        request.add_header("Range", f"bytes={at}-")
        request.add_header("If-Range", kept.part_etag)
    elif kept.url == url:
        if kept.etag:
            request.add_header("If-None-Match", kept.etag)
        if kept.modified:
            request.add_header("If-Modified-Since", kept.modified)
    try:
        answer = _open(place, request)
    except HTTPError as error:
        if error.code == 304:
            return False
        part.unlink(missing_ok=True)
        kept.part_etag = ""
        raise SeawallError(f"{place.name}: {url} answers {error.code} {error.reason}", _mend(error.code)) from error
    with answer:
        _receive(place, answer, part, kept, progress)
        etag = answer.headers.get("ETag", "")
        part.replace(target)
        kept.url, kept.etag, kept.modified = url, etag, answer.headers.get("Last-Modified", "")
    kept.part_etag = ""
    kept.size = target.stat().st_size
    kept.fetched_at = time.time()
    return True


def _pointed(place: Place) -> str:
    try:
        with _open(place, Request(place.url)) as answer:  # noqa: S310
            return answer.read(MAX_POINTER).decode("utf-8", "replace").strip()
    except HTTPError as error:
        raise SeawallError(
            f"{place.name}: {place.url} answers {error.code} {error.reason}", _mend(error.code)
        ) from error
    except (OSError, HTTPException) as error:
        raise Unreachable(f"{place.name}: {_why(error)}") from error


def _receive(place: Place, answer: HTTPResponse, part: Path, kept: Kept, progress: Callable[[str, int], None]) -> None:
    """Write the answer, after what is there already when the peer goes on from it."""
    at = part.stat().st_size if answer.status == 206 else 0
    etag, length = answer.headers.get("ETag", ""), answer.headers.get("Content-Length", "")
    kept.part_etag = "" if etag.startswith("W/") else etag
    size = at
    end = time.monotonic() + LONGEST
    over = length.isdecimal() and at + int(length) > place.limit << 20
    try:
        with part.open("ab" if at else "wb") as file:
            while not over and (piece := answer.read1(PIECE)):
                size += len(piece)
                over = size > place.limit << 20
                if time.monotonic() > end:
                    raise TimeoutError(f"not done in {LONGEST:.0f} s")
                file.write(piece)
                progress(place.name, size)
            file.flush()
            os.fsync(file.fileno())
        if length.isdecimal() and size < at + int(length) and not over:
            raise ConnectionError("cut off")
    except (OSError, HTTPException) as error:
        raise Unreachable(f"{place.name}: {_why(error)} after {size} bytes", _GOES_ON) from error
    if over:
        part.unlink(missing_ok=True)
        kept.part_etag = ""
        raise SeawallError(f"{place.name}: more than {place.limit} MB", _LARGER)


_GOES_ON = "the next update goes on from there; the last good data stay in use"
_LARGER = "limit = MEGABYTES of the source in intel.toml allows more"


def _open(place: Place, request: Request) -> HTTPResponse:
    request.add_header("User-Agent", AGENT)
    request.add_header("Accept-Encoding", "identity")
    try:
        context = ssl.create_default_context(cafile=place.ca or None)
        opener = build_opener(ProxyHandler(), HTTPSHandler(context=context), _Redirects())
        return cast(HTTPResponse, opener.open(request, timeout=SILENCE))
    except HTTPError:
        raise
    except (OSError, HTTPException) as error:
        raise Unreachable(f"{place.name}: cannot reach {request.full_url}: {_why(error)}", _PROXY) from error


_PROXY = "https_proxy and no_proxy are honoured; ca = FILE of the source in intel.toml names certificates to believe"


def _why(error: Exception) -> str:
    return str(error.reason) if isinstance(error, URLError) else str(error) or type(error).__name__


def _mend(code: int) -> str:
    if code == 404:
        return "is it still the right address? intel.toml changes or ends a source"
    return "it may be busy: the last good data stay in use" if code in (429, 500, 502, 503, 504) else ""
