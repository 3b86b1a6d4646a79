"""What a registry has beside an image that speaks for it: signatures, attestations, bills of materials."""

from dataclasses import dataclass

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import blobs, manifests
from seawall.images.collect.manifests import Manifest, wanted_platform
from seawall.images.collect.registry import names
from seawall.images.collect.registry.access import Access
from seawall.images.collect.registry.client import Refused, Registry
from seawall.images.detect.signatures import MAX_PAYLOAD, Key, Signature, check

SIGNATURE, CERTIFICATE = "dev.cosignproject.cosign/signature", "dev.sigstore.cosign/certificate"
BESIDE = {"att": "attestation", "sbom": "bill of materials"}
"""Endings of cosign's tags → what lies there."""
MAX_SIGNATURES = 100


@dataclass(frozen=True, slots=True)
class Trust:
    """What speaks for an image."""

    image: str
    digests: tuple[str, ...]
    """Of its manifest, and of the index that the tag names."""
    pinned: bool
    """It was named by digest: nobody can put another one in its place."""
    signatures: tuple[Signature, ...]
    beside: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """At least one signature is by the key, and of this image."""
        return any(one.verified for one in self.signatures)


def look(name: str, key: Key, access: Access, platform: str = "", until: float | None = None) -> Trust:
    """Ask an image's registry. Raises Refused, Unreachable, Hostile."""
    wanted = names.parse(name)
    with Registry(wanted.host, access, until) as registry:
        found = registry.resolve(wanted.repository, wanted.wanted, wanted_platform(platform) if platform else "")
        digests = tuple(dict.fromkeys((found.index_digest, found.digest)))
        signatures: list[Signature] = []
        beside = []
        for digest in digests:
            signatures += _signatures(registry, wanted.repository, digest, digests, key)
            for ending, what in BESIDE.items():
                if (manifest := _tagged(registry, wanted.repository, digest, ending)) is not None:
                    beside += [f"{what} {one.digest}" for one in manifest.layers[:MAX_SIGNATURES]]
    return Trust(str(wanted), digests, names.is_digest(wanted.wanted), tuple(signatures), tuple(beside))


def _tagged(registry: Registry, repository: str, digest: str, ending: str) -> Manifest | None:
    """What lies under cosign's tag; nothing there is no error."""
    tag = f"{digest.replace(':', '-', 1)}.{ending}"
    try:
        found = manifests.read(registry.manifest(repository, tag))
    except Refused as error:
        if error.status == 404:
            return None
        raise
    return found if isinstance(found, Manifest) else None


def _signatures(
    registry: Registry, repository: str, digest: str, digests: tuple[str, ...], key: Key
) -> list[Signature]:
    manifest = _tagged(registry, repository, digest, "sig")
    if manifest is None:
        return []
    found = []
    stored = registry.blobs(repository)
    for layer in manifest.layers[:MAX_SIGNATURES]:
        signature = layer.notes.get(SIGNATURE, "")
        if layer.size > MAX_PAYLOAD or not signature:
            found.append(Signature(False, "it has no signature, or too large a payload"))
            continue
        try:
            payload = blobs.document(stored, layer)
        except Hostile as error:
            found.append(Signature(False, str(error)))
            continue
        found.append(check(payload, signature, digests, key, keyless=CERTIFICATE in layer.notes))
    return found


def name_of(target: str) -> str:
    """The name of a target of a registry. Raises SeawallError on others: what Docker holds has no signatures."""
    source, colon, name = target.partition(":")
    if source != "registry" or not colon:
        raise SeawallError(
            f"{target!r} is no image of a registry", "signatures lie there: registry:HOST/REPOSITORY:TAG"
        )
    return name
