"""Names of images in registries. Source: the distribution project's reference grammar; Docker's short names.

`nginx` is docker.io/library/nginx:latest; a first part with a full stop or a colon, or `localhost`, is a host.
"""

import re
from dataclasses import dataclass

from seawall.core.errors import SeawallError

HUB, HUB_HOST = "docker.io", "registry-1.docker.io"
MAX_NAME = 255
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:.]+\])(?::\d{{1,5}})?")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One image of one registry."""

    host: str
    """As people write it, with a port where it has one: docker.io, harbor.example:8443."""
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def wanted(self) -> str:
        """What a manifest is asked for by: the digest pins, whatever the tag says."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.repository}{tag}{'@' if self.digest else ''}{self.digest}"


def parse(text: str) -> Reference:
    """Raises SeawallError when the text is no name of an image."""
    rest = text.removeprefix("//")
    rest, at, digest = rest.partition("@")
    if at and not is_digest(digest):
        raise SeawallError(f"{text[:200]!r}: {digest[:100]!r} is no digest", "for example …@sha256: and 64 hex digits")
    host, slash, path = rest.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, path = HUB, rest
    before, colon, tag = path.rpartition(":")
    repository = before if colon else path
    if not colon:
        tag = ""
    if host in ("index.docker.io", HUB_HOST):
        host = HUB
    if host == HUB and "/" not in repository:
        repository = f"library/{repository}"
    if colon and not _TAG.fullmatch(tag):
        raise SeawallError(f"{text[:200]!r}: {tag[:100]!r} is no tag")
    if not _HOST.fullmatch(host) or len(repository) > MAX_NAME or not _REPOSITORY.fullmatch(repository):
        raise SeawallError(f"{text[:200]!r} is no name of an image", "HOST/REPOSITORY:TAG, names in lower case")
    return Reference(host, repository, tag or ("" if digest else "latest"), digest)


def is_digest(text: str) -> bool:
    """Of an algorithm that is checked here."""
    return _DIGEST.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """As a registry may list it."""
    return len(text) <= MAX_NAME and _REPOSITORY.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """As a registry may list it."""
    return _TAG.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """A name or address, with or without a port."""
    return _HOST.fullmatch(text) is not None
