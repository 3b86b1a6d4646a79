"""`registry:HOST/REPOSITORY:TAG`: an image of a registry, pulled layer by layer and kept nowhere."""

from dataclasses import replace
from typing import TYPE_CHECKING

from seawall.core.errors import Unreachable
from seawall.images.collect import image
from seawall.images.collect.manifests import wanted_platform
from seawall.images.collect.reading import Reading
from seawall.images.collect.registry import names
from seawall.images.model import Inventory

if TYPE_CHECKING:
    from seawall.images.collect.registry.client import Registry


def read(name: str, reading: Reading) -> Inventory:
    """Raises Refused (not there, not allowed), Unreachable, Hostile when digest and content differ."""
    from seawall.images.collect.registry.client import Refused, Registry  # TLS and all that: for those who need it

    wanted = names.parse(name)
    for mirror in reading.access.mirrors:
        # A copy never hears who asks: the credentials are the registry's own.
        access = replace(reading.access, credentials=None, config=None)
        try:
            with Registry(mirror, access, reading.budget.until) as copy:
                return _read(copy, wanted, reading)
        except (Unreachable, Refused) as error:
            reading.progress(0.0, f"the mirror {mirror} could not serve: {error}")
    with Registry(wanted.host, reading.access, reading.budget.until) as registry:
        return _read(registry, wanted, reading)


def _read(registry: "Registry", wanted: names.Reference, reading: Reading) -> Inventory:
    platform = wanted_platform(reading.platform) if reading.platform else ""
    found = registry.resolve(wanted.repository, wanted.wanted, platform)
    place = f"{wanted.host}/{wanted.repository}"
    digests = tuple(f"{place}@{one}" for one in dict.fromkeys((found.digest, found.index_digest)))
    tags = (f"{place}:{wanted.tag}",) if wanted.tag else ()
    called = image.Names(f"registry:{wanted}", str(wanted), tags, digests)
    stored = registry.blobs(wanted.repository)
    return image.known(
        f"manifest:{found.digest}",
        called,
        reading,
        lambda: image.from_blobs(stored, found.manifest, called, reading),
    )
