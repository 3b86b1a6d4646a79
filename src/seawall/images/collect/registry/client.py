"""A registry by the distribution protocol: who may enter, what it has, its blobs. Source: OCI distribution-spec.

Digests are held against contents by `blobs`; here it is only asked for them, and asked again where a line breaks.
"""

import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

from seawall.core.errors import Hostile, SeawallError, Unreachable
from seawall.images.collect import blobs, config, manifests, streams
from seawall.images.collect.manifests import INDEXES, MANIFESTS, Descriptor, Manifest
from seawall.images.collect.registry import challenge, names
from seawall.images.collect.registry.access import Access, Credentials
from seawall.images.collect.registry.web import Address, Web, address
from seawall.images.collect.tar import Reader
from seawall.node.http import Answer

MAX_PAGE = 8 << 20
MAX_PAGES = 2000
MAX_NAMES = 100_000
MAX_TOKEN = 64 << 10
MAX_RESUMES, MAX_STALLED = 20, 3
"""How often one blob is asked for again, and how often in a row without a byte more."""
PAGE = 1000
_ACCEPT = ", ".join((*MANIFESTS, *INDEXES))
_NEXT = re.compile(r'<([^<>]{1,4096})>\s*;\s*rel="?next"?')
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)")


class Refused(SeawallError):
    """The registry answered, and it was a no."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a tag means, at the moment it was asked."""

    digest: str
    """Of the image's manifest: of one platform."""
    index_digest: str
    """Of what the tag names: the index where there are several platforms, else the same."""
    image_id: str
    """Digest of the configuration."""
    size: int
    """Bytes of all packed layers."""
    manifest: Manifest


class Registry:
    """One registry, as somebody. Not for two threads at a time; `close` it, or use it in a `with`."""

    def __init__(self, host: str, access: Access | None = None, until: float | None = None) -> None:
        """`host` may carry a prefix of repositories (mirrors); `until`: monotonic seconds at which everything ends."""
        host, _, prefix = host.partition("/")
        if not names.is_host(host) or (prefix and not names.is_repository(prefix)):
            raise SeawallError(f"{host[:200]!r} is no name of a registry")
        self.host = host
        self.access = access or Access()
        self._prefix = f"{prefix}/" if prefix else ""
        scheme = "http" if self.access.plain_http else "https"
        self._base = f"{scheme}://{names.HUB_HOST if host == names.HUB else host}"
        self._web = Web(self.access, until)
        self._headers: dict[str, str] = {}
        """Scope → the header that opened it."""
        self._manifests: dict[tuple[str, str], bytes] = {}
        self._credentials: Credentials | None = None
        self._asked_credentials = False

    def __enter__(self) -> "Registry":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._web.close()

    def ping(self) -> None:
        """Raises Unreachable, Refused (wrong password), or SeawallError when no registry answers there."""
        answer = self._open("GET", "/v2/", "")
        self._whole(answer, MAX_PAGE)

    def repositories(self, most: int = MAX_NAMES) -> Iterator[str]:
        """All that the registry lists; many list none to ordinary users (Refused)."""
        pages = self._pages(f"/v2/_catalog?n={PAGE}", "registry:catalog:*", "repositories")
        return self._bounded((one for one in pages if names.is_repository(one)), most)

    def tags(self, repository: str, most: int = MAX_NAMES) -> Iterator[str]:
        """All tags of a repository, in the registry's order."""
        path = f"/v2/{self._path(repository)}/tags/list?n={PAGE}"
        pages = self._pages(path, self._pull(repository), "tags")
        return self._bounded((one for one in pages if names.is_tag(one)), most)

    def resolve(self, repository: str, wanted: str, platform: str = "") -> Resolved:
        """What a tag or digest names. Raises Refused (404) when there is nothing."""
        start = self.head(repository, wanted)
        found, at = blobs.manifest(self.blobs(repository), start, platform)
        size = sum(one.size for one in found.layers)
        return Resolved(at.digest, start.digest, found.config.digest, size, found)

    def head(self, repository: str, wanted: str) -> Descriptor:
        """The digest and size behind a tag: its manifest is read for them, as registries' own words may be wrong."""
        data = self.manifest(repository, wanted)
        if names.is_digest(wanted):
            algorithm, _, value = wanted.partition(":")
            if hashlib.new(algorithm, data).hexdigest() != value:
                raise Hostile(f"{self.host} gave another manifest than {wanted}")
            return Descriptor(wanted, len(data), MANIFESTS[0])
        return Descriptor(blobs.digest(data), len(data), MANIFESTS[0])

    def blobs(self, repository: str) -> "Stored":
        """The contents of a repository."""
        return Stored(self, repository)

    def manifest(self, repository: str, wanted: str) -> bytes:
        """A manifest or index as it is written, by tag or digest. Digests are not checked here."""
        if (repository, wanted) in self._manifests:
            return self._manifests[repository, wanted]
        path = f"/v2/{self._path(repository)}/manifests/{wanted}"
        answer = self._open("GET", path, self._pull(repository), {"Accept": _ACCEPT})
        data = self._whole(answer, manifests.MAX_DOCUMENT)
        self._manifests = {(repository, blobs.digest(data)): data}  # who asks for a tag asks for its digest next
        return data

    def _path(self, repository: str) -> str:
        if not names.is_repository(repository):
            raise SeawallError(f"{repository[:200]!r} is no repository")
        return self._prefix + repository

    def _pull(self, repository: str) -> str:
        return f"repository:{self._path(repository)}:pull"

    def _pages(self, path: str, scope: str, key: str) -> Iterator[str]:
        """Each page's names. Raises Hostile when pages go in a circle, or never end."""
        seen = set()
        for _ in range(MAX_PAGES):
            seen.add(path)
            answer = self._open("GET", path, scope)
            listed = config.parse(self._whole(answer, MAX_PAGE)).get(key)
            yield from (one for one in listed or [] if isinstance(one, str)) if isinstance(listed, list | None) else ()
            match = _NEXT.search(answer.headers.get("link", ""))
            if match is None:
                return
            to = address(urljoin(self._base + path, match[1]))
            if to.origin != address(self._base).origin or not to.path.startswith("/v2/"):
                raise Hostile(f"{self.host} says that its next page is elsewhere, at {to.shown}")
            path = to.path
            if path in seen:
                break
        raise Hostile(f"{self.host} lists pages without end")

    def _bounded(self, found: Iterator[str], most: int) -> Iterator[str]:
        seen: set[str] = set()
        for name in found:
            if name in seen:
                continue
            if len(seen) >= most:
                raise Hostile(f"{self.host} lists more than {most} names")
            seen.add(name)
            yield name

    def _whole(self, answer: Answer, limit: int) -> bytes:
        try:
            data = answer.read(limit + 1)
        except OSError as error:
            raise Unreachable(f"{self.host}: {error}") from error
        if len(data) > limit:
            raise Hostile(f"{self.host} gave an answer of more than {limit} bytes")
        return data

    def _open(self, method: str, path: str, scope: str, headers: Mapping[str, str] | None = None) -> Answer:
        """An answer that is a yes. Raises Refused for a no."""
        url = self._base + path
        for again in (False, True):
            sent = dict(headers or {})
            if self._headers.get(scope):
                sent["Authorization"] = self._headers[scope]
            answer, at = self._web.call(method, url, sent)
            if answer.status != 401 or again or at.origin != address(url).origin:
                break
            offered = challenge.parse(answer.headers.get("www-authenticate", ""))
            self._whole(answer, MAX_TOKEN)
            self._headers[scope] = self._enter(offered, scope)
        if answer.status in (200, 206):
            return answer
        raise self._refused(answer, path)

    def _refused(self, answer: Answer, path: str) -> Refused:
        try:
            first = config.parse(self._whole(answer, MAX_TOKEN))["errors"][0]
            why = " ".join(str(first.get(key, "")) for key in ("code", "message")).strip()
        except (Hostile, Unreachable, LookupError, TypeError, AttributeError):
            why = ""
        shown = re.sub(r"[^\x20-\x7e]", "?", why)[:300] or "no reason given"
        hint = ""
        if answer.status in (401, 403):
            hint = "--username, with the password in SEAWALL_REGISTRY_PASSWORD; or docker login"
        elif answer.status == 404:
            hint = "is it spelled as the registry has it?"
        place = path.partition("?")[0].removeprefix("/v2/").strip("/")
        return Refused(answer.status, f"{self.host} answered {answer.status} for {place or 'the door'}: {shown}", hint)

    def _enter(self, offered: list[challenge.Challenge], scope: str) -> str:
        """The Authorization header that should open. Raises Refused when there is none."""
        if not self._asked_credentials:
            self._credentials, self._asked_credentials = self.access.of(self.host), True
        own = self._credentials
        if own is not None and own.bearer:
            return f"Bearer {own.bearer}"
        for one in offered:
            if one.scheme == "bearer" and "realm" in one.fields:
                return f"Bearer {self._token(one.fields, scope)}"
        if any(one.scheme == "basic" for one in offered) and own is not None and own.username:
            return own.basic()
        raise Refused(
            401,
            f"{self.host} wants to know who asks",
            "--username, with the password in SEAWALL_REGISTRY_PASSWORD; or docker login",
        )

    def _token(self, fields: Mapping[str, str], scope: str) -> str:
        realm = address(urljoin(self._base, fields["realm"]))
        home = address(self._base)
        if home.scheme == "https" and realm.scheme != "https":
            raise Hostile(f"{self.host} wants the credentials to be shown without TLS, at {realm.shown}")
        own = self._credentials
        if own is not None and not challenge.akin(realm.host, home.host) and realm.host not in self.access.token_hosts:
            raise SeawallError(
                f"{self.host} sends for tokens to {realm.shown}, of another domain; the credentials stay here",
                f"--token-host {realm.host} says that it may have them",
            )
        query = {"service": fields.get("service", ""), "scope": fields.get("scope") or scope}
        query = {key: value for key, value in query.items() if value}
        answer = self._ask_token(realm, query, own)
        if answer.status != 200:
            raise self._refused(answer, "/v2/token")
        found = config.parse(self._whole(answer, MAX_TOKEN))
        token = found.get("token") or found.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
            raise Hostile(f"{realm.shown} gave no token that could be one")
        return token

    def _ask_token(self, realm: Address, query: Mapping[str, str], own: Credentials | None) -> Answer:
        url = f"{realm.scheme}://{realm.shown}{realm.path}"
        if own is not None and own.identity:
            form = urlencode({**query, "grant_type": "refresh_token", "client_id": "seawall",
                              "refresh_token": own.identity}).encode()  # fmt: skip
            sent = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._web.call("POST", url, sent, body=form)[0]
        sent = {"Authorization": own.basic()} if own is not None and own.username else {}
        return self._web.call("GET", f"{url}{'&' if '?' in url else '?'}{urlencode(query)}", sent)[0]

    def open_blob(self, repository: str, wanted: Descriptor, at: int) -> Answer:
        """A blob's bytes from a place on. Raises Refused, Unreachable, Hostile."""
        path = f"/v2/{self._path(repository)}/blobs/{wanted.digest}"
        headers = {"Range": f"bytes={at}-"} if at else {}
        answer = self._open("GET", path, self._pull(repository), headers)
        if at and answer.status == 206:
            match = _RANGE.fullmatch(answer.headers.get("content-range", ""))
            if match is None or int(match[1]) != at:
                raise Hostile(f"{self.host} went on at another place than asked, in {wanted.digest}")
        elif at:
            self._pass(answer, at)
        return answer

    def _pass(self, answer: Answer, size: int) -> None:
        """Over what is had already, where a registry starts again from the beginning."""
        while size > 0 and (part := answer.read(min(size, streams.CHUNK))):
            size -= len(part)


class Stored:
    """A repository's contents."""

    def __init__(self, registry: Registry, repository: str) -> None:
        self._registry = registry
        self._repository = repository

    @contextmanager
    def open(self, wanted: Descriptor) -> Iterator[Reader]:
        """A manifest or blob as it comes."""
        if wanted.media_type in (*MANIFESTS, *INDEXES):
            yield io.BytesIO(self._registry.manifest(self._repository, wanted.digest))
        else:
            yield Resumed(lambda at: self._registry.open_blob(self._repository, wanted, at), wanted.size)


class Resumed:
    """Reads a blob and goes on where a line broke."""

    def __init__(self, open: Callable[[int], Answer], size: int) -> None:
        self._open = open
        self._size = size
        self._at = 0
        self._answer: Answer | None = None
        self._resumes = self._stalled = 0

    def read(self, size: int, /) -> bytes:
        """Raises Unreachable when the registry breaks off too often."""
        while True:
            try:
                if self._answer is None:
                    self._answer = self._open(self._at)
                data = self._answer.read(size)
                if not data and size and 0 < self._at < self._size:
                    raise ConnectionError("the registry ended a blob early")
            except (OSError, Unreachable) as error:
                self._again(error)
                continue
            self._at += len(data)
            self._stalled = 0
            return data

    def _again(self, error: Exception) -> None:
        self._answer = None
        self._resumes += 1
        self._stalled += 1
        if not self._at or self._resumes > MAX_RESUMES or self._stalled > MAX_STALLED:
            raise Unreachable(f"a blob broke off at byte {self._at}: {error}") from error
        time.sleep(0.1 * 2**self._stalled)
