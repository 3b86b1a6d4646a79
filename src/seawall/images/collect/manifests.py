"""Indexes and manifests: what names what. Source: OCI image specification, image-index.md, manifest.md; Docker's v2.2.

Whoever built or serves the image wrote them, so every value may be of any kind.
"""

import platform as machine
import re
from dataclasses import dataclass, field
from typing import Any

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import config

MAX_DOCUMENT = 4 << 20
MAX_ENTRIES = 1000
MAX_BLOB = 64 << 30
"""Bytes of one packed layer."""
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "armv6l": "arm/v6", "i686": "386"}
_PLATFORM = re.compile(r"[a-z0-9_]{1,32}(?:/[a-z0-9_]{1,32}){1,2}")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Names one blob by its content."""

    digest: str
    size: int
    media_type: str = ""
    platform: str = ""
    """os/architecture or os/architecture/variant; "" where none is said."""
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def attests(self) -> bool:
        """It says something of another image and is none."""
        return self.notes.get("vnd.docker.reference.type") == "attestation-manifest"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image: its configuration and layers, lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """Several images, of several platforms or names."""

    entries: tuple[Descriptor, ...]


def read(data: bytes) -> Manifest | Index:
    """Raises Hostile on what is neither, SeawallError on kinds that hold no image."""
    found = config.parse(data)
    if isinstance(found.get("manifests"), list):
        return Index(tuple(descriptor(one) for one in _listed(found["manifests"])))
    if found.get("schemaVersion") == 1 or "fsLayers" in found:
        raise SeawallError("the image has a manifest of schema 1, which nobody has written since 2017", "push it anew")
    if "config" not in found or "layers" not in found:
        raise Hostile("this is neither a manifest nor an index")
    manifest = Manifest(descriptor(found["config"]), tuple(descriptor(one) for one in _listed(found["layers"])))
    kind = manifest.config.media_type
    if kind and not kind.startswith(("application/vnd.oci.image.config", "application/vnd.docker.container.image")):
        raise SeawallError(f"this is no image of a container but {kind[:100]}")
    return manifest


def descriptor(value: Any) -> Descriptor:
    """Raises Hostile unless it names a blob by a digest that is known here, and its size."""
    found = value if isinstance(value, dict) else {}
    digest, size, kind = found.get("digest"), found.get("size"), found.get("mediaType", "")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise Hostile(f"{str(digest)[:100]!r} is no digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_BLOB:
        raise Hostile(f"{digest}: a size of {str(size)[:40]}, the limit is {MAX_BLOB}")
    notes = found.get("annotations")
    texts = config.Texts().pairs(notes) if isinstance(notes, dict) else {}
    return Descriptor(digest, size, kind if isinstance(kind, str) else "", platform_of(found.get("platform")), texts)


def here() -> str:
    """The platform of this machine's containers."""
    return f"linux/{_ARCHITECTURES.get(machine.machine(), machine.machine())}"


def wanted_platform(text: str) -> str:
    """As a user writes it. Raises SeawallError when it is none."""
    if not _PLATFORM.fullmatch(text.lower()):
        raise SeawallError(f"{text[:80]!r} is no platform", "for example linux/amd64 or linux/arm/v7")
    system, _, rest = text.lower().partition("/")
    return f"{system}/{_ARCHITECTURES.get(rest, rest)}"


def choose(index: Index, platform: str = "") -> Descriptor:
    """The entry for a platform; without one this machine's, or the only one that there is. Raises SeawallError."""
    images = [one for one in index.entries if not one.attests]
    if not images:
        raise Hostile("the index names no image")
    fitting = [one for one in images if fits(one.platform, platform or here())]
    if fitting:
        return fitting[0]
    if not platform and len({one.digest for one in images}) == 1:
        return images[0]
    names = ", ".join(dict.fromkeys(one.platform or "of no platform" for one in images))
    raise SeawallError(f"there is no image for {platform or here()}", f"--platform takes one of: {names[:500]}")


def fits(offered: str, wanted: str) -> bool:
    """Variants that everybody means count as said: arm64 is arm64/v8, amd64 is amd64/v1."""
    return _whole(offered) == _whole(wanted)


def _whole(platform: str) -> str:
    known = {"arm64/v8": "arm64", "amd64/v1": "amd64", "arm/v7": "arm"}
    system, _, rest = platform.partition("/")
    return f"{system}/{known.get(rest, rest)}"


def platform_of(value: Any) -> str:
    """What a descriptor's platform or a configuration says; "" when it says nothing."""
    if not isinstance(value, dict):
        return ""
    parts = [value.get(key) for key in ("os", "architecture", "variant")]
    return "/".join(part[:32] for part in parts if isinstance(part, str) and part)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise Hostile(f"a list of blobs that is none, or has more than {MAX_ENTRIES}")
    return value
