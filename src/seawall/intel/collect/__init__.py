"""Feeds, one a file: `recognise(document)` by content, `read(document)`. The first that knows a document reads it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from seawall.core.errors import Hostile
from seawall.intel.collect import (
    alpine,
    arch,
    bodhi,
    csaf,
    debian,
    debian_tracker,
    endoflife,
    epss,
    exploits,
    hosts,
    kev,
    misp,
    nodesec,
    nvd,
    osv,
    oval,
    photon,
    php,
    plain,
    redhat_api,
    rubysec,
    rustsec,
    stix,
    table,
    trivy_db,
    updateinfo,
    wolfi,
)
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed


@dataclass(frozen=True, slots=True)
class Feed:
    """One format of a feed."""

    recognise: Callable[[Document], bool]
    read: Callable[[Document], Iterable[Parsed]]


FEEDS = {
    "trivy_db": Feed(trivy_db.recognise, trivy_db.read),
    "kev": Feed(kev.recognise, kev.read),
    "epss": Feed(epss.recognise, epss.read),
    "nvd": Feed(nvd.recognise, nvd.read),
    "csaf": Feed(csaf.recognise, csaf.read),
    "redhat_api": Feed(redhat_api.recognise, redhat_api.read),
    "oval": Feed(oval.recognise, oval.read),
    "updateinfo": Feed(updateinfo.recognise, updateinfo.read),
    "bodhi": Feed(bodhi.recognise, bodhi.read),
    "debian_tracker": Feed(debian_tracker.recognise, debian_tracker.read),
    "debian": Feed(debian.recognise, debian.read),
    "alpine": Feed(alpine.recognise, alpine.read),
    "wolfi": Feed(wolfi.recognise, wolfi.read),
    "arch": Feed(arch.recognise, arch.read),
    "photon": Feed(photon.recognise, photon.read),
    "exploits": Feed(exploits.recognise, exploits.read),
    "stix": Feed(stix.recognise, stix.read),
    "misp": Feed(misp.recognise, misp.read),
    "nodesec": Feed(nodesec.recognise, nodesec.read),
    "osv": Feed(osv.recognise, osv.read),
    "rustsec": Feed(rustsec.recognise, rustsec.read),
    "rubysec": Feed(rubysec.recognise, rubysec.read),
    "php": Feed(php.recognise, php.read),
    "endoflife": Feed(endoflife.recognise, endoflife.read),
    "hosts": Feed(hosts.recognise, hosts.read),
    "table": Feed(table.recognise, table.read),
    "plain": Feed(plain.recognise, plain.read),
}
"""Special formats before general ones."""


def parse(document: Document) -> Iterator[Parsed] | None:
    """The document's records as they are read, or None when no feed knows it. Reading them raises ValueError where the
    feed cannot."""
    for feed in FEEDS.values():
        if feed.recognise(document):
            return _checked(feed, document)
    return None


def _checked(feed: Feed, document: Document) -> Iterator[Parsed]:
    try:
        yield from feed.read(document)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, Hostile) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
